import type { ModuleFactory } from './module.js';
/** Emscripten's glue for browsers, without threads, made by `make wasm`. */
declare const factory: ModuleFactory;
export default factory;
