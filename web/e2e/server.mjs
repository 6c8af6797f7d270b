// Starts the real binary for a test, in a folder of its own, on ports of its own.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const START_MS = 30_000;
const STOP_MS = 15_000;

/** The binary in VIGIE_BIN, else the one that was built last. */
function binary() {
  if (process.env.VIGIE_BIN) return resolve(process.env.VIGIE_BIN);
  const targets = [
    process.env.CARGO_TARGET_DIR,
    resolve(import.meta.dirname, '../../target'),
    join(homedir(), '.cache/vigie/target'),
  ];
  const [newest] = targets
    .flatMap((target) => (target ? [join(target, 'release/vigie'), join(target, 'debug/vigie')] : []))
    .filter((path) => existsSync(path))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (!newest) throw new Error('No vigie binary: run `make build`, or set VIGIE_BIN to its path.');
  return newest;
}

/**
 * Starts the server and waits until it listens. `stop({ keep: true })` leaves the data, for a restart with `dataDir`.
 * @param {{ args?: string[], dataDir?: string, http?: string, env?: Record<string, string> }} [options]
 */
export async function startServer({
  args = [],
  dataDir = mkdtempSync(join(tmpdir(), 'vigie-e2e-')),
  http,
  env = {},
} = {}) {
  const child = spawn(
    binary(),
    ['serve', '--data-dir', dataDir, '--http', http ?? '127.0.0.1:0', '--rtsp', '127.0.0.1:0', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', ...env } },
  );
  let log = '';
  const ended = new Promise((done) => child.once('exit', done));
  const url = await new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`vigie did not listen in time:\n${log}`)), START_MS);
    const read = (chunk) => {
      log += chunk;
      const found = /listening .*?http="?(https?:\/\/[^\s"]+)/.exec(log);
      if (!found) return;
      clearTimeout(timer);
      done(found[1].replace(/\/$/, ''));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then((code) => fail(new Error(`vigie ended with ${code}:\n${log}`)));
  });
  return {
    url,
    dataDir,
    log: () => log,
    /** Ends it as an operator would, or with `kill` as a power cut would. */
    async stop({ keep = false, kill = false } = {}) {
      child.kill(kill ? 'SIGKILL' : 'SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
      if (!keep) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
