// The package, for helpers that the main thread and workers load. They cannot
// import it by one name: workers in browsers know no import maps, and in Node its
// parts are not in the files that browsers load. So whoever loads them has filled
// this before.

export const library = {};
