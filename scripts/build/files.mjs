/**
 * Files and what they hold: walking folders, hashing contents, writing without a half-written moment.
 * @module
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root } from './paths.mjs'

/** All files below the given files and folders, sorted; what does not exist is left out. */
export function filesBelow(paths) {
  const found = []
  for (const path of paths) {
    if (!existsSync(path)) continue
    if (!statSync(path).isDirectory()) found.push(path)
    else found.push(...filesBelow(readdirSync(path).map(name => join(path, name))))
  }
  return found.sort()
}

/** One hash over the names and contents of files, and over the words given beside them. */
export function hashOf(files, words = []) {
  const hash = createHash('sha256').update(JSON.stringify(words))
  for (const file of files) {
    const content = readFileSync(file)
    hash.update(`\n${relative(root, file)} ${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

/** Replaces a file in one move, and leaves it alone when it holds the same already. */
export function writeWhole(file, content) {
  if (existsSync(file) && readFileSync(file).equals(Buffer.from(content))) return
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}.tmp`
  writeFileSync(draft, content)
  renameSync(draft, file)
}
