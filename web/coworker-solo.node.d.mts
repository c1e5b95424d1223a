import type { ModuleFactory } from './module.js';
/** Emscripten's glue for Node, without threads, made by `make wasm`. */
declare const factory: ModuleFactory;
export default factory;
