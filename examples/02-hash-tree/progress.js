/**
 * The progress bar: one line at the bottom of a terminal.
 */
const FRAME_MS = 50; // 20 frames a second
const WINDOW = 40; // frames that the speed is taken from: two seconds
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_LINE = '\r\x1b[K';

const mega = (bytes) => (bytes / 1e6).toFixed(1);

function clock(seconds) {
  const whole = Math.ceil(seconds);
  const pad = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0
    ? `${hours}:${pad(minutes)}:${pad(whole % 60)}`
    : `${minutes}:${pad(whole % 60)}`;
}

/** The line's text, at most `columns` wide; `total` once it is known. */
export function render({ files, bytes, speed, total }, columns) {
  const rate = `${mega(speed)} MB/s`;
  if (!total) return `${files} files  ${mega(bytes)} MB  ${rate}`.slice(0, columns);
  const part = total.bytes > 0 ? Math.min(1, bytes / total.bytes) : 1;
  const left = speed > 0 ? clock(Math.max(0, total.bytes - bytes) / speed) : '-:--';
  const text =
    ` ${String(Math.floor(part * 100)).padStart(3)}%  ${files}/${total.files} files  ` +
    `${mega(bytes)}/${mega(total.bytes)} MB  ${rate}  ETA ${left}`;
  const width = Math.min(30, columns - text.length - 2);
  if (width < 5) return text.trimStart().slice(0, columns);
  const full = Math.round(part * width);
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]${text}`;
}

export class Progress {
  /**
   * @param stream - where to draw; nothing is drawn unless it is a terminal
   * @param look - gives `{ files, bytes, total }` as they are at the moment
   */
  constructor(stream, look) {
    this.stream = stream;
    this.look = look;
    this.samples = [];
    this.isShown = false;
  }

  start() {
    if (this.timer) return;
    this.stream.write(HIDE_CURSOR);
    this.timer = setInterval(() => this.draw(), FRAME_MS);
    this.timer.unref();
  }

  draw() {
    const now = performance.now();
    const { files, bytes, total } = this.look();
    this.samples.push({ now, bytes });
    if (this.samples.length > WINDOW) this.samples.shift();
    const [first] = this.samples;
    const seconds = (now - first.now) / 1000;
    const speed = seconds > 0 ? (bytes - first.bytes) / seconds : 0;
    // A terminal moves on to the next line after its last column: leave it.
    const text = render({ files, bytes, total, speed }, (this.stream.columns || 80) - 1);
    this.stream.write(CLEAR_LINE + text);
    this.isShown = true;
  }

  /** Makes room for a line of something else; the next frame comes by itself. */
  clear() {
    if (!this.isShown) return;
    this.stream.write(CLEAR_LINE);
    this.isShown = false;
  }

  /** Leaves the terminal as it was. May be called twice. */
  stop() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.clear();
    this.stream.write(SHOW_CURSOR);
  }
}
