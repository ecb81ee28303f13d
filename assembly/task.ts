// What the host asks for: one record for a chunk of query rows, read by every export (written by src/backends/wasm-task.ts).
// Addresses and sizes are in bytes.

/** Packed query rows, keys of a block packed, its values, output of the chunk, states of its strips, scores of one strip. */
export const QUERIES: usize = 0
export const KEYS: usize = 4
export const VALUES: usize = 8
export const OUTPUT: usize = 12
export const STATE: usize = 16
export const SCORES: usize = 20
/** Strips of the chunk. */
export const STRIPS: usize = 24
/** Channels of queries and keys. */
export const HEAD_DIM: usize = 28
/** Bytes of a row of values and of output: whole vectors of eight channels. */
export const STRIDE: usize = 32
/** Bits of Feature in src/attention/plan.ts. */
export const FEATURES: usize = 36
/** float32: what makes a product a score in natural units. */
export const UNIT: usize = 40
/** float32: what makes a score an exponent of 2; with nothing added to scores it holds the unit as well. */
export const EXPONENT: usize = 44
/** float32: the bound of softcap. */
export const CAP: usize = 48
/** Masks in words: bits before the first key of a word that the host brought. Masks in bytes: -1. */
export const KEEP_SHIFT: usize = 52
export const DROP_SHIFT: usize = 56
/** Storage type of the bias. */
export const BIAS_TYPE: usize = 60
/** Rows of the chunk, which stand for (first + row) / group of the item, and that group of heads. */
export const FIRST: usize = 64
export const ROWS: usize = 68
export const GROUP: usize = 72
/** The item's valid keys, the position of its first query row, and the distances of the window, as in the plan. */
export const KEY_BEGIN: usize = 76
export const KEY_END: usize = 80
export const FIRST_POSITION: usize = 84
export const LEFT: usize = 88
export const RIGHT: usize = 92
/** End of the first keys, which no window hides: a row sees these too, up to its own end. */
export const SINK_END: usize = 96
/** Of a few rows (few.ts): whether they bear to meet float16 keys as stored. */
export const AS_STORED: usize = 100
export const TOUCHED: usize = 104

// What one strip sees of the block at hand; every function that needs it runs after `classify`.

/** A word of 64 keys for each row; bit t is key t of the block. Only for blocks of kind EDGE. */
export const VISIBLE: usize = 112
/** Keys that some row sees, and that every row sees, in the same form. */
export const SOME: usize = 176
export const EVERY: usize = 184
/** First key of the block that some row sees, and the end of these keys. */
export const FROM: usize = 192
export const TO: usize = 196
/** The same for the first four rows alone, and, 8 bytes further, for the other four. */
export const HALF_FROM: usize = 200
export const HALF_TO: usize = 204

/** Products in int16 (low.ts): whether, and the places of their queries, keys and values. */
export const LOW: usize = 216
export const LOW_QUERIES: usize = 220
export const LOW_KEYS: usize = 224
export const LOW_VALUES: usize = 228
/** Bytes of a block of keys as words; behind them is room for another set of scores. */
export const KEY_BLOCK_BYTES: usize = 232
/** float32: by how much a score against the block may be off, per norm of its query. */
export const LOW_OFF: usize = 236
/** Whether the block's values are words. */
export const LOW_FITS: usize = 240
/** Of the strip at hand and the block: units and sums of the weights of its rows. */
export const LOW_UNITS: usize = 256
export const LOW_SUMS: usize = 288

export const SOFTCAP = 1 << 0
export const BIAS = 1 << 1
export const KEEP = 1 << 2
export const DROP = 1 << 3
export const ALIBI = 1 << 4
/** What needs scores in natural units. */
export const SHAPING = SOFTCAP | BIAS | ALIBI
/** What may hide single keys. */
export const HIDING = KEEP | DROP | BIAS

/** Keys of a block. */
export const BLOCK = 64
