import { type Heap } from './codec-heap.js';
import { Reader } from './codec-read.js';
import { DOES_NOT_FIT, Writer } from './codec-write.js';

/**
 * A thrown value in plain data, which the codec and structured clone carry
 * alike: an error's parts, or a value that is no error.
 */
export type CarriedError = CarriedErrorParts | CarriedValue;

/** The parts of an error; what the error lacks is left out. */
export interface CarriedErrorParts {
  readonly kind: 'error';
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
  readonly cause?: CarriedError;
  /** The errors of an AggregateError. */
  readonly errors?: readonly CarriedError[];
  readonly extra?: ErrorExtra;
}

/** A thrown value that is no error. */
export interface CarriedValue {
  readonly kind: 'value';
  readonly value: unknown;
}

/** Makes an error of a class of one's own. */
export type ErrorMaker = (message: string, options: ErrorOptions) => Error;

/** More properties for a decoded error: where it comes from, for example. */
export type ErrorExtra = Readonly<Record<string, string | number | boolean | null | undefined>>;

// Longer chains of causes are cut off. Each step adds a level or two to the
// nesting, of which the codec carries 64.
const MAX_CHAIN = 16;
// The text of a function is its source, of which the beginning will do.
const MAX_TEXT = 100;

const standardErrors = new Map<string, ErrorConstructor>([
  ['Error', Error],
  ['EvalError', EvalError],
  ['RangeError', RangeError],
  ['ReferenceError', ReferenceError],
  ['SyntaxError', SyntaxError],
  ['TypeError', TypeError],
  ['URIError', URIError],
]);

/**
 * Takes a thrown value apart, to be carried to another thread. Never throws,
 * whatever the value is.
 *
 * @param thrown - an error, or whatever else was thrown. A value that is no
 * error is copied if the codec carries it; else an error says what it was.
 * @param extra - properties that the decoded error gets besides its own; they
 * are lost if a value is thrown that is no error
 */
export function encodeError(thrown: unknown, extra?: ErrorExtra): CarriedError {
  let carried: CarriedError | undefined;
  try {
    carried = encode(thrown, []);
  } catch {
    // A proxy may throw at anything that is done with it.
  }
  if (carried === undefined) {
    const text = describe(thrown);
    const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
    const message = `a value that cannot be sent was thrown: ${short}`;
    return { kind: 'error', name: 'Error', message, ...(extra && { extra }) };
  }
  if (extra === undefined || carried.kind === 'value') return carried;
  return { ...carried, extra };
}

/**
 * Puts a thrown value together again. An error is of the built-in class that
 * its name is the name of, else an Error with that name; its stack is that of
 * the thread where it was thrown.
 *
 * @param makers - of classes that are not built in, by their names
 */
export function decodeError(
  carried: CarriedError,
  makers?: ReadonlyMap<string, ErrorMaker>,
): unknown {
  if (carried.kind === 'value') return carried.value;
  const { name, message, cause } = carried;
  const options = cause === undefined ? {} : { cause: decodeError(cause, makers) };
  let error: Error;
  if (name === 'AggregateError') {
    const errors = carried.errors ?? [];
    error = new AggregateError(
      errors.map((inner) => decodeError(inner, makers)),
      message,
      options,
    );
  } else {
    const make = makers?.get(name);
    error = make
      ? make(message, options)
      : new (standardErrors.get(name) ?? Error)(message, options);
    if (carried.errors !== undefined) {
      const errors = carried.errors.map((inner) => decodeError(inner, makers));
      hide(error, 'errors', errors);
    }
  }
  if (error.name !== name) hide(error, 'name', name);
  hide(error, 'stack', carried.stack ?? headline(name, message));
  if (carried.code !== undefined) show(error, 'code', carried.code);
  for (const [key, value] of Object.entries(carried.extra ?? {})) {
    show(error, key, value);
  }
  return error;
}

/**
 * @param above - the errors that this one is a cause of
 * @returns undefined for a value that cannot be carried
 */
function encode(thrown: unknown, above: readonly unknown[]): CarriedError | undefined {
  if (!isError(thrown)) return copy(thrown);
  if (above.length >= MAX_CHAIN || above.includes(thrown)) return undefined;
  const inner = [...above, thrown];
  const name = get(thrown, 'name');
  const message = get(thrown, 'message');
  const stack = get(thrown, 'stack');
  const code = get(thrown, 'code');
  const cause = get(thrown, 'cause');
  const errors = get(thrown, 'errors');
  return {
    kind: 'error',
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : '',
    ...(typeof stack === 'string' && { stack }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...((cause !== undefined || has(thrown, 'cause')) && {
      cause: encodeInner(cause, inner),
    }),
    ...(Array.isArray(errors) &&
      (name === 'AggregateError' || thrown instanceof AggregateError) && {
        errors: Array.from(errors, (error) => encodeInner(error, inner)),
      }),
  };
}

function encodeInner(inner: unknown, above: readonly unknown[]): CarriedError {
  return encode(inner, above) ?? { kind: 'value', value: describe(inner) };
}

/** Copies a value by way of the codec, so that it surely can be carried. */
function copy(value: unknown): CarriedValue | undefined {
  // Memory for this value alone; a second round if it is larger, and no third
  // one for a value that grows while it is looked at.
  let heap = makeHeap(1024);
  const writer = new Writer(() => heap);
  let length = writer.writeOne(value, 0, heap.u8.length);
  if (length === DOES_NOT_FIT) {
    heap = makeHeap(writer.needed);
    length = writer.writeOne(value, 0, heap.u8.length);
  }
  if (length < 0) return undefined;
  return { kind: 'value', value: new Reader(() => heap).readOne(0, length) };
}

function makeHeap(size: number): Heap {
  const buffer = new ArrayBuffer(size);
  return { u8: new Uint8Array(buffer), i32: new Int32Array(buffer), buffer };
}

/** True for errors, those of other realms and DOMException included. */
function isError(value: unknown): value is object {
  try {
    if (value instanceof Error) return true;
    const tag = Object.prototype.toString.call(value);
    return tag === '[object Error]' || tag === '[object DOMException]';
  } catch {
    return false;
  }
}

// Properties may be accessors that throw; what they hide is left out.

function get(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function has(object: object, key: string): boolean {
  try {
    return key in object;
  } catch {
    return false;
  }
}

function describe(value: unknown): string {
  try {
    const text = String(value);
    if (!text.startsWith('[object ')) return text;
    const { constructor } = value as object;
    return `an object of class ${constructor.name}`;
  } catch {
    return 'a value that has no text';
  }
}

function headline(name: string, message: string): string {
  return message === '' ? name : `${name}: ${message}`;
}

/** Sets a property as the language sets those of an error. */
function hide(error: Error, key: string, value: unknown): void {
  const attributes = { configurable: true, writable: true };
  Object.defineProperty(error, key, { ...attributes, value });
}

/** Sets a property as a program sets it, so that it is printed. */
function show(error: Error, key: string, value: unknown): void {
  const attributes = { configurable: true, enumerable: true, writable: true };
  Object.defineProperty(error, key, { ...attributes, value });
}
