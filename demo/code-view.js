// Shows source files in tabs: the text of the very files that run.

import { element } from './dom.js';

const TOKEN =
  /(?<comment>\/\/.*)|(?<string>'[^'\n]*'|`[^`]*`)|(?<keyword>\b(?:import|export|from|as|const|let|for|of|in|new|return|async|await|function|if|throw|try|finally|true|false)\b)|(?<number>\b\d[\d_]*\b)/g;

/** The source as nodes, with its comments, strings and so on marked. */
function highlight(source) {
  const nodes = [];
  let end = 0;
  for (const match of source.matchAll(TOKEN)) {
    const [kind, text] = Object.entries(match.groups).find(([, value]) => value !== undefined);
    nodes.push(source.slice(end, match.index), element('span', kind, text));
    end = match.index + text.length;
  }
  nodes.push(source.slice(end));
  return nodes;
}

async function load(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers with status ${response.status}`);
  return response.text();
}

/**
 * @param {HTMLElement} host
 * @param {string} folder where the files are, with a slash at its end
 * @param {string[]} files
 */
export async function showCode(host, folder, files) {
  const tabs = element('div', 'tabs');
  tabs.setAttribute('role', 'tablist');
  tabs.setAttribute('aria-label', 'Source files');
  const pre = element('pre');
  pre.id = 'code-text';
  pre.tabIndex = 0;
  pre.setAttribute('role', 'tabpanel');
  const code = element('code');
  pre.append(code);
  host.append(tabs, pre);

  const sources = await Promise.all(files.map((file) => load(folder + file)));
  const buttons = files.map((file, index) => {
    const tab = element('button', '', file);
    tab.type = 'button';
    tab.setAttribute('role', 'tab');
    tab.setAttribute('aria-controls', pre.id);
    tab.id = `tab-${index}`;
    tab.addEventListener('click', () => select(index));
    tab.addEventListener('keydown', ({ key }) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (move) select((index + move + files.length) % files.length).focus();
    });
    tabs.append(tab);
    return tab;
  });

  function select(index) {
    code.replaceChildren(...highlight(sources[index]));
    pre.setAttribute('aria-labelledby', buttons[index].id);
    for (const [i, tab] of buttons.entries()) {
      tab.setAttribute('aria-selected', String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    }
    return buttons[index];
  }
  select(0);
}
