/**
 * A worker with a core of its own: it is sent tasks, runs them as jobs of that
 * core, and sends back how they ended.
 *
 * @module
 */
import { registerHandles } from './all-handles.js';
import { forEach, isBatch, unpack } from './batch.js';
import type { Packed } from './batch.js';
import { carry, handlesError, revive } from './carried.js';
import { encodeError } from './codec.js';
import type { Carried } from './carried.js';
import { setCurrentTarget } from './current.js';
import { StartError } from './errors.js';
import { Answers } from './isolated-answers.js';
import { Teller } from './isolated-teller.js';
import { Errand, elementsFor, noRoom } from './isolated-work.js';
import type { Order } from './isolated-work.js';
import { Target, launch } from './launch.js';
import * as layout from './layout.gen.js';
import { Memory } from './memory.js';
import { nativeNames } from './native-names.js';
import type { CoreModule, ModuleFactory, Pointer } from './module.js';
import { Outlet } from './outlet.js';
import * as progress from './progress.js';
import type { ProgressModule } from './progress.js';
import * as protocol from './protocol.js';
import type { FromIsolated, MoreWork, ToIsolated } from './protocol.js';
import type { Sent } from './references.js';
import { RootRealm } from './root-realm.js';
import { strayed } from './stray.js';
import { TaskRunner } from './task-runner.js';
import type { TaskModule } from './task-runner.js';
import type { WorkerHost } from './worker-realm.js';
import { partsOf } from './worker-realm.js';

/** So many of its tasks are at work at a time: any number, since others wait for nothing here. */
const PLACES = 0x7fffffff;
const PAGE = 65536;
/** How often a body that does not wait tells of itself. */
const TELL_EVERY_MS = 1;

export class IsolatedRealm extends RootRealm {
  private readonly host: WorkerHost;
  private readonly tasks: TaskModule;
  private target!: Target;
  private workerName = '';
  /** By their numbers, which the page uses again. */
  private readonly errands: (Errand | undefined)[] = [];
  private readonly names: string[] = [];
  private readonly answers = new Answers(this, (message, transfer) => this.post(message, transfer));
  private readonly teller = new Teller(this.answers);
  /** Those that somebody listens to, by their jobs. */
  private readonly heard = new Map<Pointer, Errand>();

  constructor(tasks: TaskModule, host: WorkerHost) {
    super();
    registerHandles();
    this.tasks = tasks;
    this.host = host;
    this.afterTurn.add(() => this.teller.soon());
  }

  private post(message: FromIsolated | string, transfer?: Transferable[]): void {
    this.host.post(typeof message === 'string' ? message : protocol.seal(message), transfer);
  }

  // ---- coming and going

  /** Loads the core and begins, as a message says. */
  async begin(data: unknown, factory: ModuleFactory | undefined): Promise<void> {
    const message = protocol.open<ToIsolated>(data);
    if (message?.type !== 'begin') return;
    this.workerName = message.name;
    try {
      if (!factory) {
        throw new TypeError(
          'coworker: serve() of coworker/worker-core needs the module without threads, too, for tier ' +
            "'isolated': serve(tasks, module, solo)",
        );
      }
      const pages = (mebibytes: number) => Math.ceil((mebibytes * 1024 * 1024) / PAGE);
      const memory = new WebAssembly.Memory({
        initial: pages(message.memory),
        maximum: pages(message.maximumMemory),
      });
      const { wasmUrl } = message;
      const module = (await factory({
        coworker: this,
        wasmMemory: memory,
        ...(wasmUrl === undefined ? {} : { locateFile: () => wasmUrl }),
      })) as CoreModule;
      if (typeof module._cwb_abi !== 'function' || module._cwb_abi() !== layout.ABI) {
        throw new TypeError('the WebAssembly module does not hold the core of this version');
      }
      this.module = module;
      this.self = module._cwb_init(1);
      if (this.self === 0) throw noRoom();
      this.home = module._cwb_home_address();
      this.attach(module, memory, { wakeByMessage: true });
      this.own = new Target(this, module._cwb_main_context(), 'main');
      setCurrentTarget(this.own);
      this.writeBytes(Memory.encode(`${message.name}\0`));
      module._cwb_name_main();
      const at = module._cwb_context_lodge(PLACES);
      if (at < 0) throw noRoom();
      this.target = new Target(this, at, message.context, true);
      const runner = new TaskRunner(this.target, this.tasks, () => message.name);
      runner.outlet = (scope, credit) => this.openOutlet(scope.job.address, credit);
      this.bodies.set(at, {
        run: (job, ...rest) => {
          this.teller.begins(job);
          return runner.run(job, ...rest);
        },
      });
      this.post({ type: 'ready', tasks: [...this.target.tasks!, ...nativeNames(module)] });
      this.pumpNow();
    } catch (error) {
      this.post({ type: 'failed', ...partsOf(error), outOfMemory: error instanceof StartError });
    }
  }

