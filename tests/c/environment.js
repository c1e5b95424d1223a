// Linked before the C tests' WebAssembly: getenv() sees what Node's process has.
/* global Module, ENV */
Module.preRun = () => Object.assign(ENV, process.env);
