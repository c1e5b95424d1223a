// The application that each tool builds, and what it has to come to.

/** What its page finds in every tier, besides the tier. */
export const EXPECTED = {
  sum: 5,
  inverted: [1, 'one'],
  nested: [2, 3, 4],
  workers: ['app-1', 'app-2'],
  failed: [true, 'wrong', 'fail'],
  cancelled: true,
  left: 0,
  c: [55, 3],
  tabs: ['host', 'client', 3, 7, 'host'],
};

/**
 * The files of its module in C, which is the suite's: `make suite-modules`.
 *
 * @param {'' | '.node'} [host] whose glue it is
 * @returns {Record<string, string>} where they go, and where they come from
 */
export function moduleOf(host = '') {
  const files = {};
  for (const name of ['native', 'native-solo']) {
    files[`${name}.mjs`] = `build/tests/${name}${host}.mjs`;
    // By this name the glue looks for it.
    files[`${name}${host}.wasm`] = `build/tests/${name}${host}.wasm`;
  }
  return files;
}
