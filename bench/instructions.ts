/**
 * What the addon itself has executed, out of a profile by callgrind.
 * @module
 */

/** Instructions inside one object file, without those of what it calls elsewhere. */
export function instructionsIn(profile: string, object: string): number {
  const names = new Map<string, string>()
  let inside = false
  let skip = false
  let sum = 0
  for (const line of profile.split('\n')) {
    // A name is written out once, at the first of its places, and is a number in brackets from then on.
    const place = /^(c?ob)=(\(\d+\))(?: (.*))?$/.exec(line)
    if (place) {
      const [, key, id, name] = place
      if (name !== undefined) names.set(id, name)
      if (key === 'ob') inside = names.get(id)?.endsWith(object) ?? false
      continue
    }
    if (line.startsWith('calls=')) {
      // The line that follows holds what was called, all of it.
      skip = true
      continue
    }
    if (!/^[-+*\d]/.test(line)) continue
    if (inside && !skip) sum += Number(line.split(' ')[1])
    skip = false
  }
  return sum
}
