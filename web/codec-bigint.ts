/**
 * Bigints of more than 64 bits, as two's complement, low word first. Hex text
 * is the one way to take them apart in time proportional to their size.
 */

/** The number of words that `value` takes. */
export function bigintWords(value: bigint): number {
  // Four bits for a digit and one for the sign, in whole words. A minus counts
  // as a digit, which takes a word too many now and then.
  return (value.toString(16).length * 4 + 32) >>> 5;
}

/** Writes `value` as `words` words, beginning at word `p`. */
export function writeBigInt(value: bigint, words: number, p: number, i32: Int32Array): void {
  const bits = BigInt.asUintN(words * 32, value);
  const digits = bits.toString(16).padStart(words * 8, '0');
  for (let i = 0; i < words; i++) {
    const at = (words - 1 - i) * 8;
    i32[p + i] = Number.parseInt(digits.slice(at, at + 8), 16);
  }
}

/** Reads `words` words, beginning at word `p`. */
export function readBigInt(i32: Int32Array, p: number, words: number): bigint {
  let digits = '0x0';
  for (let i = words - 1; i >= 0; i--) {
    const word = (i32[p + i] as number) >>> 0;
    digits += word.toString(16).padStart(8, '0');
  }
  return BigInt.asIntN(words * 32, BigInt(digits));
}
