import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { openSqliteLog } from '@retrigger/sqlite/sqlite-log.ts';
import { openSqliteStore } from '@retrigger/sqlite/sqlite-store.ts';
import { closedLoop, perSecond } from './load.ts';
import { premadeDecisions } from './premade-decisions.ts';
import { startSubject } from './subject.ts';

const IN_FLIGHT = 64;
const WARM_UP = 2_000;

/** Requests per second of the trigger's route without anything behind it. */
export async function bareHttp(count: number): Promise<number> {
  const subject = await startSubject(join(import.meta.dirname, 'bare-http.ts'), IN_FLIGHT);
  const call = async (i: number) => {
    const { status } = await subject.post(`/api/v1/tasks/t-${i}/trigger`, '{"triggerReason":"bench"}', { 'idempotency-key': `k-${i}` });
    if (status !== 202) throw new Error(`bare HTTP answered ${status}`);
  };
  await closedLoop(WARM_UP, IN_FLIGHT, call);
  const ms = await closedLoop(count, IN_FLIGHT, call);
  await subject.stop();
  return perSecond(count, ms);
}

/** Appends per second of one small record each, by group commit, 64 in flight, with nothing else in the process. */
export async function bareAppend(count: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-bench-'));
  const opened = openSqliteLog(join(folder, 'log.db'), { bare: 8 }, systemClock, unobserved);
  if (opened.kind !== 'open') throw new Error('the log could not be opened');
  const value = new Uint8Array(400).fill(120);
  const append = (i: number) => opened.log.append('bare', [{ key: `default/t-${i}`, value, headers: {} }]);
  await closedLoop(WARM_UP, IN_FLIGHT, append);
  const ms = await closedLoop(count, IN_FLIGHT, append);
  await opened.log.close();
  rmSync(folder, { recursive: true, force: true });
  return perSecond(count, ms);
}

/**
 * Decisions per second that the store takes when nobody has to make them: an event, a receipt and a snapshot each, in batches of this size, as many batches at
 * once as 64 commands in flight make.
 */
export async function bareStore(count: number, batchSize: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-bench-'));
  const store = openSqliteStore(join(folder, 'store.db'), unobserved);
  const warmUp = Math.ceil(WARM_UP / batchSize);
  const batches = premadeDecisions(count + warmUp * batchSize, batchSize);
  const inFlight = Math.max(1, Math.round(IN_FLIGHT / batchSize));
  const write = async (i: number) => void (await store.decisions.write(batches[i] ?? { events: [], receipts: [], snapshots: [] }));
  await closedLoop(warmUp, inFlight, write);
  const ms = await closedLoop(batches.length - warmUp, inFlight, (i) => write(i + warmUp));
  await store.close();
  rmSync(folder, { recursive: true, force: true });
  return perSecond(count, ms);
}
