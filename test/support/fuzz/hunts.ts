/**
 * What is hunted for.
 * @module
 */
import { bitDifferences } from './bits.ts'
import { cacheDifferences, cachesOf } from './cached.ts'
import { differences, prepareDraft } from './differ.ts'
import { type Hunt, onEach } from './hunt.ts'

export const HUNTS: readonly Hunt[] = [
  {
    name: 'numbers',
    property(draft, platforms) {
      const prepared = prepareDraft(draft)
      return onEach(platforms, platform => differences(draft, prepared, platform.open()))
    },
  },
  {
    name: 'bits',
    property: (draft, platforms) => onEach(platforms, platform => bitDifferences(draft, platform)),
  },
  {
    name: 'caches',
    property(draft, platforms) {
      const caches = cachesOf(draft)
      return onEach(platforms, platform => cacheDifferences(caches, platform.open()))
    },
  },
]
