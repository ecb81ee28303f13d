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
/** First valid key of the item, and end of the keys that no window hides: a row sees these too, up to its own end. */
export const KEY_BEGIN: usize = 52
export const SINK_END: usize = 56
/** Masks in words: bits before the first key of a word that the host brought. Masks in bytes: -1. */
export const KEEP_SHIFT: usize = 60
export const DROP_SHIFT: usize = 64
/** Storage type of the bias. */
export const BIAS_TYPE: usize = 68

// What one strip sees of the block at hand; every function that needs it runs after `classify`.

/** A word of 64 keys for each row; bit t is key t of the block. Only for blocks of kind EDGE. */
export const VISIBLE: usize = 80
/** Keys that some row sees, and that every row sees, in the same form. */
export const SOME: usize = 144
export const EVERY: usize = 152
/** First key of the block that some row sees, and the end of these keys. */
export const FROM: usize = 160
export const TO: usize = 164

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
