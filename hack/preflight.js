/**
 * Starts the npm scripts. preflight.js runs with any Node of version 18 or newer. preflight.js first installs the
 * dependencies. After the installation, preflight.js runs a script with the Node that package.json installs, because
 * this Node can run TypeScript.
 *
 *   node hack/preflight.js [<script or name in node_modules/.bin> [argument...]]
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, 'node_modules');
const NODE = join(MODULES, 'node', 'bin', 'node');

const [script, ...args] = process.argv.slice(2);
installDependencies();
if (script !== undefined) {
  run(existsSync(join(ROOT, script)) ? join(ROOT, script) : join(MODULES, '.bin', script), args);
}

function installDependencies() {
  if (isInstalled()) {
    return;
  }
  process.stderr.write('installing the dependencies: npm ci\n');
  // Only the started script may write to standard output.
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0 || !isInstalled()) {
    process.stderr.write('npm ci failed; if it ran no install scripts, try: npm ci --ignore-scripts=false\n');
    process.exit(1);
  }
}

/**
 * Whether the dependencies are installed. As the last step of an installation, npm writes a list of the installed
 * packages, in the format of package-lock.json.
 */
function isInstalled() {
  if (!existsSync(NODE)) {
    return false;
  }
  const wanted = packages(join(ROOT, 'package-lock.json'));
  const installed = packages(join(MODULES, '.package-lock.json'));
  const missing = Object.entries(wanted).filter(
    ([path, entry]) =>
      path !== '' && installed[path]?.version !== entry.version && !(entry.optional && !installed[path]),
  );
  const extra = Object.keys(installed).filter((path) => wanted[path] === undefined);
  return missing.length === 0 && extra.length === 0;
}

function packages(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, 'utf8')).packages : {};
}

/** Runs the script. This process ends with the exit code or the signal of the script. */
function run(file, args) {
  const child = spawn(NODE, [file, ...args], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // On Ctrl-C, the terminal signals the whole process group. The child has therefore already received the signal.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) {
        child.kill(signal);
      }
    });
  }
  child.once('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
  child.once('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code;
    } else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}
