import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { connectMongo } from '@retrigger/mongo/mongo-client.ts';
import { MongoEventStore } from '@retrigger/mongo/mongo-event-store.ts';
import { MongoReceiptStore } from '@retrigger/mongo/mongo-receipt-store.ts';
import { retryWithin } from '@retrigger/mongo/mongo-retry.ts';
import { MongoSnapshotStore } from '@retrigger/mongo/mongo-snapshot-store.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { clusterScript } from './cluster.ts';
import { freshDatabase, type TestDatabase } from './databases.ts';
import { startFreezingProxy } from './freezing-proxy.ts';
import { batchOf, receipt, snapshot } from './samples.ts';

const { folder } = inject('cluster');
const EVERYTHING = { from: 1, to: Number.MAX_SAFE_INTEGER, limit: 1_000, order: 'asc' } as const;

describe('with a MongoDB-protocol server', () => {
  let database: TestDatabase;
  let children: ChildProcess[];

  beforeEach(async () => {
    database = await freshDatabase();
    children = [];
  });

  afterEach(async () => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await clusterScript(folder, 'start', 'mongo');
    await database.drop();
  });

  /** Appends in a process of its own; `lines` is what it has said so far. */
  function startAppender(where: 'within' | 'outside'): { child: ChildProcess; lines: string[]; said(line: string): Promise<void> } {
    const entry = join(import.meta.dirname, 'appender-that-dies.ts');
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, database.url, where], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines: string[] = [];
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (line) => lines.push(line));
    const said = async (line: string) => {
      while (!lines.includes(line)) await once(reader, 'line', { signal: AbortSignal.timeout(60_000) });
    };
    return { child, lines, said };
  }

  /** The length of each stored stream of a batch of the appender; fails when one is no prefix. */
  async function streamLengths(batch: number): Promise<number[]> {
    const events = new MongoEventStore(database.mongo);
    const lengths: number[] = [];
    for (let n = 0; n < 20; n++) {
      const stored = await events.read(`acme/b${batch}-t${n}`, EVERYTHING);
      expect(stored.map(({ event }) => event.sequence)).toEqual(Array.from({ length: stored.length }, (_, index) => index + 1));
      lengths.push(stored.length);
    }
    return lengths;
  }

  test('E2, E3: a process that dies inside an append leaves prefixes, and everything that it was told is stored', async () => {
    const { child, lines } = startAppender('within');
    const [, signal] = await once(child, 'exit');
    expect([signal, lines]).toEqual(['SIGKILL', ['begun 1', 'stored 1', 'begun 2']]);
    expect(await streamLengths(1)).toEqual(Array(20).fill(5));
    expect((await streamLengths(2)).reduce((sum, length) => sum + length)).toBe(1);
  });

  test('E2, E3: the same when it is killed wherever it happens to be', async () => {
    for (const batchToDieIn of [1, 4, 9]) {
      await database.mongo.db.collection('events').deleteMany({});
      const { child, lines, said } = startAppender('outside');
      await said(`begun ${batchToDieIn}`);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const begun = lines.filter((line) => line.startsWith('begun')).length;
      for (let batch = 1; batch <= begun; batch++) {
        const lengths = await streamLengths(batch);
        if (lines.includes(`stored ${batch}`)) expect(lengths).toEqual(Array(20).fill(5));
      }
    }
  });

  test.each(['kill', 'stop'])(
    'E1, E2, E3, W1: a server that goes (%s) and comes back under load costs nothing that was acknowledged, and no restart of ours',
    async (how) => {
      const { mongo } = database;
      const events = new MongoEventStore(mongo);
      const [receipts, snapshots] = [new MongoReceiptStore(mongo), new MongoSnapshotStore(mongo)];
      const store = writeInSteps(events, receipts, snapshots, unobserved);
      const stored: string[] = [];
      let again = 0;
      let ended = false;
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let n = 0; !ended; n++) {
          const tasks = Array.from({ length: 12 }, (_, i) => `w${writer}-n${n}-t${i}`);
          const decided = {
            events: batchOf(tasks, 3),
            receipts: tasks.map((task) => ({ ...receipt(`c-${task}`, 1), key: `acme/${task}` })),
            snapshots: tasks.map((task) => snapshot(task, 3)),
          };
          const outcome = await store.write(decided);
          // A conflict is with ourselves: what the broken connection left behind. The engine loads such keys again.
          if (outcome.kind === 'conflict') again += outcome.keys.size;
          stored.push(...tasks.filter((task) => outcome.kind === 'stored' || !outcome.keys.has(`acme/${task}`)));
        }
      });
      const until = async (count: number) => {
        const deadline = Date.now() + 90_000;
        while (stored.length < count) {
          if (Date.now() > deadline) throw new Error(`only ${stored.length} of ${count} were stored`);
          await pause(10);
        }
      };
      await until(200);
      await clusterScript(folder, how, 'mongo');
      const before = stored.length;
      await clusterScript(folder, 'start', 'mongo');
      await until(before + 200);
      ended = true;
      await Promise.all(writers);
      expect(again, 'only what was under way when the server went').toBeLessThanOrEqual(4 * 12);
      const found = await snapshots.load(stored.map((task) => `acme/${task}`));
      const answered = await receipts.load(stored.map((task) => `c-${task}`));
      expect([found.size, answered.size]).toEqual([stored.length, stored.length]);
      for (const task of stored) expect(await events.count(`acme/${task}`, {})).toBe(3);
    },
  );

  test('a server that stays away fails what was asked, inside its bound and with a code', async () => {
    await clusterScript(folder, 'stop', 'mongo');
    const mongo = { ...database.mongo, retry: retryWithin(1_000, systemClock) };
    const begun = Date.now();
    await expect(new MongoEventStore(mongo).append(batchOf(['t'], 1))).rejects.toMatchObject({ code: 'network', retry: true });
    expect(Date.now() - begun, 'the bound and one attempt').toBeLessThan(8_000);
  });

  test('connections that carry nothing any more are noticed inside the bound, and what was under way is done over new ones', async () => {
    const proxy = await startFreezingProxy(database.url);
    const mongo = await connectMongo(proxy.url, systemClock);
    try {
      const events = new MongoEventStore(mongo);
      await events.append(batchOf(['t1'], 1));
      proxy.freeze();
      const begun = Date.now();
      expect(await events.append(batchOf(['t2'], 3))).toEqual({ kind: 'stored' });
      expect(Date.now() - begun).toBeLessThan(15_000);
      expect(await events.count('acme/t2', {})).toBe(3);
    } finally {
      await mongo.close();
      await proxy.close();
    }
  });
});
