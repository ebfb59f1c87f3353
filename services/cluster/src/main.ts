// npm run start:cluster: one gateway, worker, dispatcher and notifier as separate processes. They end together: whoever watches this process starts it again.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isStartedByNpm } from '@retrigger/config/started-by-npm.ts';
import { parentGone } from '@retrigger/lifecycle/parent-gone.ts';

const SERVICES = ['worker', 'dispatcher', 'notifier', 'gateway'];
/** How `run` of @retrigger/lifecycle ends a service that can't start and has said why. */
const CANNOT_START = 1;

const children = new Map<string, ChildProcess>();
let exitCode: number | null = null;
let lastSaid = '';

function stopAll(code: number): void {
  if (exitCode === null) exitCode = code;
  for (const child of children.values()) child.kill('SIGTERM');
}

/** What keeps one service from starting mostly keeps the others too; it is said once. */
function say(line: string): void {
  if (line !== lastSaid) process.stderr.write(`${line}\n`);
  lastSaid = line;
}

/** RETRIGGER_HEALTH_PORT is the worker's; the dispatcher has the next one, the notifier the one after it. */
const PORTS_AFTER: { [service: string]: number } = { dispatcher: 1, notifier: 2 };

function environmentOf(service: string): NodeJS.ProcessEnv {
  const port = Number(process.env.RETRIGGER_HEALTH_PORT);
  const after = PORTS_AFTER[service];
  return after !== undefined && port > 0 ? { ...process.env, RETRIGGER_HEALTH_PORT: String(port + after) } : process.env;
}

for (const service of SERVICES) {
  const entry = join(import.meta.dirname, '../..', service, 'src/main.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
    env: environmentOf(service),
    stdio: ['inherit', 'inherit', 'pipe'],
  });
  children.set(service, child);
  createInterface(child.stderr).on('line', say);
  child.on('close', (code, signal) => {
    children.delete(service);
    if (exitCode === null && code !== CANNOT_START) say(`retrigger: the ${service} ended (${signal ?? code}); the others are stopped`);
    stopAll(code ?? 1);
    if (children.size === 0) process.exit(exitCode ?? 1);
  });
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopAll(0));
if (isStartedByNpm(process.env)) void parentGone().then(() => stopAll(0));
