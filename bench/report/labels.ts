/**
 * Names beside dots, where they cover neither dots nor each other.
 * @module
 */

export interface Labelled {
  /** In pixels. */
  x: number
  y: number
  text: string
}

export interface Placed {
  dx: number
  dy: number
  anchor: 'start' | 'middle' | 'end'
}

interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

const LETTER = 6
const HEIGHT = 12
const AWAY = 9

/** Above, below, to the right, to the left; then farther out, up before down. */
const PLACES: readonly Placed[] = [1, 1.9, 2.8, 3.7].flatMap((far): Placed[] => [
  { dx: 0, dy: -AWAY * far - 2, anchor: 'middle' },
  { dx: 0, dy: AWAY * far + 2, anchor: 'middle' },
  ...[-1, 1].flatMap((side): Placed[] => [
    { dx: AWAY, dy: side * (far - 1) * AWAY, anchor: 'start' },
    { dx: -AWAY, dy: side * (far - 1) * AWAY, anchor: 'end' },
  ]),
])

/** One after the other takes the first place that is free, or the first of all. */
export function placeLabels(
  labels: readonly Labelled[],
  dots: readonly { x: number; y: number }[],
  width: number,
): Placed[] {
  const taken: Box[] = dots.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }))
  return labels.map(label => {
    const free = PLACES.find(place => {
      const box = boxOf(label, place)
      return box.left >= 0 && box.right <= width && !taken.some(other => overlap(box, other))
    })
    const place = free ?? PLACES[0]
    taken.push(boxOf(label, place))
    return place
  })
}

function boxOf({ x, y, text }: Labelled, { dx, dy, anchor }: Placed): Box {
  const width = text.length * LETTER
  const part = { start: 0, middle: 0.5, end: 1 }[anchor]
  const left = x + dx - part * width
  return { left, right: left + width, top: y + dy - HEIGHT / 2, bottom: y + dy + HEIGHT / 2 }
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}
