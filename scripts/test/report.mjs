/**
 * Counts of a test run, in the few fields of vitest's JSON report that are read here.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'

/** `{ passed, failed, skipped }`; a run that left no report counts as one failure. */
export function readReport(file) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 }
  const report = JSON.parse(readFileSync(file, 'utf8'))
  // A file that cannot be loaded has no tests to fail, and the run has failed all the same.
  const failed = report.numFailedTests || (report.success ? 0 : 1)
  return { passed: report.numPassedTests, failed, skipped: report.numPendingTests }
}

export const inWords = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`
