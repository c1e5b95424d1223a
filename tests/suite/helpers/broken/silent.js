// A worker that never serves.

setInterval(() => {}, 1e6);
