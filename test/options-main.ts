/**
 * Prints the table of options and backends; scripts/options-table.mjs bundles this file and puts it in the README.
 * @module
 */
import { inMarkdown, optionsTable } from './support/options-table.ts'

console.log(inMarkdown(optionsTable()))