  /** Hears what the host got; messages of others pass by. */
  hear(data: unknown): void {
    const { teller } = this;
    teller.isHearing = true;
    this.pumpComes();
    try {
      this.take(data);
    } finally {
      this.pumpNow();
      teller.isHearing = false;
    }
    teller.next();
  }

  private take(data: unknown): void {
    if (isBatch(data)) {
      this.work(data, undefined);
      return;
    }
    const message = protocol.open<ToIsolated>(data);
    if (message?.type === 'work') this.work(message.work, message.more);
    else if (message?.type === 'close') this.module._cw_context_close(this.target.context);
  }

  // ---- work

  private work(work: Packed, more: MoreWork | undefined): void {
    this.answers.begin();
    const values = protocol.byId(more?.values);
    const inherited = protocol.byId(more?.inherited);
    if (more) for (const [number, name] of more.names) this.names[number] = name;
    let causes = 0;
    forEach(unpack(work), (id, what, words, at, length) => {
      if (what & (protocol.WORK_CANCEL | protocol.WORK_CANCEL_CHILDREN)) {
        this.cancel(id, what, more!.causes[causes++]!);
        return;
      }
      if (what & protocol.WORK_HEARD) {
        const open = this.errands[id];
        if (what === protocol.WORK_TAKEN) open?.outlet?.taken();
        else if (open) this.hearOf(open);
        return;
      }
      const errand = new Errand(this, id, this.names[what & protocol.WORK_NUMBER]!);
      this.errands[id] = errand;
      this.teller.add(errand, (what & protocol.WORK_TELL) !== 0);
      try {
        const value = values?.get(id);
        const data = inherited?.get(id) as Uint8Array | undefined;
        const limits = more?.limits.find(([whose]) => whose === id);
        this.launch(errand, { what, words, at, length, value, inherited: data, limits });
      } catch (error) {
        this.refuse(errand, error);
      }
    });
  }

  private launch(errand: Errand, order: Order): void {
    const { module, target } = this;
    const found = target.find(errand.name);
    if (typeof found !== 'number') {
      this.launchNative(errand, order);
      return;
    }
    const { what, inherited, limits } = order;
    errand.isLimited = limits !== undefined;
    const given = elementsFor(this, inherited, limits);
    let flags = layout.LAUNCH_ASYNC;
    if (what & protocol.WORK_ATOMIC) flags |= layout.LAUNCH_ATOMIC;
    let { length } = order;
    if (what & protocol.WORK_ENCLOSED) {
      flags |= layout.LAUNCH_MESSAGE;
      const parcel = `sent:${errand.id}`;
      this.parcels.deposit(parcel, order.value, []);
      length = this.encodeOne(parcel);
    } else {
      this.writeWords(order.words, order.at, length);
    }
    const token = this.takeToken(errand);
    errand.at = module._cwb_launch(target.context, 0, found, flags, token, length, given);
    if (given !== 0) module._cw_elements_release(given);
    if (what & protocol.WORK_LISTEN) this.hearOf(errand);
    if (errand.at !== 0) return;
    this.dropToken(token);
    throw noRoom();
  }

  /** A coroutine of C: its argument and result have other forms. */
  private launchNative(errand: Errand, { what, words, at, length, value }: Order): void {
    let args = value as unknown[];
    if (!(what & protocol.WORK_ENCLOSED)) {
      this.writeWords(words, at, length);
      args = length === 0 ? [] : this.reader.read(this.scratchAt, length);
    }
    if (errand.tells) this.teller.begun(errand); // nobody is told when C begins
    const job = launch<unknown>(this.target, 0, layout.LAUNCH_ASYNC, undefined, errand.name, args);
    errand.at = job.retain();
    const { id } = errand;
    job.then(
      (result) => {
        this.leave(errand);
        this.answers.addValue(id, protocol.ANSWER_ENCLOSED, result);
        this.teller.soon();
      },
      (error: unknown) => this.refuse(errand, error),
    );
  }

