import * as Comlink from '/node_modules/comlink/dist/esm/comlink.mjs';

Comlink.expose({ add: (a, b) => a + b });
