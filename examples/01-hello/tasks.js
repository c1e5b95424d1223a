export async function greet(scope, name) {
  await scope.delay(1000);
  console.log(`${name}, I'm executing in ${scope.workerName}`);
}
