// Watches every HTTP server of this process.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';

const CHANNEL = 'http.server.response.finish';

/** Collects the answers with an error status until `stop()`. */
export function failedResponses() {
  const list = [];
  const note = ({ request, response }) => {
    if (response.statusCode >= 400) list.push(`${response.statusCode} ${request.url}`);
  };
  subscribe(CHANNEL, note);
  return { list, stop: () => unsubscribe(CHANNEL, note) };
}
