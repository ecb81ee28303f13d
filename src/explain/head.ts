/**
 * One head's attention, and which head of a model looks hardest from one token at another.
 * @module
 */

/** Weights of one head, [tokens, tokens]: row i says how much token i looks at each token. */
export interface HeadMap {
  readonly tokens: readonly string[]
  readonly weights: Float32Array
}

/** A head of a model, both counted from 0, and the weight it was picked for. */
export interface HeadChoice {
  readonly layer: number
  readonly head: number
  readonly weight: number
}

/** Place of the first token that reads so; an error names those there are. */
export function placeOf(tokens: readonly string[], token: string): number {
  const place = tokens.indexOf(token)
  if (place < 0) throw new RangeError(`token: expected one of ${tokens.join(' ')}, got ${token}`)
  return place
}

/** The map of one head out of a layer's weights [heads, tokens, tokens]; a view, not a copy. */
export function headMap(layer: Float32Array, head: number, tokens: readonly string[]): HeadMap {
  const size = tokens.length ** 2
  return { tokens, weights: layer.subarray(head * size, (head + 1) * size) }
}

/** The head of each layer in which `from` looks hardest at `to`; layers hold weights [heads, tokens, tokens]. */
export function strongestPerLayer(
  layers: readonly Float32Array[],
  tokens: readonly string[],
  from: string,
  to: string,
): HeadChoice[] {
  const cell = placeOf(tokens, from) * tokens.length + placeOf(tokens, to)
  return layers.map((weights, layer) => {
    let best = { layer, head: 0, weight: weights[cell] }
    for (let head = 1; (head + 1) * tokens.length ** 2 <= weights.length; head++) {
      const weight = weights[head * tokens.length ** 2 + cell]
      if (weight > best.weight) best = { layer, head, weight }
    }
    return best
  })
}

/** The head of the whole model in which `from` looks hardest at `to`; the first of equals. */
export function strongestHead(
  layers: readonly Float32Array[],
  tokens: readonly string[],
  from: string,
  to: string,
): HeadChoice {
  return strongestPerLayer(layers, tokens, from, to).reduce((a, b) => (b.weight > a.weight ? b : a))
}