  private cancel(id: number, what: number, cause: Carried): void {
    const errand = this.errands[id];
    if (!errand || errand.at === 0) return;
    const { module } = this;
    const error = this.errors.takeCause(revive(cause));
    if (what & protocol.WORK_CANCEL) {
      errand.wasCancelled = true;
      module._cw_cancel(errand.at, error);
    } else {
      module._cw_cancel_children(errand.at, error);
    }
    module._cw_error_release(error);
  }

  // ---- answers

  private leave(errand: Errand): void {
    this.errands[errand.id] = undefined;
    this.teller.delete(errand);
    if (errand.isHeard) this.heard.delete(errand.at);
    if (errand.at !== 0) this.module._cwb_job_drop(errand.at);
    errand.at = 0;
  }

  /** It cannot be run, or its result cannot be sent. */
  private refuse(errand: Errand, error: unknown): void {
    const pointer = this.errors.take(error);
    this.tellError(errand, pointer);
    this.module._cw_error_release(pointer);
    this.teller.soon();
  }

  private tellError(errand: Errand, error: Pointer): void {
    const { id } = errand;
    const { wasCancelled, isLimited } = errand;
    const told =
      (wasCancelled || isLimited) && this.module._cw_error_code(error) === layout.CW_ECANCELED;
    const where = { task: errand.name, worker: this.workerName };
    const what = told ? protocol.ANSWER_CANCELLED : protocol.ANSWER_ERROR;
    this.answers.addValue(id, what, carry(this, error, where));
    this.leave(errand);
  }

  /** A task has ended. */
  answer(errand: Errand, outcome: number, data: Pointer, length: number): void {
    const { id } = errand;
    const kind = outcome & 7;
    if (kind === layout.OUTCOME_ERROR || kind === layout.OUTCOME_CANCELLED) {
      this.tellError(errand, data);
      return;
    }
    if (outcome & layout.OUTCOME_REFERS) {
      this.refuse(errand, handlesError('the result of a task'));
      return;
    }
    if (kind === layout.OUTCOME_MESSAGE) {
      const parcel = this.reader.readOne(data, length) as Sent & string;
      this.parcels.claim(parcel, (value, transfer) => {
        this.answers.addValue(id, protocol.ANSWER_ENCLOSED, value, transfer);
      });
    } else {
      this.answers.addBytes(id, protocol.ANSWER_VALUE, data, length);
    }
    this.leave(errand);
  }

  // ---- progress

  private hearOf(errand: Errand): void {
    if (errand.at === 0) return;
    errand.isHeard = true;
    this.heard.set(errand.at, errand);
  }

  private openOutlet(job: Pointer, credit: number): Outlet {
    const errand = this.heard.get(job)!;
    return (errand.outlet = new Outlet(credit, (value) => this.tellAway(job, value)));
  }

  /** Goes off at once if it is the first for a while: the body may not wait for long. */
  override readonly tellAway = (job: Pointer, value: unknown): void => {
    const errand = this.heard.get(job);
    if (!errand) return;
    this.answers.tell(errand.id, value);
    if (this.answers.age >= TELL_EVERY_MS) this.answers.send();
    else this.teller.soon();
  };

  // ---- the rest of a realm

  protected get nameOfWorker(): string {
    return this.workerName;
  }

  loadProgress(): Promise<ProgressModule> {
    return Promise.resolve(progress);
  }

  workerLost(): void {}
  endContext(): void {}
  startAgain(): number {
    return 0;
  }

  wakingFlags(): number {
    return 0;
  }

  wake(): void {
    this.wakeHere();
  }

  /** An error that nobody caught, of something that a task has begun. */
  stray(error: unknown): void {
    strayed(this, error, this.workerName, () => this.report(error));
  }

  report(error: unknown): void {
    const parts = encodeError(error, { worker: this.workerName });
    this.post({ type: 'stray', error: { error: parts, suppressed: [] } });
  }

  protected crashed(error: unknown): void {
    this.post({ type: 'crashed', ...partsOf(error) });
  }

  protected nextTurn(callback: () => void): void {
    this.host.nextTurn(callback);
  }

  protected busyChanged(): void {}
}
