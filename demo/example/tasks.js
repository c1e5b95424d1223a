// Each function is a task. It runs on some worker, and its first
// parameter is its scope: what it launches there ends before it does.

export async function greet(scope, name) {
  await scope.delay(1000); // the worker is free meanwhile
  return `${name}, I'm executing in ${scope.workerName}`;
}
