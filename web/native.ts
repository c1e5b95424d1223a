/**
 * Calling coroutines and functions of C: arguments and results by their C type,
 * as `CW_TYPE_CODE` in coworker.h names them. The package's own module has none,
 * so only who brings a module along loads this.
 *
 * @module
 */
import { describe } from './errors.js';
import * as layout from './layout.gen.js';
import { Memory } from './memory.js';
import type { NativeTaskReader, Pointer } from './module.js';

/** What the core knows of one exported coroutine or function. */
interface NativeType {
  readonly name: string;
  readonly argType: string;
  readonly argSize: number;
  readonly resultType: string;
}

/** Reads a descriptor. */
export const readNativeTask: NativeTaskReader = (memory, at, name) => {
  const { u8 } = memory.refresh();
  const type: NativeType = {
    name,
    argType: String.fromCharCode(u8[at + layout.COROUTINE_ARG_TYPE]!),
    argSize: memory.word(at + layout.COROUTINE_ARG_SIZE),
    resultType: String.fromCharCode(u8[at + layout.COROUTINE_RESULT_TYPE]!),
  };
  return {
    at,
    encode: (args) => encodeArgument(type, args, memory),
    decode: (data, length) => decodeResult(type, memory, data, length),
  };
};

function expected(where: string, wanted: string, value: unknown): string {
  return `coworker: expected ${where} to be ${wanted}, got ${describe(value)}`;
}

/** The smallest and the largest integer of a type of so many bytes. */
function rangeOf(signed: boolean, bytes: number): [bigint, bigint] {
  const bits = BigInt(bytes * 8);
  return signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
}

function checkRange(type: NativeType, where: string, value: bigint | number): void {
  const [low, high] = rangeOf(type.argType === 'i' || type.argType === 'l', type.argSize);
  if (value < low || value > high) {
    throw new RangeError(expected(where, `an integer from ${low} to ${high}`, value));
  }
}

/** The bytes of an argument; a TypeError or RangeError says what is wrong. */
function encodeArgument(type: NativeType, args: readonly unknown[], memory: Memory): Uint8Array {
  const wanted = type.argType === '0' ? 0 : 1;
  if (args.length !== wanted) {
    throw new TypeError(
      `coworker: '${type.name}' is written in C and takes ${wanted} argument${wanted === 1 ? '' : 's'}, ` +
        `got ${args.length}`,
    );
  }
  const value = args[0];
  const where = `the argument of '${type.name}'`;
  const bytes = new Uint8Array(Math.max(type.argSize, 8));
  const view = new DataView(bytes.buffer);
  switch (type.argType) {
    case '0':
      break;
    case 'b':
      if (typeof value !== 'boolean') throw new TypeError(expected(where, 'a boolean', value));
      view.setUint8(0, Number(value));
      break;
    case 'i':
    case 'u': {
      if (typeof value !== 'number' || !Number.isInteger(value)) {
        throw new TypeError(expected(where, 'an integer', value));
      }
      checkRange(type, where, value);
      view.setUint32(0, value >>> 0, true);
      break;
    }
    case 'l':
    case 'L':
      if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) {
        throw new TypeError(expected(where, 'a bigint or a safe integer', value));
      }
      checkRange(type, where, value as bigint | number);
      view.setBigInt64(0, BigInt.asIntN(64, BigInt(value as bigint | number)), true);
      break;
    case 'f':
    case 'd':
      if (typeof value !== 'number') throw new TypeError(expected(where, 'a number', value));
      if (type.argType === 'f') view.setFloat32(0, value, true);
      else view.setFloat64(0, value, true);
      break;
    case 's': {
      if (typeof value !== 'string' || value.includes('\0')) {
        throw new TypeError(expected(where, 'a string without zero characters', value));
      }
      const text = Memory.encode(value);
      const ended = new Uint8Array(text.length + 1);
      ended.set(text);
      return ended;
    }
    case 'p':
      view.setUint32(0, addressOf(value, where, memory), true);
      break;
    default: {
      const raw = bytesOf(value);
      if (!raw) throw new TypeError(expected(where, 'an ArrayBuffer or a view of one', value));
      if (raw.length !== type.argSize) {
        throw new RangeError(
          `coworker: expected ${where} to be ${type.argSize} bytes long, got ${raw.length} bytes`,
        );
      }
      return raw.slice();
    }
  }
  return bytes;
}

function addressOf(value: unknown, where: string, memory: Memory): Pointer {
  if (value === null || value === undefined) return 0;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32) {
    return value;
  }
  if (ArrayBuffer.isView(value) && value.buffer === memory.refresh().buffer) {
    return value.byteOffset;
  }
  throw new TypeError(
    expected(where, 'an array made by context.allocate(), whose address C can use', value),
  );
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return undefined;
}

/** The JavaScript form of a result. */
function decodeResult(type: NativeType, memory: Memory, at: Pointer, length: number): unknown {
  const bytes = memory.refresh().u8.slice(at, at + length);
  const view = new DataView(bytes.buffer);
  switch (type.resultType) {
    case '0':
      return undefined;
    case 'b':
      return view.getUint8(0) !== 0;
    case 'i':
      return length === 1
        ? view.getInt8(0)
        : length === 2
          ? view.getInt16(0, true)
          : view.getInt32(0, true);
    case 'u':
      return length === 1
        ? view.getUint8(0)
        : length === 2
          ? view.getUint16(0, true)
          : view.getUint32(0, true);
    case 'l':
      return view.getBigInt64(0, true);
    case 'L':
      return view.getBigUint64(0, true);
    case 'f':
      return view.getFloat32(0, true);
    case 'd':
      return view.getFloat64(0, true);
    case 's': {
      const text = view.getUint32(0, true);
      return text === 0 ? null : memory.text(text);
    }
    case 'p':
      return view.getUint32(0, true);
    default:
      return bytes;
  }
}
