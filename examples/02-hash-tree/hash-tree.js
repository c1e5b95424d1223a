/**
 * Hashes a tree on a context's workers: keeps them busy, and puts what they
 * give back in order.
 */
import { BATCH_HEAD, MAX_PIECES, bytesHashed } from './batch.js';
import { batches, walk } from './walk.js';

/** Batches that a worker has: one to work on, and one to go on with at once. */
const BATCHES_PER_WORKER = 2;
/** Data of a batch: a few milliseconds of hashing. */
const BATCH_BYTES = 512 * 1024;
/**
 * Jobs that may have a result that waits for an earlier one: so many that the
 * others can go on for long beside a large file, and few enough to keep.
 */
const MAX_AHEAD = 4096;

/** The shared memory that it takes, in MiB. */
export function memoryFor(workers) {
  const batch = BATCH_HEAD + BATCH_BYTES;
  return 16 + workers + Math.ceil((workers * BATCHES_PER_WORKER * batch) / 2 ** 20);
}

export class HashTree {
  /** Files whose batch is done. */
  files = 0;
  /** `{ files, bytes }` of all there is to do, once known. */
  total;

  constructor(context, root) {
    this.context = context;
    this.root = root;
    this.buffers = Array.from({ length: context.workers * BATCHES_PER_WORKER }, () =>
      context.allocate(Uint8Array, BATCH_HEAD + BATCH_BYTES),
    );
    this.free = [...this.buffers];
  }

  /** Bytes that were hashed, also of files that are not done. */
  get bytes() {
    return this.buffers.reduce((sum, buffer) => sum + bytesHashed(buffer), 0);
  }

  /**
   * Looks up how much there is to do, for the progress bar.
   * @param scope - it stops with it
   */
  async survey(scope) {
    const total = { files: 0, bytes: 0 };
    for await (const { size, problem } of walk(scope, this.root)) {
      if (problem) continue;
      total.files++;
      total.bytes += size;
    }
    this.total = total;
  }

  /**
   * Hashes all files.
   *
   * @param scope - the jobs are its children: cancel it to stop everything
   * @yields `{ lines, problems }` in order, each as soon as it can be
   */
  async *run(scope) {
    const queue = []; // in the order of the output
    let ring;
    const wait = () => new Promise((resolve) => (ring = resolve));
    for await (const batch of batches(walk(scope, this.root), MAX_PIECES, BATCH_BYTES)) {
      if (batch.problem) {
        yield { lines: '', problems: [batch.problem] };
        continue;
      }
      // A worker takes turns between its jobs; but a large file is done, and
      // printed, sooner if it is the only one.
      const share = batch.bytes > BATCH_BYTES ? BATCHES_PER_WORKER : 1;
      for (;;) {
        while (queue[0]?.isCompleted) yield await queue.shift();
        if (this.free.length >= share && queue.length < MAX_AHEAD) break;
        await wait();
        scope.ensureActive();
      }
      const job = this.begin(scope, batch.paths, share);
      queue.push(job);
      void job.join().then(() => ring?.());
    }
    for (const job of queue) yield await job;
  }

  /** Starts a job that keeps so many of the buffers, and uses one. */
  begin(scope, paths, share) {
    const buffers = this.free.splice(-share);
    const job = scope.async(this.context, 'hashFiles', buffers[0], paths);
    void job.join().then(() => {
      this.free.push(...buffers);
      if (!job.isCancelled) this.files += paths.length;
    });
    return job;
  }
}
