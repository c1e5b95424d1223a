// A worker whose script fails.

throw new Error('thrown at the start');
