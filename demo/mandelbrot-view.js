// The place that is looked at, and moving it: drag, wheel, pinch, keys.

const DEEPEST = 47; // doubles have no more digits
const WIDEST = 5;
/** How fast a zoom comes to its aim, and a throw to its end, per second. */
const ZOOM_SPEED = 14;
const FRICTION = 5;
/** A wheel that scrolls the page goes on doing so, this long after each turn. */
const WHEEL_PAUSE = 300;

export class View {
  /** The centre in the complex plane. A pixel is 2 ** -zoom wide. */
  x = 0;
  y = 0;
  zoom = 8;
  width = 1;
  height = 1;
  /** What zoom the view goes to, and the pixel that stays where it is. */
  aim = 8;
  anchor = [0, 0];
  speed = [0, 0];
  pointers = new Map();

  constructor(canvas) {
    this.canvas = canvas;
    this.calm = matchMedia('(prefers-reduced-motion: reduce)');
    this.listen();
  }

  resize(width, height) {
    const isFirst = this.width === 1;
    this.width = width;
    this.height = height;
    if (isFirst) this.home();
  }

  /** The whole set; the zoom is such that tiles are drawn one to one. */
  home() {
    this.x = -0.7;
    this.y = 0;
    this.zoom = Math.floor(2 * Math.log2(Math.min(this.width / 3.1, this.height / 2.4))) / 2;
    this.aim = this.zoom;
    this.speed = [0, 0];
    this.moved = true;
  }

  /** Where the view will be when it has come to its aim. */
  get target() {
    const { width, height, aim: zoom } = this;
    const [ax, ay] = this.anchor;
    const change = 2 ** -this.zoom - 2 ** -zoom;
    return { x: this.x + ax * change, y: this.y + ay * change, zoom, width, height };
  }

  panBy(dx, dy) {
    this.x -= dx * 2 ** -this.zoom;
    this.y -= dy * 2 ** -this.zoom;
    this.moved = true;
  }

  /** Zooms by powers of two, around a pixel as seen from the centre. */
  zoomBy(change, anchor = [0, 0]) {
    this.aim = Math.max(WIDEST, Math.min(DEEPEST, this.aim + change));
    this.anchor = anchor;
    this.moved = true;
  }

  setZoom(zoom, [ax, ay]) {
    const change = 2 ** -this.zoom - 2 ** -zoom;
    this.x += ax * change;
    this.y += ay * change;
    this.zoom = zoom;
  }

  /** Moves on by `ms`; tells whether anything has changed. */
  advance(ms) {
    const { moved } = this;
    this.moved = false;
    const rest = this.aim - this.zoom;
    if (rest !== 0) {
      const part = this.calm.matches ? 1 : 1 - Math.exp((-ZOOM_SPEED * ms) / 1000);
      this.setZoom(Math.abs(rest) < 0.002 ? this.aim : this.zoom + rest * part, this.anchor);
    }
    const [vx, vy] = this.speed;
    const isThrown = this.pointers.size === 0 && Math.hypot(vx, vy) > 0.01;
    if (isThrown) {
      this.panBy(vx * ms, vy * ms);
      const slower = Math.exp((-FRICTION * ms) / 1000);
      this.speed = [vx * slower, vy * slower];
      this.moved = false;
    }
    return moved || rest !== 0 || isThrown;
  }

  // ---- input

  /** A point of an event, in the canvas's pixels, as seen from its centre. */
  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const ratio = this.width / box.width;
    return [
      (event.clientX - box.left - box.width / 2) * ratio,
      (event.clientY - box.top - box.height / 2) * ratio,
    ];
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.point(event));
      this.speed = [0, 0];
      this.lastMove = event.timeStamp;
      this.aim = this.zoom;
    });
    canvas.addEventListener('pointermove', (event) => this.drag(event));
    for (const type of ['pointerup', 'pointercancel']) {
      canvas.addEventListener(type, (event) => {
        this.pointers.delete(event.pointerId);
        const isStill = event.timeStamp - this.lastMove > 60;
        if (isStill || this.calm.matches || this.pointers.size > 0) this.speed = [0, 0];
      });
    }
    canvas.addEventListener('dblclick', (event) => this.zoomBy(1, this.point(event)));
    canvas.addEventListener('keydown', (event) => this.key(event));
    let lastElsewhere = -Infinity;
    addEventListener(
      'wheel',
      (event) => {
        const goesOn = event.timeStamp - lastElsewhere < WHEEL_PAUSE;
        if (event.target !== canvas || (goesOn && !event.ctrlKey)) {
          lastElsewhere = event.timeStamp;
          return;
        }
        event.preventDefault();
        // Lines or pixels; a pinch on a touchpad comes as a wheel with Ctrl.
        const pixels = event.deltaMode === 1 ? event.deltaY * 33 : event.deltaY;
        const change = (-pixels / 200) * (event.ctrlKey ? 4 : 1);
        this.zoomBy(Math.max(-1, Math.min(1, change)), this.point(event));
      },
      { passive: false, capture: true },
    );
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.point(event);
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    if (this.pointers.size === 1) {
      this.panBy(dx, dy);
      const ms = Math.max(1, event.timeStamp - this.lastMove);
      this.speed = [0.6 * (dx / ms) + 0.4 * this.speed[0], 0.6 * (dy / ms) + 0.4 * this.speed[1]];
      this.lastMove = event.timeStamp;
    } else {
      // A pinch: the other finger stays where it is.
      const [other] = [...this.pointers].find(([id]) => id !== event.pointerId).slice(1);
      const far = ([x, y]) => Math.max(20, Math.hypot(x - other[0], y - other[1]));
      const zoom = this.zoom + Math.log2(far(now) / far(before));
      this.setZoom(Math.max(WIDEST, Math.min(DEEPEST, zoom)), other);
      this.aim = this.zoom;
      this.moved = true;
    }
    this.pointers.set(event.pointerId, now);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = this.height / 6;
    const actions = {
      ArrowLeft: () => this.panBy(far, 0),
      ArrowRight: () => this.panBy(-far, 0),
      ArrowUp: () => this.panBy(0, far),
      ArrowDown: () => this.panBy(0, -far),
      '+': () => this.zoomBy(0.5),
      '=': () => this.zoomBy(0.5),
      '-': () => this.zoomBy(-0.5),
      0: () => this.home(),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}
