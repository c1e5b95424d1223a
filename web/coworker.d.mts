import type { ModuleFactory } from './module.js';
/** Emscripten's glue for browsers, made by `make wasm`. */
declare const factory: ModuleFactory;
export default factory;
