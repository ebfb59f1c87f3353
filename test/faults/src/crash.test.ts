import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '@retrigger/domain/event.ts';
import type { CrashPoint } from '@retrigger/ports/reached.ts';
import { triggersWereCalled, violations } from '@retrigger/test-history/checkers.ts';
import type { Acknowledged, Recorded } from '@retrigger/test-history/recorded.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, kill, startChild } from './child.ts';
import { Client, eventually, type Reply } from './client.ts';
import { startTarget } from './target.ts';

const KEY = 'a-key-for-the-crash-tests';
const TASKS = 24;
const ENTRY = join(import.meta.dirname, 'standalone-that-dies.ts');

const BETWEEN: CrashPoint[] = ['decoded', 'loaded', 'decided', 'emitted', 'answered', 'committed'];
const WITHIN: CrashPoint[] = ['within-events', 'within-receipts', 'within-snapshots', 'within-emit'];
const STEPS: CrashPoint[] = ['events-stored', 'receipts-stored', 'snapshots-saved'];

/** The embedded profile stores a batch in one transaction; the cluster's stores do it in steps. Both die everywhere. */
const CASES = [
  ...[...BETWEEN, ...WITHIN].map((point) => ['transaction', point] as const),
  ...[...BETWEEN, ...WITHIN, ...STEPS].map((point) => ['steps', point] as const),
];

describe('a process that is killed', () => {
  let folder: string;
  let target: Awaited<ReturnType<typeof startTarget>>;
  let children: Child[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'retrigger-crash-'));
    target = await startTarget();
    children = [];
  });

  afterEach(async () => {
    await Promise.all(children.map(kill));
    await target.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (point: string, nth: number, store: string): Child => {
    const env = {
      PORT: '0',
      RETRIGGER_DATA_DIR: folder,
      RETRIGGER_API_KEY: KEY,
      RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
      RETRIGGER_LOG_LEVEL: 'error',
    };
    const child = startChild(ENTRY, [point, String(nth), store], env);
    children.push(child);
    return child;
  };

  test.each(CASES)('%s, %s: nothing acknowledged is lost, nothing is decided twice', async (store, point) => {
    const victim = start(point, WITHIN.includes(point) ? 2 : 30, store); // several documents in one write are rarer than batches
    const before = new Client(await victim.ready, KEY);
    const create = (client: Client, i: number) =>
      client.send('POST', '/api/v1/tasks', { taskId: `t${i}`, type: 'job', target: { url: target.url } }, `create-${i}`);
    const trigger = (client: Client, i: number) =>
      client.send('POST', `/api/v1/tasks/t${i}/trigger`, { triggerReason: 'crash' }, `trigger-${i}`);
    const told = new Map<string, Reply>();
    await Promise.all(
      Array.from({ length: TASKS }, async (_, i) => {
        for (const [name, call] of [
          ['create', create],
          ['trigger', trigger],
        ] as const) {
          const reply = await call(before, i).catch(() => undefined); // the caller of a dying process hears nothing
          if (reply === undefined) return;
          told.set(`${name}-${i}`, reply);
        }
      }),
    );
    await eventually('the place to die is reached', async () => victim.process.signalCode === 'SIGKILL');

    const after = new Client(await start('never', 1, store).ready, KEY);
    const acknowledged: Acknowledged[] = [];
    for (let i = 0; i < TASKS; i++) {
      for (const [name, call] of [
        ['create', create],
        ['trigger', trigger],
      ] as const) {
        const reply = await call(after, i);
        expect(reply.status).toBe(name === 'create' ? 201 : 202);
        const first = told.get(`${name}-${i}`);
        if (first?.status === reply.status && name === 'trigger' && !first.text.includes('"state":"pending"'))
          expect(reply.text, 'the stored answer').toBe(first.text);
        if (name === 'trigger')
          acknowledged.push({ key: `default/t${i}`, commandId: reply.commandId, kind: 'accepted', answer: JSON.parse(reply.text).data });
      }
    }
    const streams = new Map<string, Event[]>();
    for (let i = 0; i < TASKS; i++) {
      await eventually(`t${i} is Completed`, async () => (await after.task(`t${i}`)).status === 'Completed');
      streams.set(`default/t${i}`, await after.events(`t${i}`));
    }
    const recorded: Recorded = { streams, states: new Map(), acknowledged, calls: target.calls };
    expect([...violations(recorded), ...triggersWereCalled(recorded)]).toEqual([]);
    for (const events of streams.values())
      expect(events.map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'TaskTriggered', 'TaskStarted', 'TaskCompleted']);
  });
});
