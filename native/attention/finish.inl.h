/** The end of a task: what is left to do to rows, and what is told of them. */

/** Zeros for the rows that attend to nothing, results rounded to their storage, and what is known of every
 * row. */
static void finishRows(const Call& call, const Task& task, const Workspace& w) {
  const Plan& plan = call.plan;
  for (int lane = 0; lane < w.rows; ++lane) {
    if (w.out[lane] == nullptr) continue;
    if (w.range[lane].end <= w.range[lane].begin) memset(w.out[lane], 0, plan.valueDim * sizeof(float));
    if (plan.outType == kFloat32) continue;
    const RowOf of = rowOf(call, task, task.first + lane);
    const int64_t at = task.item * plan.oBatch + of.head * plan.oHead +
                       (call.items[task.item].queryFirst + of.row) * plan.oRow;
    narrow(plan.outType, w.out[lane], call.out.data, at, plan.valueDim);
  }
  if (task.shows()) {
    for (int vector = 0; vector < w.vectors; ++vector) inverseSums(w, vector);
    for (int lane = 0; call.references != nullptr && lane < w.rows; ++lane) {
      const int64_t at = lseAt(call, task, task.first + lane);
      call.references[at] = w.reference[lane];
      call.inverses[at] = w.inverse[lane];
    }
  } else if (call.wants(kLse)) {
    for (int lane = 0; lane < w.rows; ++lane)
      call.lse.data[lseAt(call, task, task.first + lane)] = lseOf(w, lane);
  }
}
