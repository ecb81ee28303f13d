/**
 * Prints the sum of the test reports that are named: passed, failed, skipped.
 * @module
 */
import { readReport } from './report.mjs'

const sum = { passed: 0, failed: 0, skipped: 0 }
for (const file of process.argv.slice(2)) {
  const counts = readReport(file)
  for (const name of Object.keys(sum)) sum[name] += counts[name]
}
console.log(sum.passed, sum.failed, sum.skipped)
