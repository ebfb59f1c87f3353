import type { DecisionStore } from '@retrigger/ports/decision-store.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { CrashPoint } from '@retrigger/ports/reached.ts';
import type { ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CrashTarget, openAfterCrash, runUntilKilled } from './crash-target.ts';
import { CRASH_TASKS, crashDecided, crashEvents, PER_WRITE } from './crash-writes.ts';
import { unique } from './eventually.ts';
import { inRounds, sampleEvent, sampleReceipt, sampleSnapshot, sampleStream } from './samples.ts';

type Stores = { events: EventStore; receipts: ReceiptStore; snapshots: SnapshotStore };

export type DecisionStoreAdapter = {
  /** The decision store with the three stores that it writes to. */
  open(): Promise<Stores & { decisions: DecisionStore; close(): Promise<void> }>;
  timeoutMs: number;
  /** How a process of its own opens all four, to be killed; absent when nothing outlives the process. */
  crash?: CrashTarget;
};

const POINTS: CrashPoint[] = [
  'within-events',
  'events-stored',
  'within-receipts',
  'receipts-stored',
  'within-snapshots',
  'snapshots-saved',
];
const all = { from: 1, to: 1_000, limit: 1_000, order: 'asc' } as const;

/** The decision-store port's definition: W1, W2. */
export function decisionStoreContract(name: string, adapter: DecisionStoreAdapter): void {
  const { timeoutMs } = adapter;
  const open = async () => {
    const { close, ...stores } = await adapter.open();
    onTestFinished(close);
    return stores;
  };

  describe(`${name} decision store`, { timeout: timeoutMs * 4 }, () => {
    test('a write stores events, receipts and snapshots', async () => {
      const { decisions, events, receipts, snapshots } = await open();
      const tenant = unique('tenant');
      const decided = crashDecided(tenant, 1);
      expect(await decisions.write(decided)).toEqual({ kind: 'stored' });
      for (const taskId of CRASH_TASKS)
        expect(await events.read(`${tenant}/${taskId}`, all)).toEqual(sampleStream(tenant, taskId, PER_WRITE));
      const ids = decided.receipts.map(({ commandId }) => commandId);
      expect((await receipts.load(ids)).size).toBe(new Set(ids).size);
      expect(await snapshots.load(decided.snapshots.map(({ key }) => key))).toEqual(
        new Map(decided.snapshots.map((one) => [one.key, one])),
      );
    });

    test('any of the three may be empty', async () => {
      const { decisions, receipts } = await open();
      const event = sampleEvent({ tenantId: unique('tenant'), taskId: 'task', sequence: 1 });
      const commandId = unique('command');
      expect(await decisions.write({ events: [], receipts: [], snapshots: [] })).toEqual({ kind: 'stored' });
      expect(await decisions.write({ events: [], receipts: [sampleReceipt(event, { commandId, sequence: null })], snapshots: [] })).toEqual(
        {
          kind: 'stored',
        },
      );
      expect((await receipts.load([commandId])).size).toBe(1);
      expect(await decisions.write({ events: [event], receipts: [], snapshots: [] })).toEqual({ kind: 'stored' });
    });

    test('a key in conflict leaves neither receipt nor snapshot, only a prefix of its events; the others are complete (W2)', async () => {
      const { decisions, events, receipts, snapshots } = await open();
      const tenantId = unique('tenant');
      const [taken = [], free = []] = ['taken', 'free'].map((taskId) => sampleStream(tenantId, taskId, 3));
      const other = sampleEvent({ tenantId, taskId: 'taken', sequence: 2, text: 'another owner was here first' });
      await events.append([other]);
      const id = (stored: { event: { eventId: string } }) => stored.event.eventId;
      const given = inRounds([taken, free]);
      const outcome = await decisions.write({
        events: given,
        receipts: given.map((stored) => sampleReceipt(stored, { commandId: id(stored) })),
        snapshots: [taken, free].flatMap((stream) => stream.slice(-1).map((stored) => sampleSnapshot(stored))),
      });
      expect(outcome).toEqual({ kind: 'conflict', keys: new Set([other.key]) });
      expect((await receipts.load(taken.map(id))).size).toBe(0);
      expect((await receipts.load(free.map(id))).size).toBe(3);
      expect([...(await snapshots.load([`${tenantId}/taken`, `${tenantId}/free`])).keys()]).toEqual([`${tenantId}/free`]);
      const stored = await events.read(other.key, all);
      expect(stored).toEqual([...taken.slice(0, stored.length - 1), other]);
      expect(await events.read(`${tenantId}/free`, all)).toEqual(free);
    });

    test('writes that are called at once do not disturb each other', async () => {
      const { decisions, events } = await open();
      const tenants = Array.from({ length: 10 }, () => unique('tenant'));
      const outcomes = await Promise.all([...tenants, ...tenants].map((tenant) => decisions.write(crashDecided(tenant, 1))));
      expect(outcomes.filter(({ kind }) => kind === 'stored').length).toBeGreaterThan(0);
      for (const tenant of tenants) {
        for (const taskId of CRASH_TASKS)
          expect(await events.read(`${tenant}/${taskId}`, all)).toEqual(sampleStream(tenant, taskId, PER_WRITE));
      }
    });

    const { crash } = adapter;
    if (crash !== undefined) {
      test.each(POINTS)('killed at %s, nothing is stored without what it rests on (W1)', async (point) => {
        const place = await crash.place();
        const tenant = unique('tenant');
        const acked = await runUntilKilled(
          { scenario: 'decisions', name: tenant, point, time: 2, place, module: crash.module.href },
          timeoutMs,
        );
        expect(acked).toEqual([1]);
        const { close, ...left } = await openAfterCrash(crash, place);
        onTestFinished(close);
        await expectW1(left, tenant);
      });
    }
  });
}

async function expectW1({ events, receipts, snapshots }: Partial<Stores>, tenant: string): Promise<void> {
  if (events === undefined || receipts === undefined || snapshots === undefined) throw new Error('the crash module opens too little');
  const [acked, given] = [crashDecided(tenant, 1), crashDecided(tenant, 2)];
  const names = new Set<string>();
  for (const taskId of CRASH_TASKS) {
    const stored = await events.read(`${tenant}/${taskId}`, all);
    expect(stored).toEqual(sampleStream(tenant, taskId, stored.length));
    expect(stored.length).toBeGreaterThanOrEqual(PER_WRITE);
    for (const { key, event } of stored) names.add(`${key}/${event.sequence}`);
  }
  const found = await receipts.load([...acked.receipts, ...given.receipts].map(({ commandId }) => commandId));
  for (const { key, sequence } of found.values()) expect(names).toContain(`${key}/${sequence}`);
  for (const { commandId } of acked.receipts) expect(found.has(commandId)).toBe(true);
  const saved = await snapshots.load(acked.snapshots.map(({ key }) => key));
  for (const { key } of acked.snapshots) expect(saved.get(key)?.head.sequence).toBeGreaterThanOrEqual(PER_WRITE);
  for (const { key, head } of saved.values()) {
    const rests = [...crashEvents(tenant, 1), ...crashEvents(tenant, 2)].filter(
      (stored) => stored.key === key && stored.event.sequence <= head.sequence,
    );
    for (const { event } of rests) {
      expect(names).toContain(`${key}/${event.sequence}`);
      expect(found.has(event.commandId)).toBe(true);
    }
  }
}
