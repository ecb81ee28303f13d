/**
 * One build at a time in one tree: a lock file that holds the builder's process id.
 * @module
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { at } from './paths.mjs'

const LOCK = at('build/build.lock')
/** No build takes this long; an older lock belongs to a process that has long ended and whose id was given away again. */
const DEAD_AFTER_MS = 15 * 60_000

/** Waits for the lock and takes it. It is let go at exit, whatever the reason. */
export async function takeLock(say) {
  mkdirSync(at('build'), { recursive: true })
  let told = false
  while (!(await tryLock())) {
    const owner = ownerOf()
    if (!told && owner) say(`waiting for the build of process ${owner}`)
    told = true
    await sleep(100)
  }
  process.once('exit', () => {
    if (ownerOf() === process.pid) rmSync(LOCK, { force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))
}

async function tryLock() {
  try {
    writeFileSync(LOCK, `${process.pid}\n`, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  if (isHeld()) return false
  // The owner is gone. Of several that find this at once, the last to put its name there wins;
  // all look again once the names have settled.
  const draft = `${LOCK}.${process.pid}`
  writeFileSync(draft, `${process.pid}\n`)
  renameSync(draft, LOCK)
  await sleep(200)
  return ownerOf() === process.pid
}

function ownerOf() {
  try {
    return Number(readFileSync(LOCK, 'utf8')) || undefined
  } catch {
    return undefined
  }
}

function isHeld() {
  try {
    if (Date.now() - statSync(LOCK).mtimeMs > DEAD_AFTER_MS) return false
    const owner = ownerOf()
    // Created but not yet written: held by whoever is writing it, unless it stays so.
    if (!owner) return Date.now() - statSync(LOCK).mtimeMs < 2000
    process.kill(owner, 0)
    return true
  } catch (error) {
    // ESRCH: no such process. ENOENT: let go just now; EPERM: alive, another user's.
    return error.code === 'EPERM'
  }
}
