import type { Command } from '@retrigger/domain/command.ts';
import type { Schedule } from '@retrigger/domain/schedule.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import { wakeCommand } from '@retrigger/domain/task/react.ts';
import type { OnMissed } from '@retrigger/domain/task/state.ts';
import { array, assert, constantFrom, integer, nat, oneof, property, record } from 'fast-check';
import { cancel, command, completed, create, failed, heartbeat, started, trigger } from './command-samples.ts';
import { type History, MORNING, NO_HISTORY, type Step, step } from './task-history.ts';

const ADA = { actor: { id: 'ada', type: 'user' }, roles: ['operator'] } as const;
const CLUSTER = { id: 'scheduler', type: 'system' } as const;
const EVE = { actor: { id: 'eve', type: 'user' }, roles: ['operator'] } as const;
const ROOT = { actor: { id: 'root', type: 'user' }, roles: ['admin'] } as const;

const SCHEDULES: Schedule[] = [
  { strategy: 'immediate' },
  { strategy: 'delayed', delay: '10s' },
  { strategy: 'cron', cron: '* * * * *', timeZone: 'Europe/Berlin' },
  { strategy: 'cron', cron: '*/15 * * * * *' },
  { strategy: 'exponential_backoff', baseDelay: '2s', jitter: 'full' },
  { strategy: 'conditional', conditions: { dependenciesComplete: true } },
];

/** What somebody does next; `which` picks an execution (the current one, an earlier one, or one that never was) or a schedule. */
export type Move = { kind: Kind; who: typeof ADA | typeof EVE | typeof ROOT; which: number; repeat: boolean; elapsedMs: number };
type Kind =
  | 'create'
  | 'trigger'
  | 'cancel'
  | 'start'
  | 'heartbeat'
  | 'complete'
  | 'fail'
  | 'reschedule'
  | 'force'
  | 'wake'
  | 'check'
  | 'change';

export const moves = array(
  record({
    kind: oneof(
      constantFrom<Kind>('trigger', 'trigger', 'complete', 'fail', 'reschedule', 'wake', 'wake', 'wake'),
      constantFrom<Kind>('create', 'start', 'heartbeat', 'cancel', 'force', 'check', 'change'),
    ),
    who: constantFrom(ADA, ADA, ADA, ROOT, EVE),
    which: oneof(nat(0), nat(5)),
    repeat: constantFrom(false, false, false, true),
    // The log's clock may jump, back as well.
    elapsedMs: oneof(integer({ min: -5_000, max: 20_000 }), integer({ min: 0, max: 600_000 })),
  }),
  { maxLength: 40 },
);

/** A task that has everything: retries with jitter, a deadline, and either answer to a missed time. */
const born = (onMissed: OnMissed): Command =>
  command(
    { type: 'CreateTask', body: { type: 't', onMissed, deadline: '45s', retry: { maxAttempts: 3, baseDelay: '5s' } } },
    { commandId: 'c-create' },
  );

function toCommand(move: Move, index: number, history: History, previous: Command | undefined): Command {
  if (move.repeat && previous !== undefined) return previous;
  const commandId = `c-${index}`;
  const seen = executions(history.events.map(({ event }) => event));
  const executionId = seen.at(-1 - move.which) ?? 'deploy.never';
  const who = { actor: { ...move.who.actor }, roles: [...move.who.roles], commandId };
  const schedule = SCHEDULES[move.which % SCHEDULES.length] as Schedule;
  switch (move.kind) {
    case 'create':
      return create(who);
    case 'trigger':
      return move.which === 0 ? trigger(who) : command({ type: 'TriggerTask', body: { context: { index } } }, who);
    case 'cancel':
      return cancel(who);
    case 'start':
      return started(executionId, commandId);
    case 'heartbeat':
      return heartbeat(executionId, commandId);
    case 'complete':
      return completed(executionId, commandId);
    case 'fail':
      return failed(executionId, commandId);
    case 'reschedule':
      return command({ type: 'RescheduleTask', body: { schedule } }, who);
    case 'force':
      return command({ type: 'RescheduleTask', body: { schedule, force: true, reason: 'now' } }, who);
    case 'change':
      return command({ type: 'ChangeTask', body: { context: { index }, critical: true } }, who);
    case 'check':
      return command({ type: 'Check', body: {} }, { commandId, actor: CLUSTER, roles: [] });
    case 'wake':
      return wakeCommand('acme', 'deploy', lookup(history)?.wakeAt ?? 0, null, lookup(history)?.wakeAt ?? 0);
  }
}

/** What the owner of the partition knows of the task's due times. */
export const lookup = ({ state }: History) => (state === undefined ? undefined : taskDecider.lookup(state));

const executions = (events: TaskEvent[]): string[] =>
  events.flatMap((event) => (event.eventType === 'TaskTriggered' ? [event.metadata.executionId] : []));

/** Plays the moves after a creation; `check` sees each decided command with the history before it. */
export function play(list: Move[], check: (step: Step, command: Command, before: History, at: number) => void = () => {}): History {
  let [history, at, previous]: [History, number, Command | undefined] = [
    step(NO_HISTORY, born(list.length % 2 === 0 ? 'fire' : 'skip'), MORNING).history,
    MORNING,
    undefined,
  ];
  for (const [index, move] of list.entries()) {
    at += move.elapsedMs;
    const next = toCommand(move, index, history, previous);
    const taken = step(history, next, at);
    check(taken, next, history, at);
    history = taken.history;
    previous = next;
  }
  return history;
}

/** Checks something for some hundred random histories. */
export const forRandomHistories = (check: (list: Move[]) => void): void =>
  assert(
    property(moves, (list) => {
      check(list);
    }),
    { numRuns: 300 },
  );
