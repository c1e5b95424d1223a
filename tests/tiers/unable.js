// What the suite asks of a tier that it cannot do: patterns of tests' full names,
// and why. Everything else has to pass in all tiers.

const noMemory = 'there is no memory to share with workers';
const noHandles = 'handles to channels, mutexes and the like stay on their thread';
const noStop = 'a worker that is busy hears of a cancellation when its step is over';
const busyPage = 'a page that is busy sends nothing to workers';
const noTrace = 'there is no record of what workers do';
const oneCore = 'all contexts of the tier have one core on the page';
const threadsOnly = 'is about the module with threads';
const workerChecks = "arguments of C are checked on the worker, as the task's failure";
const ownCounts = 'children are counted on their worker';
const namesOfC = 'the workers tell the names of what C exports';
const noRuntimes = 'a worker has a core of its own: there is nothing to build anew';
const noWorkerScopes = 'tasks are bound to workers where memory is shared';

// Seen in 2.50.
const isWebKit = Object.hasOwn(new Error(), 'sourceURL');
const copied = 'WebKit copies shared memory that is cloned on its way to a worker';

const isolated = [
  [/that may be killed > (releases who waits|gives its permit back|has delivered)/, noHandles],
  [/that may be killed > ends without a worker/, noStop],
  ...(isWebKit
    ? [
        [/^launching tasks > (runs on all workers|keeps the order on one)/, copied],
        [/^a job that may be killed > (?!ends by its timeout|has to say)/, copied],
        [/^a limited queue > (?!has room|does not count|takes good)/, copied],
        [/^priority > (?!is for)/, copied],
        [/^progress > (comes while|ends when)/, copied],
        [/^a stream > (lets the|ends|throws the cancellation|can be a child)/, copied],
        [/^a deadline > counts from/, copied],
        [/^workers that share nothing > (begin what|end with all)/, copied],
      ]
    : []),
  [/^the scope of a worker/, noWorkerScopes],
  [/^a context that a worker has died in/, noRuntimes],
  [/^shared arrays/, noMemory],
  [/^transferring > drops what a cancelled job was to get/, noMemory],
  [/^values of C > are pointers to shared arrays/, noMemory],
  [/^values of C > are checked/, workerChecks],
  [/^a channel between threads/, noHandles],
  [/^a broadcast > reaches all threads/, noHandles],
  [/^a handle to a job > is the same on a worker/, noHandles],
  [/^select with channels > (works across|refuses a value|never blocks)/, noHandles],
  [/^across workers/, noHandles],
  [/races (> )?between (sending, receiving|cancels and (waits|selects)|selects)/, noHandles],
  [/^cancelling a job > (gives the signal|stops a busy|makes ensureActive)/, noStop],
  [/^closing a context > cancels (everything|at the second)/, noStop],
  [/^closing in phases > ends all the rest/, noHandles],
  [/^closing in phases > (kills a loop in C|ends coroutines in C)/, noMemory],
  [/^closing in phases > lets work go on/, noStop],
  [/^coroutines and functions of C > are cancelled/, noMemory],
  [/^coroutines and functions of C > run without any task module/, namesOfC],
  [/^cancelling a job > reaches the whole tree/, ownCounts],
  [/^scopes, elements .* > case 6[78]/, busyPage],
  [/^looking at a context > traces/, noTrace],
  [/^a job of another WebAssembly module/, oneCore],
  [/^a handle to a job > cannot be used with jobs of another module/, oneCore],
  [/^two modules/, oneCore],
  [/^a module that does not load/, threadsOnly],
  [/^too little memory/, threadsOnly],
  [/^waking by messages > does without/, threadsOnly],
  [/^chaos/, noMemory],
  [/^a thread that was ended/, noMemory],
];

const noWorkers = 'there are no workers';
const blocks = 'a task that blocks would block the page with it';
const noName = "to C the page's thread is called 'main'";
const samePage = 'what a task leaves behind is left behind on the page';

const inline = [
  [/^the scope of a worker/, noWorkerScopes],
  [/^a context that a worker has died in/, noRuntimes],
  [/that may be killed > (?!has to say)/, blocks],
  [/^a limited queue > forgets at once/, blocks],
  [/^a deadline > (counts from|cancels a job that waits)/, blocks],
  [/^opening a context > starts \d of/, blocks],
  [/^scopes, elements .* > case 6[78]/, blocks],
  [/^closing a context > cancels (everything|at the second)/, blocks],
  [/^a timeout > (cancels a job that is busy|counts from the)/, blocks],
  [/^closing in phases > (?!is over at once|says what|leaves nothing)/, blocks],
  [/^closing a context > twenty times/, noWorkers],
  [/^a context without tasks > has a worker/, noWorkers],
  [/^a channel between threads > is freed with the worker/, noWorkers],
  [/^two modules > cannot have jobs in one tree/, oneCore],
  [/^coroutines and functions of C > are cancelled while they are busy/, blocks],
  [/^coroutines and functions of C > run without any task module/, noWorkers],
  [/^the contexts of a whole program/, blocks],
  [/^across workers > an owner is known/, noWorkers],
  [/^what a task leaves behind > goes on while the worker is busy/, blocks],
  [/^values of C > are text/, noName],
  [/^coroutines and functions of C > fail with a code/, noName],
  [/^scopes of a task on a worker > report a failure/, samePage],
  [/^a channel between threads > reports a hook/, samePage],
  [/^an error that (a task leaves behind|nobody catches)/, samePage],
  [/ > fails the job when the tasks are not known yet/, noWorkers],
  [/^launching .* > runs on all workers/, blocks],
  [/^cancelling a job > (gives the signal|stops a busy|makes ensureActive)/, blocks],
  [/^looking at a context > counts/, noWorkers],
  [/^looking at a context > traces/, noTrace],
  [/^a worker that d/, noWorkers],
  [/^chaos/, noWorkers],
  [/^a thread that was ended/, noWorkers],
  [/^a module that does not load/, threadsOnly],
  [/^too little memory/, threadsOnly],
];

const tables = { shared: [], isolated, inline };

/** Why a test cannot run in a tier; undefined if it can. */
export function reasonFor(tier, name) {
  return tables[tier]?.find(([pattern]) => pattern.test(name))?.[1];
}
