// Makes a clone ready to run: dependencies, build, native engine. `node tools/setup.mjs [--quiet] [--gpu] [--force]`.
// Plain Node without dependencies, because it runs before there are any. Safe to run again at any time:
// what is whole is kept, what is missing or broken is made anew.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const quiet = process.argv.includes('--quiet');
const startMs = performance.now();
const stampFile = join(root, 'node_modules', '.setup-stamp');
let didSomething = false;

requireNode(20, 19);
const installedNow = installDependencies();
build(installedNow);
setUpEngine();
if (!quiet || didSomething) say(`ready after ${((performance.now() - startMs) / 1000).toFixed(1)} s`);

function requireNode(major, minor) {
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  fail(`Node ${major}.${minor} or newer is needed, and this is ${process.versions.node}`);
}

/** Installs unless the stamp says that this lock file is installed and every declared dependency is there. */
function installDependencies() {
  const current = stamp();
  const stamped = existsSync(stampFile) && readFileSync(stampFile, 'utf8') === current;
  if (stamped && missingDependencies().length === 0) {
    if (!quiet) say('dependencies are installed');
    return false;
  }
  // A half-deleted node_modules looks whole to pnpm, so anything short of a clean state starts over.
  if (!existsSync(stampFile) || stamped) removeNodeModules();
  install(current);
  return true;
}

function install(current) {
  act(`installing dependencies with ${packageManager()}`);
  const result = pnpm('install --frozen-lockfile --reporter=append-only');
  if (result.status !== 0) fail(`the dependencies could not be installed:\n${lastLines(result)}`);
  const draft = `${stampFile}.${process.pid}`;
  writeFileSync(draft, current);
  renameSync(draft, stampFile);
}

/** turbo skips what is built. If files of an older installation turn out to be gone, it is made anew, once. */
function build(dependenciesAreFresh) {
  let result = pnpm('exec turbo run build --output-logs=errors-only');
  const broken = /Cannot find (module|package)|MODULE_NOT_FOUND|ERR_MODULE|not found|ENOENT/.test(
    lastLines(result),
  );
  if (result.status !== 0 && broken && !dependenciesAreFresh) {
    act('files of the dependencies are missing: installing them afresh');
    removeNodeModules();
    install(stamp());
    result = pnpm('exec turbo run build --output-logs=errors-only');
  }
  if (result.status !== 0) fail(`the build failed:\n${lastLines(result)}`);
  const [, cached, total] = /Cached:\s+(\d+) cached, (\d+) total/.exec(result.stdout) ?? [];
  if (total !== undefined && cached === total) {
    if (!quiet) say('packages are built');
  } else act(`built ${total - cached} of ${total} packages`);
}

/** Without the engine everything still runs, slower: that is worth a sentence and no failure. */
function setUpEngine() {
  // biome-ignore lint/suspicious/noUndeclaredEnvVars: turbo does not run this file
  if (process.env.LATENT_SFT_SKIP_ENGINE) {
    if (!quiet) say('the native engine is skipped (LATENT_SFT_SKIP_ENGINE)');
    return;
  }
  const main = join(root, 'packages', 'tensorflow', 'bin', 'latent-sft-engine.js');
  const result = spawnSync(process.execPath, [main, 'setup', ...process.argv.slice(2)], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  if (result.status !== 0)
    process.stderr.write(`setup: going on without the native engine. ${(result.stderr || '').trim()}\n`);
}

/** Hash of everything that decides what an installation holds. */
function stamp() {
  const hash = createHash('sha256');
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'].map((name) =>
    join(root, name),
  ))
    hash.update(readFileSync(file));
  for (const folder of workspaceFolders()) hash.update(readFileSync(join(folder, 'package.json')));
  return `${hash.digest('hex')}\n`;
}

function missingDependencies() {
  return [root, ...workspaceFolders()].flatMap((folder) => {
    const { dependencies = {}, devDependencies = {} } = readJson(join(folder, 'package.json'));
    return Object.keys({ ...dependencies, ...devDependencies })
      .map((name) => join(folder, 'node_modules', name, 'package.json'))
      .filter((file) => !existsSync(file));
  });
}

function workspaceFolders() {
  return ['packages', 'apps', 'docs', 'examples']
    .map((top) => join(root, top))
    .filter((top) => existsSync(top))
    .flatMap((top) => [top, ...readdirSync(top).map((name) => join(top, name))])
    .filter((folder) => existsSync(join(folder, 'package.json')));
}

function removeNodeModules() {
  for (const folder of [root, ...workspaceFolders()])
    rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
}

/** Runs the pinned pnpm, fetched by npx if it is not there yet, without questions and without telemetry. */
function pnpm(parameters) {
  const settings = {
    CI: 'true',
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
    // Declarations take most of the build's time and only a published package needs them.
    BUILD_WITHOUT_TYPES: '1',
  };
  return spawnSync('npx', ['--yes', packageManager(), ...parameters.split(' ')], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...settings },
    maxBuffer: 1 << 28,
  });
}

function packageManager() {
  return readJson(join(root, 'package.json')).packageManager;
}

function lastLines({ error, stdout, stderr }) {
  return error ? error.message : `${stdout}\n${stderr}`.trim().split('\n').slice(-30).join('\n');
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function act(line) {
  didSomething = true;
  say(line);
}

function say(line) {
  console.log(`setup: ${line}`);
}

function fail(line) {
  console.error(`setup: ${line}`);
  process.exit(1);
}
