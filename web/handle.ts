/**
 * Handles to objects of the core that several threads share.
 *
 * @module
 */
import { IllegalStateError, checkFunction, describe, noMemory } from './errors.js';
import type { LaunchRealm, Target } from './launch.js';
import type { Pointer } from './module.js';
import { refer, support } from './references.js';
import type { Reference } from './references.js';
import { rootScope } from './root-scope.js';
import { BaseScope } from './scope.js';

/** What a handle is made for: a reference to an object, which it takes over. */
export interface Given {
  readonly target: Target;
  readonly at: Pointer;
  /** The task that has got it as an argument. */
  readonly scope?: BaseScope | undefined;
}

/** A reference that a handle has; it is given back once. */
interface Held {
  readonly realm: LaunchRealm;
  readonly kind: number;
  at: Pointer;
}

/** All references of this thread. */
const held = new Set<Held>();

function giveBack(one: Held): void {
  if (!held.delete(one)) return;
  if (!one.realm.isOver) one.realm.module._cwb_object_drop(one.kind, one.at);
  one.at = 0;
}

const registry = new FinalizationRegistry<Held>(giveBack);

/** What all handles have in common. */
export abstract class Handle {
  /** @internal */
  readonly target: Target;
  /** @internal The scope that waits belong to unless a call names one. */
  protected readonly scope: BaseScope | undefined;
  /** A handle that this one is a view of. */
  private readonly base: Handle | undefined;
  private readonly held: Held;

  /** @internal */
  constructor(given: Given | Handle, kind: number, scope?: BaseScope) {
    this.target = given.target;
    if (given instanceof Handle) {
      this.base = given.base ?? given;
      this.held = given.held;
      this.scope = scope;
      return;
    }
    const { target, at } = given;
    if (at === 0) throw noMemory();
    this.scope = given.scope;
    this.held = { realm: target.realm, kind, at };
    held.add(this.held);
    registry.register(this, this.held, this);
  }

  /** @internal What the object is called in errors. */
  abstract readonly kind: string;

  /** @internal The object; throws once the handle is given up. */
  get at(): Pointer {
    const { at } = this.held;
    if (at !== 0) return at;
    throw new IllegalStateError(`coworker: this handle to a ${this.kind} was released`);
  }

  /**
   * Gives the handle up, after which its methods throw an
   * {@link IllegalStateError}; the object is there for those who have another.
   * It need not be called: what is forgotten is collected, but later.
   */
  dispose(): void {
    registry.unregister(this.base ?? this);
    giveBack(this.held);
  }

  /** @internal Others are about to get a handle, too. */
  protected share(): void {}

  /** @internal */
  [refer](realm: unknown): Reference {
    if (realm !== this.target.realm) {
      throw new TypeError(
        `coworker: this ${this.kind} belongs to another WebAssembly module; make one for each`,
      );
    }
    const { at } = this;
    this.share();
    return { kind: this.held.kind, at };
  }

  /**
   * @internal Runs `body` between waiting to enter and leaving, which it does
   * even if this handle is given up meanwhile.
   */
  protected async inside<R>(
    enter: () => Promise<void>,
    body: () => R | PromiseLike<R>,
    leave: (at: Pointer) => void,
  ): Promise<R> {
    checkFunction('body', body);
    const { module } = this.target.realm;
    const { kind } = this.held;
    const at = module._cwb_object_keep(kind, this.at);
    try {
      await enter();
      try {
        return await body();
      } finally {
        leave(at);
      }
    } finally {
      module._cwb_object_drop(kind, at);
    }
  }

  /** @internal The scope to wait in: the given one, the handle's, or none's. */
  protected waitIn(scope: BaseScope | undefined): BaseScope {
    if (scope === undefined) return this.scope ?? rootScope(this.target);
    return checkScope(scope);
  }
}

/** Throws unless the argument is a scope. */
export function checkScope(scope: unknown): BaseScope {
  if (scope instanceof BaseScope) return scope;
  throw new TypeError(
    `coworker: expected \`scope\` to be the scope of a task or function, got ${describe(scope)}`,
  );
}

// ---- handles in values

const makers: ((given: Given) => Handle)[] = [];

/** Lets values bring handles of a kind. */
export function registerHandle(kind: number, make: (given: Given) => Handle): void {
  makers[kind] = make;
}

function read(realm: LaunchRealm, kind: number, at: Pointer): Handle {
  const make = makers[kind];
  if (!make) throw new TypeError('coworker: a handle came of a class that is not imported here');
  realm.module._cwb_object_keep(kind, at);
  return make({ target: realm.own, at, scope: realm.receiver });
}

/** What stands in place of a handle while a value is cloned. */
const MARK = 'coworker.handle';

/** Replaces what `replace` knows in plain data; gives the same if there is nothing. */
function replaced(value: unknown, replace: (value: object) => unknown): unknown {
  const seen = new Map<object, unknown>();
  const visit = (one: unknown): unknown => {
    if (typeof one !== 'object' || one === null) return one;
    const known = seen.get(one);
    if (known !== undefined) return known;
    const other = replace(one);
    if (other !== undefined) return other;
    seen.set(one, one);
    if (Array.isArray(one)) {
      const copy = one.map(visit);
      if (copy.every((item, i) => Object.is(item, one[i]))) return one;
      seen.set(one, copy);
      return copy;
    }
    const prototype: unknown = Object.getPrototypeOf(one);
    if (prototype !== Object.prototype && prototype !== null) return one;
    const entries = Object.entries(one);
    const copies = entries.map(([key, item]) => [key, visit(item)] as const);
    if (copies.every(([, item], i) => Object.is(item, entries[i]![1]))) return one;
    const copy = Object.fromEntries(copies);
    seen.set(one, copy);
    return copy;
  };
  return visit(value);
}

support.handles = {
  read,
  deposit(realm, value, transfer) {
    const handles: Handle[] = [];
    const detached = replaced(value, (one) => {
      if (!(one instanceof Handle)) return undefined;
      let index = handles.indexOf(one);
      if (index < 0) {
        one[refer](realm); // or it says why not
        index = handles.push(one) - 1;
      }
      return { [MARK]: index + 1 };
    });
    const parcel = realm.deposit(detached, transfer);
    return handles.length > 0 ? [parcel, ...handles] : parcel;
  },
  claim(realm, sent, take) {
    if (typeof sent === 'string') {
      realm.claim(sent, take);
      return;
    }
    const put = (one: object): unknown => {
      const index = (one as Record<string, unknown>)[MARK];
      return typeof index === 'number' ? sent[index] : undefined;
    };
    realm.claim(sent[0], (value) => take(replaced(value, put)));
  },
  end() {
    for (const one of held) giveBack(one);
  },
};
