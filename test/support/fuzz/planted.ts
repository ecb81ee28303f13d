/**
 * The reference with a defect, to see that a hunt finds it.
 * @module
 */
import type { Attention } from '../../../src/index.ts'
import { type Platform, platforms } from '../platforms.ts'

type Run = Attention['attention']

export function planted(defect: (right: Run) => Run): Platform {
  const reference = platforms.find(({ backend }) => backend === 'reference')!
  const api = reference.open()
  return { ...reference, name: 'planted', open: () => ({ ...api, attention: defect(api.attention) }) }
}
