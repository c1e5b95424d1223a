// A worker whose script cannot be read.

const = 5;
