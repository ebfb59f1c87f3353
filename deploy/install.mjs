// Installs the dependencies when they are missing or older than the lock file. Runs on any Node from 18 on, needs nothing but npm:
// the Node that the product runs on is itself one of the dependencies.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const installed = join(root, 'node_modules', '.package-lock.json');
const wanted = join(root, 'package-lock.json');

function fail(message) {
  console.error(`retrigger: ${message}`);
  process.exit(1);
}

const missing = !existsSync(installed);
if (missing || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) {
  console.error(`retrigger: ${missing ? 'installing dependencies (once)' : 'the lock file has changed, installing'} …`);
  // `install`, not `ci`: the lock file holds the optional packages of some platforms only, which `ci` takes for a mistake.
  const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) fail('`npm install` failed; its message is above. Run it again when the network or the registry answers.');
}

const bundled = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
const [major, minor] = process.versions.node.split('.').map(Number);
const isRecent = major > 24 || (major === 24 && minor >= 12);
if (!existsSync(bundled) && !isRecent) {
  fail(
    `no Node is packaged for ${process.platform} ${process.arch}, and this one is ${process.versions.node}: put Node 24.12 or later on the PATH.`,
  );
}
