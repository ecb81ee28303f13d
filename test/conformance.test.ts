/**
 * Every size on every platform against the oracle.
 * @module
 */
import { conformance } from './support/suite.ts'
import { sizeCases } from './support/sweep.ts'
import './support/replay.ts'

conformance('sizes', sizeCases())
