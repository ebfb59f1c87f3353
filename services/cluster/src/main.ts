// npm run start:cluster: one gateway, one worker and one dispatcher as separate processes. They end together: whoever watches this process starts it again.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const SERVICES = ['worker', 'dispatcher', 'gateway'];
const children = new Map<string, ChildProcess>();
let exitCode: number | null = null;

function stopAll(code: number): void {
  if (exitCode === null) exitCode = code;
  for (const child of children.values()) child.kill('SIGTERM');
}

for (const service of SERVICES) {
  const entry = join(import.meta.dirname, '../..', service, 'src/main.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], { stdio: 'inherit' });
  children.set(service, child);
  child.on('exit', (code, signal) => {
    children.delete(service);
    if (exitCode === null) process.stderr.write(`retrigger: the ${service} ended (${signal ?? code}); the others are stopped\n`);
    stopAll(code ?? 1);
    if (children.size === 0) process.exit(exitCode ?? 1);
  });
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopAll(0));
