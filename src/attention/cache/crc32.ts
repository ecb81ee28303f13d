/**
 * CRC-32 as in zlib, PNG and Ethernet (ISO 3309): finds every burst of damage up to 32 bits.
 * @module
 */

const POLYNOMIAL = 0xedb88320

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0)
  return remainder
})

export function crc32(bytes: Uint8Array): number {
  let remainder = 0xffff_ffff
  for (let i = 0; i < bytes.length; i++) remainder = TABLE[(remainder ^ bytes[i]) & 0xff] ^ (remainder >>> 8)
  return ~remainder >>> 0
}
