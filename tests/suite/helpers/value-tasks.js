// Tasks about what is passed: arguments, results, and what they throw.

import { library } from './library.js';

const { transfer } = library;

// ---- values

export const add = (scope, left, right) => left + right;
export const echo = (scope, value) => value;
export const list = (scope, ...args) => args;
export const count = (scope, ...args) => args.length;
export const later = async (scope, value) => {
  await null;
  return value;
};
export const thenable = (scope, value) => ({
  then(resolve) {
    resolve(value);
  },
});
export const kindOf = (scope, value) => Object.prototype.toString.call(value);
export const sendFunction = (scope) => scope.async('echo', () => {});
export const makeFunction = () => () => {};
export const makeBuffer = (scope, bytes) => {
  const buffer = new ArrayBuffer(bytes);
  new Uint8Array(buffer).fill(7);
  return transfer(buffer, [buffer]);
};
/** Sends a buffer away and tells how long it is afterwards. */
export const sendAndLook = async (scope) => {
  const buffer = new ArrayBuffer(16);
  const length = scope.async({ transfer: [buffer] }, 'byteLength', buffer);
  return [buffer.byteLength, await length];
};
export const byteLength = (scope, buffer) => buffer.byteLength;
export const sum = (scope, array) => array.reduce((a, b) => a + b, 0);
export const fill = (scope, array, value) => {
  array.fill(value);
};
export const answerPort = (scope, port) => {
  port.postMessage('from the worker');
  port.close();
};
export const blobText = (scope, blob) => blob.text();
/** Keeps a lock for as long as the thread lives, where there are locks. */
export const holdLock = (scope, name) =>
  new Promise((resolve) => {
    void navigator.locks.request(name, () => {
      resolve();
      return new Promise(() => {});
    });
  });

// ---- failures

export function fail(scope, message) {
  throw new RangeError(message);
}
export async function failLater(scope, message) {
  await scope.yield();
  throw new RangeError(message);
}
export function failWithCause() {
  throw new Error('outer', {
    cause: new TypeError('middle', { cause: 'inner' }),
  });
}
export function failWithAggregate() {
  throw new AggregateError([new RangeError('one'), 'two'], 'several');
}
class CustomError extends Error {
  name = 'CustomError';
  code = 'E_CUSTOM';
}
export function failWithClass() {
  throw new CustomError('mine');
}
export function throwValue(scope, value) {
  throw value;
}
export function throwFunction() {
  throw function named() {};
}
export function rejectFalsy() {
  return Promise.reject();
}
