// Measures how free the page's event loop is.

const INTERVAL = 4;
const WINDOW = 5000;

/**
 * Tells of the longest time in the last seconds that the event loop was
 * blocked: by how much a timer that comes every 4 ms was late.
 *
 * @param {(longest: number, frames: number) => void} show gets milliseconds and
 *   frames per second, twice a second
 */
export function watchEventLoop(show) {
  // One value for each half second.
  const longest = new Array(WINDOW / 500).fill(0);
  let due = performance.now() + INTERVAL;
  let frames = 0;
  let lastShown = performance.now();

  setTimeout(function tick() {
    const now = performance.now();
    longest[0] = Math.max(longest[0], now - due);
    due = now + INTERVAL;
    setTimeout(tick, INTERVAL);
  }, INTERVAL);

  requestAnimationFrame(function frame() {
    frames++;
    requestAnimationFrame(frame);
  });

  setInterval(() => {
    const now = performance.now();
    show(Math.max(...longest), (frames * 1000) / (now - lastShown));
    frames = 0;
    lastShown = now;
    longest.pop();
    longest.unshift(0);
  }, 500);

  // Browsers slow the timers of hidden pages down.
  document.addEventListener('visibilitychange', () => {
    longest.fill(0);
    due = performance.now() + 1000;
  });
}
