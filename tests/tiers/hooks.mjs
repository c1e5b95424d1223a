// Gives test files another `node:test`.

const wrapper = new URL('./node-test.mjs', import.meta.url).href;

export function resolve(specifier, context, next) {
  if (specifier === 'node:test' && context.parentURL?.includes('/tests/suite/')) {
    return { url: wrapper, shortCircuit: true };
  }
  return next(specifier, context);
}
