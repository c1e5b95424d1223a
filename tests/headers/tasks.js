// What the page of the header situations runs.

export const add = (scope, left, right) => left + right;
export const where = (scope) => [scope.workerName];
