import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Starts the service and sends it signals as soon as it has printed `when`. */
async function start(kind: string, { when, signals }: { when?: string; signals?: NodeJS.Signals[] } = {}) {
  const entry = join(import.meta.dirname, 'service.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, kind], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err, isSent] = ['', '', false];
  child.stdout.on('data', (chunk) => {
    out += chunk;
    if (isSent || when === undefined || !out.includes(when)) return;
    isSent = true;
    for (const signal of signals ?? []) child.kill(signal);
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code, signal] = await once(child, 'close');
  return { code, signal, out, err };
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s stops the service and ends the process with 0', async (signal) => {
  expect(await start('starts', { when: 'running', signals: [signal] })).toEqual({
    code: 0,
    signal: null,
    out: 'running\nstop 1\n',
    err: '',
  });
});

test('a service that ends with its parent stops when the shell that started it is killed', async () => {
  const entry = join(import.meta.dirname, 'service.ts');
  const command = `"${process.execPath}" --disable-warning=ExperimentalWarning "${entry}" starts ends-with-parent; true`;
  const shell = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  shell.stdout.on('data', (chunk) => {
    if (out === '') shell.kill('SIGKILL');
    out += chunk;
  });
  await once(shell.stdout, 'close'); // the service holds it until it ends
  expect(out).toBe('running\nstop 1\n');
});

test('G1: several signals are one stop', async () => {
  const { code, out } = await start('starts', { when: 'running', signals: ['SIGINT', 'SIGTERM', 'SIGINT'] });
  expect([code, out]).toEqual([0, 'running\nstop 1\n']);
});

test('G1: a signal during the start stops what has started', async () => {
  const { code, out } = await start('starts_slowly', { when: 'starting', signals: ['SIGTERM'] });
  expect([code, out]).toEqual([0, expect.stringContaining('stopped')]);
});

test('G3: a start that hangs is ended by a signal', async () => {
  const { code, err } = await start('never_starts', { when: 'starting', signals: ['SIGTERM'] });
  expect([code, err]).toEqual([70, 'the stop took too long: no end after 1000 ms\n']);
});

test('G2: a service that can not start says so in one line and ends with 1', async () => {
  expect(await start('cannot_start')).toEqual({ code: 1, signal: null, out: '', err: 'PORT is "x"; it must be a whole number\n' });
});

test('G3: a start that throws ends with 70 and the error', async () => {
  const { code, err } = await start('throws');
  expect(code).toBe(70);
  expect(err).toContain('the start failed: Error: a bug in the start');
});

test('G3: a stop that fails ends with 70', async () => {
  const { code, err } = await start('fails_to_stop', { when: 'running', signals: ['SIGTERM'] });
  expect(code).toBe(70);
  expect(err).toContain('a bug in the stop');
});

test('G3: a stop that hangs is bounded and ends with 70', async () => {
  const { code, err } = await start('hangs', { when: 'running', signals: ['SIGTERM'] });
  expect(code).toBe(70);
  expect(err).toBe('the stop took too long: no end after 1000 ms\n');
});

test('G3: a rejection that nobody caught is logged by the service and ends it with 70', async () => {
  const { code, out } = await start('rejects');
  expect(code).toBe(70);
  expect(out).toContain('error unhandled rejection Error: nobody caught this');
});
