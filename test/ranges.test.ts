/**
 * Every option that selects keys by position, on every platform against the oracle.
 * @module
 */
import { rangeCases } from './support/range-cases.ts'
import { conformance } from './support/suite.ts'
import './support/replay.ts'

conformance('ranges', rangeCases())
