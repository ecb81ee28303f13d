/** The last look before memory is touched: whatever a plan says, nothing outside the arrays is read or
 * written. */
#pragma once
#include <string>

#include "call.h"

namespace selfsame {

/** Reads the words of a plan; a complaint if one is not a number that the kernels can count with. */
std::string readPlan(const double* words, size_t count, Plan& plan);

/** Checks sizes and items of a plan; a complaint or nothing. */
std::string checkItems(const Plan& plan, const std::vector<Item>& items);

/** Checks that every element the kernels will touch lies in its array; a complaint or nothing. */
std::string checkSpans(const Call& call);

}  // namespace selfsame
