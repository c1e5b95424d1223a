// The lanes of a context, where there is a trace to draw them from.

import { PoolView } from './pool-view.js';

/** Elsewhere the page says in the same place that there are none. */
const NONE = { show() {}, lose() {} };

/** @returns {{ show: (context?: object) => void, lose: (index: number) => void }} */
export function addLanes(host, options) {
  return document.body.dataset.tier === 'shared' ? new PoolView(host, options) : NONE;
}
