// Small helpers for the page's elements and numbers.

/** An element with a class and a text. */
export function element(tag, className = '', text = '') {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

/** A button, which is added to `parent`. */
export function button(parent, text, onClick) {
  const node = element('button', '', text);
  node.type = 'button';
  node.addEventListener('click', onClick);
  parent.append(node);
  return node;
}

/** One of several buttons looks pressed. */
export function press(group, chosen) {
  for (const node of group.children) node.setAttribute('aria-pressed', String(node === chosen));
}

export function byId(id) {
  return document.getElementById(id);
}

/** A time in a form that is easy to read: `820 µs`, `4.2 ms`, `1.03 s`. */
export function duration(ms) {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}

const format = new Intl.NumberFormat('en');

/** A number with its thousands apart. */
export function count(number) {
  return format.format(number);
}

/** What is in a list of news at most. */
const LINES = 8;

/** A function that puts lines at the end of a list, with the time since then. */
export function newsIn(list) {
  const opened = performance.now();
  return (text, className = '') => {
    const line = element('li', className);
    const at = ((performance.now() - opened) / 1000).toFixed(3);
    line.append(element('span', 'time', `${at} s`), ' ', text);
    list.append(line);
    while (list.children.length > LINES) list.firstChild.remove();
  };
}

/**
 * Fills a list with one bar per row: [label, part from 0 to 1, text]. Rows that
 * are there already are changed, so that nothing flickers.
 */
export function showBars(list, rows) {
  while (list.children.length > rows.length) list.lastChild.remove();
  for (const [index, [label, part, text]] of rows.entries()) {
    let row = list.children[index];
    if (!row) {
      row = element('div');
      const track = element('dd', 'track');
      track.append(element('i'));
      row.append(element('dt'), track, element('dd'));
      list.append(row);
    }
    const [name, track, value] = row.children;
    if (name.textContent !== label) name.textContent = label;
    if (value.textContent !== text) value.textContent = text;
    track.firstChild.style.width = `${Math.round(part * 1000) / 10}%`;
  }
}
