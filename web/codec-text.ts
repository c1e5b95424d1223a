/**
 * Strings in shared memory. Short ones are moved character by character, which
 * is faster than any call into the engine; long ones by TextEncoder and
 * TextDecoder, which most browsers allow on memory of their own only.
 */

// From these lengths on the fixed cost of an encoder or a decoder pays off.
const ENCODER_MIN = 64;
const DECODER_MIN = 17;
// How much goes through memory of our own, or on the stack, at a time.
const ENCODER_CHUNK = 8192;
const STACK_CHUNK = 1024;

const { fromCharCode } = String;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
let ownBytes: Uint8Array | undefined;

const worksOnShared: boolean = (() => {
  try {
    const bytes = new Uint8Array(new SharedArrayBuffer(1));
    encoder.encodeInto('a', bytes);
    return decoder.decode(bytes) === 'a';
  } catch {
    return false;
  }
})();

/**
 * Writes a string with its tag word; if it does not fit, only counts.
 *
 * @param text - the string, shorter than 2^27
 * @param p - the word to write to
 * @param end - the word that must not be written any more
 * @returns the word after the string
 */
export function writeText(
  text: string,
  p: number,
  end: number,
  i32: Int32Array,
  u8: Uint8Array,
): number {
  const length = text.length;
  const next = p + 1 + ((length + 3) >>> 2);
  // One byte per character is right most of the time, so that is tried first;
  // the bits that all characters have together tell if it was right.
  const bits =
    next > end
      ? bitsOf(text)
      : length >= ENCODER_MIN && writeAscii(text, (p + 1) * 4, u8)
        ? 0
        : writeBytes(text, p + 1, i32, u8);
  if (bits > 0xff) return writeUnits(text, p, end, i32);
  if (next <= end) i32[p] = (length << 5) | (bits < 0x80 ? 4 : 5);
  return next;
}

function bitsOf(text: string): number {
  const length = text.length;
  let bits = 0;
  for (let i = 0; i < length && bits <= 0xff; i++) bits |= text.charCodeAt(i);
  return bits;
}

function writeBytes(text: string, p: number, i32: Int32Array, u8: Uint8Array): number {
  const length = text.length;
  // The reader knows names again by whole words, so the padding is zero.
  if ((length & 3) !== 0) i32[p + (length >>> 2)] = 0;
  const at = p * 4;
  let bits = 0;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) return unit;
    u8[at + i] = unit;
    bits |= unit;
  }
  return bits;
}

function writeUnits(text: string, p: number, end: number, i32: Int32Array): number {
  const length = text.length;
  const next = p + 1 + ((length + 1) >>> 1);
  if (next > end) return next;
  i32[p++] = (length << 5) | 6;
  for (let i = 1; i < length; i += 2) {
    i32[p++] = text.charCodeAt(i - 1) | (text.charCodeAt(i) << 16);
  }
  if ((length & 1) !== 0) i32[p] = text.charCodeAt(length - 1);
  return next;
}

/** Writes a long string at the speed of memory, unless it is not ASCII. */
function writeAscii(text: string, at: number, u8: Uint8Array): boolean {
  const length = text.length;
  if (text.charCodeAt(0) > 0x7f) return false;
  // UTF-8 holds as many characters as it has bytes only if all are ASCII.
  if (worksOnShared) {
    const to = u8.subarray(at, at + length);
    return encoder.encodeInto(text, to).read === length;
  }
  ownBytes ??= new Uint8Array(ENCODER_CHUNK);
  for (let i = 0; i < length; i += ENCODER_CHUNK) {
    const part = text.slice(i, i + ENCODER_CHUNK);
    const to = ownBytes.subarray(0, part.length);
    if (encoder.encodeInto(part, to).read !== part.length) return false;
    u8.set(to, at + i);
  }
  return true;
}

/** Reads `length` ASCII characters at byte `at`. */
export function readAscii(u8: Uint8Array, at: number, length: number): string {
  if (length < DECODER_MIN) return readShort(u8, at, length);
  return decoder.decode(worksOnShared ? u8.subarray(at, at + length) : u8.slice(at, at + length));
}

// No TextDecoder gives back every Latin-1 character, for `latin1` is the name
// of another encoding there, nor lone surrogates.

/** Reads `length` Latin-1 characters at byte `at`. */
export function readLatin1(u8: Uint8Array, at: number, length: number): string {
  if (length < DECODER_MIN) return readShort(u8, at, length);
  let text = '';
  for (let from = 0; from < length; from += STACK_CHUNK) {
    const count = Math.min(STACK_CHUNK, length - from);
    const codes = new Array<number>(count);
    for (let i = 0; i < count; i++) codes[i] = u8[at + from + i] as number;
    text += fromCharCode(...codes);
  }
  return text;
}

/** Reads `length` UTF-16 code units at word `p`. */
export function readUtf16(i32: Int32Array, p: number, length: number): string {
  let text = '';
  for (let from = 0; from < length; from += STACK_CHUNK) {
    const count = Math.min(STACK_CHUNK, length - from);
    const codes = new Array<number>(count);
    const start = p + (from >>> 1);
    for (let i = 1; i < count; i += 2) {
      const word = i32[start + (i >>> 1)] as number;
      codes[i - 1] = word & 0xffff;
      codes[i] = word >>> 16;
    }
    if ((count & 1) !== 0) {
      codes[count - 1] = (i32[start + (count >>> 1)] as number) & 0xffff;
    }
    text += fromCharCode(...codes);
  }
  return text;
}

/**
 * Reads up to 16 characters. One call with many arguments makes the string in
 * one go; adding up characters would make one string for each.
 */
function readShort(u: Uint8Array, at: number, length: number): string {
  const a = u[at] as number;
  if (length === 1) return fromCharCode(a);
  const b = u[at + 1] as number;
  if (length === 2) return fromCharCode(a, b);
  const c = u[at + 2] as number;
  if (length === 3) return fromCharCode(a, b, c);
  const d = u[at + 3] as number;
  if (length === 4) return fromCharCode(a, b, c, d);
  if (length === 0) return '';
  // What is read too much here is cut off again; past the memory's end it is
  // undefined, which counts as zero.
  const e = u[at + 4] as number;
  const f = u[at + 5] as number;
  const g = u[at + 6] as number;
  const h = u[at + 7] as number;
  if (length === 5) return fromCharCode(a, b, c, d, e);
  if (length === 6) return fromCharCode(a, b, c, d, e, f);
  if (length <= 8) {
    return fromCharCode(a, b, c, d, e, f, g, h).slice(0, length);
  }
  const i = u[at + 8] as number;
  const j = u[at + 9] as number;
  const k = u[at + 10] as number;
  const l = u[at + 11] as number;
  const m = u[at + 12] as number;
  const n = u[at + 13] as number;
  const o = u[at + 14] as number;
  const p = u[at + 15] as number;
  return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p).slice(0, length);
}
