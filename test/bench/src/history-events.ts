import type { Actor } from '@retrigger/domain/command.ts';
import { EMPTY_HEAD, type Head, type StoredEvent } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { headAfter, nextEvent } from '@retrigger/domain/next-event.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import { seeded } from '@retrigger/test-scaling/seeded.ts';

export const TENANT = 'default';
export const LARGE_TASK = 'large';
const TYPES = [
  'TaskTriggered',
  'TaskStarted',
  'TaskCompleted',
  'TaskTriggered',
  'TaskStarted',
  'TaskFailed',
  'CommandRefused',
  'TaskRescheduled',
];
const ACTORS = 50;
const BEGIN = Date.UTC(2026, 0, 1);
const SPAN_MS = 30 * 86_400_000;

/** The order in which tasks have events: `large` has `inLarge` of them, the others share the rest; all shuffled over the whole time. */
function order(count: number, tasks: number, inLarge: number, chance: () => number): Uint32Array {
  const turns = new Uint32Array(count);
  for (let i = inLarge; i < count; i++) turns[i] = 1 + ((i - inLarge) % (tasks - 1));
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(chance() * (i + 1));
    [turns[i], turns[other]] = [turns[other] ?? 0, turns[i] ?? 0];
  }
  return turns;
}

/** Events of many tasks over 30 days, in the order of time and in batches, chained as the engine chains them. */
export function* generated(count: number, tasks: number, inLarge: number, seed: number): Generator<StoredEvent[], Map<string, Snapshot>> {
  const chance = seeded(seed);
  const heads = new Map<string, Head>();
  const turns = order(count, tasks, inLarge, chance);
  let batch: StoredEvent[] = [];
  for (const [i, turn] of turns.entries()) {
    const taskId = turn === 0 ? LARGE_TASK : `task-${turn}`;
    const head = heads.get(taskId) ?? EMPTY_HEAD;
    const at = BEGIN + Math.floor((i / count) * SPAN_MS);
    const stored = oneEvent(taskId, head, at, i, chance);
    heads.set(taskId, headAfter(stored));
    batch.push(stored);
    if (batch.length < 2_000) continue;
    yield batch;
    batch = [];
  }
  yield batch;
  return new Map([...heads].map(([taskId, head]) => [taskId, snapshotOf(taskId, head)]));
}

function oneEvent(taskId: string, head: Head, at: number, offset: number, chance: () => number): StoredEvent {
  const isFirst = head.sequence === 0;
  const eventType = isFirst ? 'TaskCreated' : (TYPES[Math.floor(chance() * TYPES.length)] ?? '');
  const actor: Actor = { id: `user-${Math.floor(chance() * ACTORS)}`, type: 'user' };
  const metadata = {
    executionId: `${taskId}.${offset}`,
    runId: `run_${offset}`,
    attempt: 1,
    context: { version: offset, note: 'x'.repeat(100) },
  };
  const command = {
    ...{ commandId: `command-${offset}`, tenantId: TENANT, taskId, actor, roles: [], correlationId: `request-${offset}` },
    ...({ type: 'CancelTask', body: {} } as const),
  };
  return nextEvent(
    head,
    isFirst ? null : 'Scheduled',
    command,
    { eventType, schemaVersion: 1, newState: 'Scheduled', metadata },
    { partition: 0, offset, at },
  );
}

const snapshotOf = (taskId: string, head: Head): Snapshot => ({
  key: taskKey(TENANT, taskId),
  tenantId: TENANT,
  taskId,
  ...{
    partition: 0,
    head,
    state: {},
    status: 'Scheduled',
    type: 'bench',
    wakeAt: null,
    wakeKind: 'due',
    waitsFor: [],
    claimableSince: null,
  },
});
