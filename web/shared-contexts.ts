/**
 * The contexts that a whole program shares.
 *
 * @module
 */
import { openContext } from './open-context.js';
import type { FixedWorkerContext } from './context.js';
import { environment } from './environment.js';
import { expected } from './errors.js';
import type { ContextOptions } from './options.js';
import type { AnyTasks } from './types.js';
import type { ContextView } from './view.js';

/** How {@link ioContext} is opened. */
export interface IOOptions extends ContextOptions {
  /**
   * How many blocking tasks run at once, if there are workers for them.
   * @default 64, or the number of processors if that is more
   */
  readonly limit?: number;
}

let opened: Promise<FixedWorkerContext> | undefined;
let openedIO: Promise<ContextView> | undefined;

function atFirst<T>(made: Promise<T>, forget: () => void): Promise<T> {
  made.catch(forget); // a start that failed may be tried again
  return made;
}

/**
 * The context for computing that a whole program shares: a worker for each
 * processor, at least two. The first call opens it, with its options; it stays
 * open, but does not keep a Node process from ending.
 *
 * @throws the same as {@link newFixedWorkerContext}
 * @example
 * const Default = await defaultContext({ worker });
 * const sum = await Default.async('add', 1, 2);
 */
export function defaultContext<M extends object = AnyTasks>(
  options: ContextOptions = {},
): Promise<FixedWorkerContext<M>> {
  const open = async () => {
    const workers = Math.max(2, environment().cores);
    const context = await openContext<AnyTasks>(workers, 'default', options, true);
    context.become('default');
    return context;
  };
  opened ??= atFirst(open(), () => (opened = undefined));
  return opened as unknown as Promise<FixedWorkerContext<M>>;
}

/**
 * The context for what blocks a thread, such as synchronous calls of the file
 * system. In Node it has workers of its own, so that it never keeps Default's
 * from computing; on a page, where next to nothing blocks, it is a view of
 * Default. The first call opens it.
 *
 * @throws the same as {@link newFixedWorkerContext}; RangeError (rejects) for a
 * limit that is no integer from 1 and up
 */
export function ioContext<M extends object = AnyTasks>(
  options: IOOptions = {},
): Promise<ContextView<M>> {
  const open = async () => {
    const { cores, ioWorkers } = environment();
    const { limit = Math.max(64, cores) } = options;
    if (!Number.isInteger(limit) || limit < 1) {
      throw new RangeError(expected('options.limit', 'an integer from 1 and up', limit));
    }
    const base =
      ioWorkers === 0
        ? await defaultContext(options)
        : await openContext<AnyTasks>(ioWorkers, 'io', options, true);
    if (ioWorkers > 0) base.become('io');
    return base.limitedParallelism(limit, 'io');
  };
  openedIO ??= atFirst(open(), () => (openedIO = undefined));
  return openedIO as unknown as Promise<ContextView<M>>;
}
