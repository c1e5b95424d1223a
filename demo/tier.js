// The tier of this page: the switch, and why there is no better one.

import { diagnose, setDefaultTier } from '../dist/index.js';
import { button, byId, element } from './dom.js';

/** The best one first. */
const TIERS = {
  shared: 'workers that share memory with this page',
  isolated: 'workers that share nothing; tasks and results travel as messages',
  inline: 'no workers: tasks run between the other work of this page',
};

/** Takes the tier that `?tier=` asks for, or the best that there is here. */
export async function chooseTier() {
  const asked = new URLSearchParams(location.search).get('tier');
  const lacks = new Map();
  for (const tier of Object.keys(TIERS)) {
    const report = await diagnose({ tier, tasks: {} });
    if (report.tier === tier) continue;
    const reasons = report.reasons.filter(({ code }) => code !== 'asked');
    lacks.set(tier, reasons);
  }
  const possible = Object.keys(TIERS).filter((tier) => !lacks.has(tier));
  const [best] = possible;
  if (!best) throw new Error(textOf(lacks.get('inline')));
  const tier = possible.includes(asked) ? asked : best;
  setDefaultTier(tier);
  document.body.dataset.tier = tier;
  showSwitch(tier, lacks);
  if (tier !== 'shared' || (asked && asked !== tier)) explain({ tier, asked, best, lacks });
}

function textOf(reasons) {
  return reasons.map(({ message, fix }) => `${message}; ${fix}.`).join(' ');
}

/** Those that the page cannot have say why to whoever comes to them. */
function showSwitch(current, lacks) {
  for (const tier of Object.keys(TIERS)) {
    const node = button(byId('tier-choice'), tier, () => {
      if (!lacks.has(tier)) switchTo(tier);
    });
    node.id = `tier-${tier}`;
    node.setAttribute('aria-pressed', String(tier === current));
    if (!lacks.has(tier)) continue;
    const why = element('span', 'unseen', `Not in this page: ${textOf(lacks.get(tier))}`);
    why.id = `${node.id}-why`;
    byId('tier-reasons').append(why);
    node.title = why.textContent;
    node.setAttribute('aria-disabled', 'true');
    node.setAttribute('aria-describedby', why.id);
  }
  byId('tier-words').textContent = TIERS[current];
}

/** Contexts keep their tier, so the page begins anew. */
function switchTo(tier) {
  const url = new URL(location.href);
  url.searchParams.set('tier', tier);
  if (url.href === location.href) location.reload();
  else location.assign(url);
}

/** Why it is not `shared`, or not what the address asks for. */
function explain({ tier, asked, best, lacks }) {
  const known = Object.hasOwn(TIERS, asked ?? '');
  const words = [];
  if (asked && asked !== tier) {
    words.push(
      `The address asks for “${asked}”, which ${known ? 'cannot be here' : 'is no tier'}.`,
    );
  }
  if (tier !== best) {
    words.push(`The address asks for it. The best that this page can have is “${best}”.`);
  }
  for (const [name, reasons] of lacks) {
    words.push(`Why not “${name}”: ${textOf(reasons)}`);
  }
  byId('notice-title').textContent = `This page runs in tier “${tier}”`;
  byId('notice-text').textContent = words.join(' ');
  const lacksHeaders = [...lacks.values()].flat().some(({ code }) => code === 'header');
  byId('notice-hint').hidden = !lacksHeaders;
  byId('notice').classList.add('calm');
  byId('notice').hidden = false;
}
