import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startReceiver } from '@retrigger/test-acceptance/receiver.ts';
import { type Child, kill } from '@retrigger/test-faults/child.ts';
import { PrivateMounts, type SmallDisk } from '@retrigger/test-faults/small-disk.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { afterwards } from './afterwards.ts';
import { Caller } from './asking.ts';
import { callsOf } from './calls.ts';
import { complaints, downIn } from './judge.ts';
import { BACK_WITHIN_MS } from './stated.ts';
import { makeThings } from './things.ts';

const API_KEY = 'the-first-key-on-a-small-disk';
const MEBIBYTES = 24;
/** What readiness may call the disk: itself, or the files on it. */
const NAMES = ['disk', 'log', 'store'];
const UNREADABLE = ['default/unread1', 'default/unread2'];

const dataDir = () => join(disk.folder, 'data');

let mounts: PrivateMounts;
let disk: SmallDisk;
let child: Child | undefined;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
beforeEach(async () => {
  mounts = await PrivateMounts.make();
  disk = await mounts.disk(mkdtempSync(join(tmpdir(), 'retrigger-small-disk-')), MEBIBYTES);
  receiver = await startReceiver();
});
afterEach(async () => {
  if (child !== undefined) await kill(child);
  await receiver.stop();
  await mounts.end();
  rmSync(disk.folder, { recursive: true });
});

async function start(): Promise<Caller> {
  child = mounts.start(fileURLToPath(import.meta.resolve('@retrigger/standalone/main.ts')), [], {
    RETRIGGER_DATA_DIR: dataDir(),
    ...{ HOST: '127.0.0.1', PORT: '0', RETRIGGER_API_KEY: API_KEY, RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true', RETRIGGER_LOG_LEVEL: 'error' },
    ...{ RETRIGGER_LIMIT_USER_PER_HOUR: '1000000', RETRIGGER_LIMIT_TASK_PER_HOUR: '1000000' },
  });
  return new Caller(await child.ready, API_KEY);
}

/** Two records of the work log that nobody can read. */
async function appendUnreadable(): Promise<void> {
  const appending = mounts.start(join(import.meta.dirname, 'append-unreadable.ts'), [dataDir(), ...UNREADABLE], {}, /appended/);
  await appending.ready;
  await appending.ended;
}

async function letters(caller: Caller): Promise<[string, string]> {
  let found: { id: string }[] = [];
  await eventually('both are dead letters', async () => {
    found = (await caller.data<{ deadLetters: { id: string }[] }>('GET', '/api/v1/dead-letters')).deadLetters;
    return found.length === UNREADABLE.length;
  });
  return [found[0]?.id ?? '', found[1]?.id ?? ''];
}

test('a full disk: every call answers as the table says, nothing is half-written, and all works again when there is room', async () => {
  await start();
  child?.process.kill('SIGTERM');
  await child?.ended;
  await appendUnreadable();
  const caller = await start();
  const things = await makeThings('disk', 1, caller, receiver.url, () => letters(caller));
  const calls = callsOf('disk', caller, things);
  disk.fill();
  const told = await Promise.all(calls.map((call) => caller.ask(call)));
  const wrong = calls.flatMap((call, i) => (told[i] === undefined ? [] : complaints(call, told[i], 'disk', NAMES)));
  disk.makeRoom();
  const isReady = async () => downIn((await caller.ask({ method: 'GET', path: '/readyz' })).text).length === 0;
  await eventually('readiness is good again', isReady, BACK_WITHIN_MS);
  wrong.push(...(await afterwards(caller, calls, 'disk')));
  expect(wrong).toEqual([]);
  expect(child?.process.exitCode, child?.output()).toBeNull();
});
