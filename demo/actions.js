// One row per button: what happened stands beside it.

import { button, element } from './dom.js';

export class Actions {
  constructor(host) {
    this.host = host;
  }

  /** @returns the row's button and the output beside it */
  row(id, text, hint, onClick) {
    const row = element('div', 'action');
    const node = button(row, text, onClick);
    node.id = id;
    const output = element('output', '', hint);
    output.id = `${id}-result`;
    output.htmlFor = id;
    row.append(output);
    this.host.append(row);
    return { button: node, output };
  }

  /** A button that cannot be pressed again before `run` gives what to show. */
  add(id, text, hint, run) {
    const parts = this.row(id, text, hint, async () => {
      parts.button.disabled = true;
      parts.output.textContent = 'Running…';
      try {
        parts.output.replaceChildren(...(await run()));
      } catch (error) {
        parts.output.replaceChildren(bad(String(error)));
      }
      parts.button.disabled = false;
    });
    return parts;
  }
}

export function strong(text) {
  return element('strong', '', text);
}

export function bad(text) {
  return element('span', 'bad', text);
}
