// A row of the table: what was measured, against what, and whether it is enough.

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} unit
 * @property {number} coworker
 * @property {Record<string, number>} [peers]
 * @property {number} [ratio] what the goal looks at, if it is not `coworker`
 * @property {string} [goal] as text: `<= 1.25 x raw Atomics`
 * @property {boolean} [met]
 */

/** Makes a row whose goal is a limit for its value. */
export function row(name, unit, coworker, { atMost, ...rest } = {}) {
  const goal = atMost === undefined ? {} : { goal: `<= ${atMost}`, met: coworker <= atMost };
  return { name, unit, coworker, peers: {}, ...rest, ...goal };
}

export function formatNumber(value) {
  if (value === undefined || Number.isNaN(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

function cells({ name, unit, coworker, peers, ratio, goal, met }) {
  const others = Object.entries(peers ?? {})
    .map(([peer, value]) => `${peer} ${formatNumber(value)}`)
    .join(', ');
  const verdict = met === undefined ? '' : met ? 'yes' : 'NO';
  return [
    name,
    formatNumber(coworker),
    unit,
    ratio ? formatNumber(ratio) : '',
    goal ?? '',
    verdict,
    others,
  ];
}

/** The rows as text. */
export function table(rows) {
  const head = ['', 'coworker', '', 'ratio', 'goal', 'met', 'others'];
  const lines = [head, ...rows.map(cells)];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const numeric = new Set([1, 3]);
  return lines
    .map((line) =>
      line
        .map((cell, i) => (numeric.has(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
