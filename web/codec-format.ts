/**
 * The format that the codec's writer and reader share.
 *
 * An encoded value is a run of 32-bit words. The low five bits of its first
 * word are a tag, the upper 27 a number: an integer, a count or a kind.
 * Every value ends at a whole word.
 *
 * | tag | value        | number   | what follows                            |
 * | --- | ------------ | -------- | --------------------------------------- |
 * | 0   | none         |          | what nobody wrote shall not decode      |
 * | 1   | integer      | itself   | (27 bits, signed)                       |
 * | 2   | integer      |          | 32 bits, signed                         |
 * | 3   | double       |          | two words                               |
 * | 4   | string       | length   | ASCII, one byte per character           |
 * | 5   | string       | length   | Latin-1, one byte per character         |
 * | 6   | string       | length   | UTF-16, lone surrogates as they are     |
 * | 7   | undefined    |          |                                         |
 * | 8   | null         |          |                                         |
 * | 9   | false        |          |                                         |
 * | 10  | true         |          |                                         |
 * | 11  | array        | count    | values                                  |
 * | 12  | object       | count    | pairs of a string and a value           |
 * | 13  | bigint       |          | 64 bits, signed                         |
 * | 14  | bigint       |          | its hex digits, a string                |
 * | 15  | Date         |          | its time value, a double                |
 * | 16  | ArrayBuffer  |          | size in bytes, the bytes as below       |
 * | 17  | view         | its kind | size in bytes, the bytes: they begin at |
 * |     |              |          | a multiple of eight in the memory       |
 * | 18  | heap view    | its kind | offset in bytes, length in elements     |
 * | 19  | Map          | count    | pairs of values                         |
 * | 20  | Set          | count    | values                                  |
 * | 21  | a handle     | its kind | the address of what it refers to        |
 *
 * A message of several values is an array. Writer and reader spell the tags as
 * literals: the engine makes a jump table of a `switch` over literals only, and
 * does not know an imported constant's value; with names, decoding an array
 * takes twice as long.
 */

/** A typed array of any kind, or a DataView, which has no `slice`. */
export interface View extends ArrayBufferView {
  slice?(): View;
}

/** The constructor of a kind of view. */
export type ViewConstructor = new (
  buffer: ArrayBufferLike,
  byteOffset?: number,
  length?: number,
) => View;

const { Float16Array } = globalThis as { Float16Array?: ViewConstructor };

/**
 * The kinds of views, by number. Both ends run in the same engine, so one that
 * lacks Float16Array never meets it.
 */
export const viewConstructors: readonly ViewConstructor[] = [
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  ...(Float16Array === undefined ? [] : [Float16Array]),
];

/** The prototypes of the same kinds, which a view is told by. */
export const viewPrototypes: readonly unknown[] = viewConstructors.map(
  (constructor) => constructor.prototype as unknown,
);

/** How many bytes an element takes, by the number of the kind of view. */
export const viewElementSizes: readonly number[] = [1, 1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2];

/** Objects nested deeper than this are not carried, so no stack runs out. */
export const MAX_DEPTH = 64;
