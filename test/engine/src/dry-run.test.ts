import type { Command } from '@retrigger/domain/command.ts';
import type { Event } from '@retrigger/domain/event.ts';
import type { Schedule } from '@retrigger/domain/schedule.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { dryRun } from '@retrigger/engine/dry-run.ts';
import type { Answer } from '@retrigger/ports/answers.ts';
import { array, assert, asyncProperty, constantFrom, nat, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeStores } from './fake-stores.ts';
import { command, inLog, MORNING, Owner, type Sent } from './owner.ts';

const TASKS = ['a', 'b', 'c', 'd'];
const KINDS = ['create', 'wait', 'trigger', 'askFor', 'reschedule', 'hang', 'cascade', 'cancel', 'rewire', 'complete', 'fail'] as const;
type Move = { kind: (typeof KINDS)[number]; on: string; other: string; schedule: number; isEve: boolean };

const moves = array(
  record({
    kind: constantFrom(...KINDS),
    on: constantFrom(...TASKS),
    other: constantFrom(...TASKS),
    schedule: nat(4),
    isEve: constantFrom(false, false, false, true),
  }),
  { maxLength: 30 },
);

const SCHEDULES: Schedule[] = [
  { strategy: 'immediate' },
  { strategy: 'delayed', delay: '5m' },
  { strategy: 'cron', cron: '*/5 * * * *' },
  { strategy: 'exponential_backoff', baseDelay: '1s', jitter: 'full' },
  { strategy: 'cron', cron: '@daily', timeZone: 'Gone/Zone' },
];

/** The things that somebody may ask for, of a task as it is. */
function bodyOf({ kind, on, other, schedule }: Move, stores: FakeStores): TaskCommandBody {
  const conditions = { dependenciesComplete: [other] };
  const waiting = { strategy: 'conditional', conditions } as const;
  const chosen = SCHEDULES[schedule] as Schedule;
  const state = stores.snapshots.get(`acme/${on}`)?.state as TaskState | undefined;
  const executionId = state?.execution?.executionId ?? `${on}.never`;
  const bodies: Record<Move['kind'], TaskCommandBody> = {
    create: { type: 'CreateTask', body: { type: 'job' } },
    wait: { type: 'CreateTask', body: { type: 'job', dependencies: [other], schedule: waiting } },
    trigger: { type: 'TriggerTask', body: {} },
    askFor: { type: 'TriggerTask', body: { conditions } },
    reschedule: { type: 'RescheduleTask', body: { schedule: chosen } },
    hang: { type: 'RescheduleTask', body: { schedule: waiting, force: true } },
    cascade: { type: 'RescheduleTask', body: { schedule: chosen, cascade: true, force: true } },
    cancel: { type: 'CancelTask', body: {} },
    rewire: { type: 'ChangeTask', body: { dependencies: [other], retry: { maxAttempts: 2 } } },
    complete: { type: 'CompleteExecution', body: { executionId, result: { schedule } } },
    fail: { type: 'FailExecution', body: { executionId, error: { code: 'x', message: 'no' } } },
  };
  return bodies[kind];
}

const EVE: Pick<Sent, 'actor' | 'roles'> = { actor: { id: 'eve', type: 'user' }, roles: ['operator'] };

/** What an event says besides when it was decided and where it stands. */
const told = ({ eventType, newState, previousState, sequence, metadata }: Event) => ({
  ...{ eventType, newState, previousState, sequence, metadata },
});

/** Decides a command for real, and at once what follows from it on its own task before it is answered. */
async function decided(owner: Owner, stores: FakeStores, sent: Sent, offset: number) {
  const key = `acme/${sent.taskId}`;
  const before = stores.stream(key).length;
  const followed = owner.followUps().length;
  await owner.take(inLog([sent], offset));
  const next = owner.followUps().slice(followed);
  const second = next.find(({ answersTo }) => answersTo === sent.commandId);
  if (second !== undefined) await owner.take(inLog([second], offset + 1).map((one) => ({ ...one, at: MORNING + offset })));
  const answer = owner.answers.find(({ commandId }) => commandId === sent.commandId);
  const events = stores.stream(key).slice(before);
  const open: Command[] = [...next.filter((one) => one !== second), ...owner.followUps().slice(followed + next.length)];
  return { answer, events: events.map(({ event }) => event), open };
}

describe('a dry run', () => {
  test('says what the real one comes to: verdict, answer and events; and leaves nothing behind (Q1)', async () => {
    await assert(
      asyncProperty(moves, async (list) => {
        const stores = new FakeStores();
        const owner = new Owner(stores);
        for (const [nth, move] of list.entries()) {
          const offset = nth * 1_000;
          const plain = command(`c${nth}`, move.on, bodyOf(move, stores));
          const sent: Sent = move.isEve ? { ...plain, ...EVE } : plain;
          const held = JSON.stringify([...stores.snapshots, ...stores.streams]);
          const dry = await dryRun(owner.ports, taskDecider as AnyDecider, sent, MORNING + offset);
          expect(JSON.stringify([...stores.snapshots, ...stores.streams])).toBe(held);
          const real = await decided(owner, stores, sent, offset);
          expect(dry.events.map(told)).toEqual(real.events.map(told));
          const { outcome } = real.answer as Answer;
          expect({ kind: dry.verdict, answer: dry.answer, refusal: dry.refusal }).toEqual({
            answer: undefined,
            refusal: undefined,
            ...outcome,
          });
          let at = offset + 2;
          for (let open = real.open; open.length > 0 && at < offset + 900; ) {
            const before = owner.followUps().length;
            await owner.take(inLog(open, at));
            at += open.length;
            open = owner.followUps().slice(before);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('of a change in two steps tells both, and the second one’s refusal', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    const create = (taskId: string, dependencies: string[]) =>
      command(`create-${taskId}`, taskId, { type: 'CreateTask', body: { type: 'job', dependencies } });
    await owner.take(inLog([create('a', []), create('b', ['a'])]));
    const sent = command('c1', 'a', { type: 'ChangeTask', body: { dependencies: ['b'] } });
    const dry = await dryRun(owner.ports, taskDecider as AnyDecider, sent, MORNING + 10);
    expect(dry).toMatchObject({ verdict: 'refused', refusal: { code: 'circular_dependency', more: { cycle: ['a', 'b', 'a'] } } });
    expect(dry.events.map(({ eventType }) => eventType)).toEqual(['DependenciesProposed', 'CommandRefused']);
    expect(stores.types('acme/a')).toEqual(['TaskCreated']);
  });
});
