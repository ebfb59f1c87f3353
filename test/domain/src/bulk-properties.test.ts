import { isOlder } from '@retrigger/domain/bulk/state.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import type { Schedule } from '@retrigger/domain/schedule.ts';
import type { AskedOfTask } from '@retrigger/domain/task/commands.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { array, assert, boolean, constantFrom, infiniteStream, nat, property, record, type Stream, subarray, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BulkWorld, bulk } from './bulk-world.ts';
import { cancel, command, create, OWNER, trigger } from './command-samples.ts';
import { moves, play } from './random-histories.ts';
import { MORNING } from './task-history.ts';

const EVE = { id: 'eve', type: 'user' } as const;

const SCHEDULES: Schedule[] = [
  { strategy: 'immediate' },
  { strategy: 'delayed', delay: '10s' },
  { strategy: 'cron', cron: '* * * * *' },
  { strategy: 'conditional', conditions: { dependenciesComplete: true } },
];

const ASKS: AskedOfTask[] = [
  { type: 'TriggerTask', body: {} },
  { type: 'TriggerTask', body: { context: { n: 1 }, triggerReason: 'why' } },
  { type: 'TriggerTask', body: { conditions: { dependenciesCompleted: { min: 1 } } } },
  ...SCHEDULES.map((schedule): AskedOfTask => ({ type: 'RescheduleTask', body: { schedule } })),
];

/** What is the same however a task was asked: everything but what ids and the number of events make different. */
function essence(state: TaskState | undefined): unknown {
  if (state === undefined) return undefined;
  const { version: _v, execution, lastExecution: _l, updatedAt: _u, ...same } = state;
  return { ...same, context: execution?.context };
}

const told = (outcome: Outcome | undefined): unknown => {
  if (outcome?.kind !== 'refused') return { accepted: true };
  const { code, detail, more } = outcome.refusal;
  return { accepted: false, code, detail, conditions: more?.conditions };
};

function toldOfOne(outcome: Outcome | undefined): unknown {
  const answer = (outcome?.kind === 'refused' ? outcome.refusal.more : outcome?.answer) ?? {};
  const [result] = answer.results as unknown as { accepted: boolean; error?: JsonObject }[];
  if (result?.accepted) return { accepted: true };
  const { code, detail, conditions } = result?.error ?? {};
  return { accepted: false, code, detail, conditions };
}

describe('a bulk of one is a single call', () => {
  test.each([false, true])(
    'for any history, command and caller: the same verdict, words and state (allOrNothing: %s)',
    (allOrNothing) => {
      const cases = record({ list: moves, ask: constantFrom(...ASKS), who: constantFrom(OWNER, OWNER, EVE) });
      assert(
        property(cases, ({ list, ask, who }) => {
          const history = play(list);
          const at = history.head.at + 1_000;
          const by = { actor: who, roles: ['operator' as const] };
          const single = new BulkWorld(at);
          single.put(history);
          single.send(command(ask, { ...by, commandId: 'single' })).settle();
          const one = new BulkWorld(at);
          one.put(history);
          const { schedule, ...rest } = 'schedule' in ask.body ? ask.body : { ...ask.body, schedule: undefined };
          const { conditions, ...common } = 'conditions' in rest ? rest : { ...rest, conditions: undefined };
          const item = { taskId: 'deploy', ...(conditions === undefined ? {} : { conditions }) };
          const type = ask.type === 'TriggerTask' ? 'BulkTrigger' : 'BulkReschedule';
          const body = { tasks: [item], ...common, ...(schedule === undefined ? {} : { schedule }), allOrNothing };
          one.send(bulk(type, 'one', body, by)).settle();
          expect(toldOfOne(one.outcomes.get('one'))).toEqual(told(single.outcomes.get('single')));
          expect(essence(one.task('deploy'))).toEqual(essence(single.task('deploy')));
        }),
        { numRuns: 200 },
      );
    },
    30_000,
  );
});

const TASKS = ['a', 'b', 'c', 'd', 'e'];

type Ask = { tasks: string[]; isTrigger: boolean; allOrNothing: boolean };

const asks = array(
  record({ tasks: subarray(TASKS, { minLength: 1 }), isTrigger: boolean(), allOrNothing: constantFrom(true, true, true, false) }),
  { minLength: 2, maxLength: 6 },
);

/** Bulks and single calls on the same tasks, in some order of decisions; time passes now and then. */
function playBulks(list: Ask[], singles: number[], picks: Stream<number>): BulkWorld {
  const world = new BulkWorld(MORNING).send(...TASKS.map((taskId) => create({ taskId, commandId: `create-${taskId}` }))).settle();
  const pick = (busy: number) => (picks.next().value as number) % busy;
  for (const [i, { tasks, isTrigger, allOrNothing }] of list.entries()) {
    world.now += (picks.next().value as number) % 3;
    const schedule = { schedule: { strategy: 'delayed' as const, delay: '1h' } };
    world.send(bulk(isTrigger ? 'BulkTrigger' : 'BulkReschedule', `bulk-${i}`, { tasks, allOrNothing, ...(isTrigger ? {} : schedule) }));
    world.settle(pick, (picks.next().value as number) % 20);
  }
  for (const [i, which] of singles.entries()) {
    const header = { taskId: TASKS[which % TASKS.length] ?? 'a', commandId: `single-${i}` };
    world.send(which % 2 === 0 ? trigger(header) : cancel(header)).settle(pick, which % 7);
    if (which % 5 === 0) world.pass(2_500);
  }
  return world.settle(pick);
}

describe('overlapping bulks, in whatever order everything is decided,', () => {
  test('are all or nothing each, leave nothing reserved, and of those that are otherwise valid at least one is accepted', () => {
    assert(
      property(tuple(asks, array(nat(100), { maxLength: 5 }), infiniteStream(nat(1_000))), ([list, singles, picks]) => {
        const world = playBulks(list, singles, picks);
        const bulks = list.map((ask, i) => ({ ask, state: world.bulk(`bulk-${i}`) }));
        for (const { ask, state } of bulks) {
          expect(state.status).toBe('Ended');
          if (!ask.allOrNothing) continue;
          const made = ask.tasks.map(
            (taskId) =>
              (world.streams.get(taskId)?.events ?? []).filter(
                ({ eventType, metadata }) => metadata.bulkId === state.bulkId && /^Task(Triggered|Rescheduled)$/.test(eventType),
              ).length,
          );
          expect(made).toEqual(ask.tasks.map(() => (state.decision === 'commit' ? 1 : 0)));
        }
        for (const taskId of TASKS) expect(world.task(taskId)).toMatchObject({ reservation: null, claims: [] });
        for (const { state } of bulks) {
          const errors = state.parts.flatMap(({ error }) => (error === undefined ? [] : [error]));
          if (!state.allOrNothing || state.decision !== 'release' || state.isOverdue) continue;
          const blockers = errors.filter(({ code }) => code === 'task_reserved').map(({ detail = '' }) => detail);
          expect(errors.length).toBeGreaterThan(0);
          for (const detail of blockers) {
            const blocker = bulks.find((other) => detail.includes(other.state.bulkId))?.state;
            expect(blocker !== undefined && isOlder(blocker, state)).toBe(true);
          }
        }
      }),
      { numRuns: 200 },
    );
  }, 30_000);
});
