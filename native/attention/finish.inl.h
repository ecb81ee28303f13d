/** The end of a task: what is left to do to rows, and what is told of them. */

/** Zeros for the rows that attend to nothing, results rounded to their storage, and what is known of every
 * row. */
static void finishRows(const Call& call, const Task& task, const Workspace& w) {
  const Plan& plan = call.plan;
  for (int lane = 0; lane < w.rows; ++lane) {
    const bool empty = w.range[lane].end <= w.range[lane].begin;
    w.inverse[lane] = inverseSum(w, lane);
    if (w.out[lane] != nullptr) {
      if (empty) memset(w.out[lane], 0, plan.valueDim * sizeof(float));
      if (plan.outType != kFloat32) {
        const RowOf of = rowOf(call, task, task.first + lane);
        const int64_t at = task.item * plan.oBatch + of.head * plan.oHead +
                           (call.items[task.item].queryFirst + of.row) * plan.oRow;
        narrow(plan.outType, w.out[lane], call.out.data, at, plan.valueDim);
      }
    }
    const int64_t at = lseAt(call, task, task.first + lane);
    if (!task.shows()) {
      if (call.wants(kLse)) call.lse.data[at] = lseOf(w, lane);
    } else if (call.references != nullptr) {
      call.references[at] = w.reference[lane];
      call.inverses[at] = w.inverse[lane];
    }
  }
}
