// WebKitGTK's MiniBrowser on a virtual display.

import { createServer } from 'node:net';
import { findProgram, startGroup, temporaryFolder } from './processes.mjs';
import { send, WebDriverBrowser } from './webdriver.mjs';

const HOST = '127.0.0.1';

function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, HOST, () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Starts an X server on a display number that it finds by itself. */
async function startDisplay({ width, height }) {
  const program = findProgram('Xvfb');
  if (!program) throw new Error('Xvfb not found');
  // A margin for the browser window's own frame and bars.
  const screen = `${width + 400}x${height + 400}x24`;
  const group = startGroup(
    program,
    ['-displayfd', '3', '-screen', '0', screen, '-nolisten', 'tcp'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
  );
  const number = await new Promise((done, fail) => {
    let text = '';
    group.child.stdio[3].on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('\n')) done(text.trim());
    });
    group.child.once('exit', () => fail(new Error('Xvfb ended at its start')));
  });
  return { ...group, name: `:${number}` };
}

async function startDriver(program, env) {
  const port = await freePort();
  const args = [`--host=${HOST}`, `--port=${port}`];
  const group = startGroup(program, args, { env, stdio: 'ignore' });
  let ended = false;
  group.child.once('exit', () => (ended = true));
  for (let tries = 0; ; tries++) {
    try {
      await send(port, 'GET', '/status');
      return { ...group, port };
    } catch (error) {
      if (ended || tries > 200) {
        await group.end();
        throw new Error('WebKitWebDriver does not answer', { cause: error });
      }
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

/**
 * Starts MiniBrowser on a virtual display of its own.
 *
 * @param {object} options
 * @param {{ width: number, height: number }} options.size
 * @param {boolean} options.sharedMemory
 */
export async function launchWebKit({ size, sharedMemory }) {
  const program = findProgram(process.env.WEBKIT_DRIVER, 'WebKitWebDriver');
  if (!program) throw new Error('WebKitWebDriver not found; see tools/setup-browsers.sh');
  const home = temporaryFolder('webkit');
  const started = [];
  const cleanUp = async () => {
    for (const group of started.reverse()) await group.end();
    home.remove();
  };
  try {
    const display = await startDisplay(size);
    started.push(display);
    const driver = await startDriver(program, {
      ...process.env,
      DISPLAY: display.name,
      GDK_BACKEND: 'x11',
      HOME: home.path,
      TMPDIR: home.path,
      XDG_RUNTIME_DIR: home.path,
      XDG_CACHE_HOME: `${home.path}/cache`,
      XDG_CONFIG_HOME: `${home.path}/config`,
      XDG_DATA_HOME: `${home.path}/data`,
      // There is no desktop session whose bus could be asked.
      DBUS_SESSION_BUS_ADDRESS: 'disabled:',
      GTK_A11Y: 'none',
      NO_AT_BRIDGE: '1',
      LIBGL_ALWAYS_SOFTWARE: '1',
      // This port never turns SharedArrayBuffer on by itself, not even in pages
      // that are cross-origin isolated; Apple's does it in those.
      JSC_useSharedArrayBuffer: sharedMemory ? '1' : '0',
      // The sandbox needs rights that containers do not give.
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
    });
    started.push(driver);
    const session = await send(driver.port, 'POST', '/session', {
      capabilities: {},
    });
    return new WebDriverBrowser({
      engine: 'webkit',
      port: driver.port,
      session,
      size,
      cleanUp,
    });
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
