/**
 * Which page is better host than another: one that can share memory than one that
 * cannot, and one that is looked at than one that was not for some time.
 *
 * The first never turns round, and the second takes its time anew for each host. So
 * pages do not take the place from each other in turns.
 *
 * @module
 */

/** What a page prefers. */
export interface PreferenceOptions {
  /** A page that can share memory with its workers to one that cannot. */
  readonly preferIsolated: boolean;
  /** A visible page to one that was hidden for so many milliseconds; Infinity: not. */
  readonly preferVisible: number;
}

/** What a page is like. */
export interface Qualities {
  readonly isShared: boolean;
  readonly isVisible: boolean;
}

/** As a HELLO says that a page would rather be host, and what it is like. */
const WANTS = 1;
const IS_SHARED = 2;
const IS_VISIBLE = 4;

export function bitsOf({ isShared, isVisible }: Qualities): number {
  return WANTS | (isShared ? IS_SHARED : 0) | (isVisible ? IS_VISIBLE : 0);
}

/** What such bits say; undefined: nothing that there is. */
export function qualitiesOf(bits: number): Qualities | undefined {
  if ((bits & WANTS) === 0 || bits > (WANTS | IS_SHARED | IS_VISIBLE)) return undefined;
  return { isShared: (bits & IS_SHARED) !== 0, isVisible: (bits & IS_VISIBLE) !== 0 };
}

/** What a preference tells others. */
export interface Voice {
  /** This host would rather not be it. */
  offer(): void;
  /** This page would rather be host. */
  want(qualities: Qualities): void;
  /** That page is to be host. */
  yieldTo(page: string): void;
}

const page = () => (globalThis as { document?: Document }).document;

const isVisible = () => page()?.visibilityState === 'visible';

export class Preference {
  private readonly options: PreferenceOptions;
  private readonly canShare: () => boolean;
  private readonly voice: Voice;
  /** As host: whether it shares memory. */
  private hosts: { isShared: boolean } | undefined;
  private wasHidden = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param canShare - whether this page could share memory as host */
  constructor(options: PreferenceOptions, canShare: () => boolean, voice: Voice) {
    this.options = options;
    this.canShare = canShare;
    this.voice = voice;
    page()?.addEventListener('visibilitychange', this.changed);
  }

  close(): void {
    page()?.removeEventListener('visibilitychange', this.changed);
    clearTimeout(this.timer);
  }

  private readonly changed = (): void => {
    if (this.hosts) this.watch();
    else if (isVisible()) this.apply(undefined);
  };

  // ---- as host

  /** This page has a pool; undefined: it has none any more. */
  hosting(pool: { isShared: boolean } | undefined): void {
    this.hosts = pool;
    this.watch();
  }

  /** Notes when it was hidden for long enough. */
  private watch(): void {
    const { preferVisible } = this.options;
    clearTimeout(this.timer);
    this.wasHidden = false;
    if (!this.hosts || page()?.visibilityState !== 'hidden' || preferVisible === Infinity) return;
    this.timer = setTimeout(() => {
      this.wasHidden = true;
      this.voice.offer();
    }, preferVisible);
  }

  /** Another page would rather be host. */
  wanted(from: string, { isShared, isVisible }: Qualities): void {
    const { hosts, wasHidden } = this;
    if (!hosts) return;
    const { preferIsolated } = this.options;
    const isWorse = preferIsolated && hosts.isShared && !isShared;
    const isBetter = preferIsolated && isShared && !hosts.isShared;
    if (isBetter || (isVisible && wasHidden && !isWorse)) this.voice.yieldTo(from);
  }

  // ---- as client

  /**
   * Asks to be host if there is a reason to.
   * @param isShared - whether the host shares memory, if that is known
   */
  apply(isShared: boolean | undefined): void {
    const { preferIsolated, preferVisible } = this.options;
    const qualities = { isShared: this.canShare(), isVisible: isVisible() };
    const isBetter = preferIsolated && qualities.isShared && isShared === false;
    const isNearer = preferVisible !== Infinity && qualities.isVisible;
    if (isBetter || isNearer) this.voice.want(qualities);
  }
}
