import type { BulkState } from '@retrigger/domain/bulk/state.ts';
import type { Command } from '@retrigger/domain/command.ts';
import type { Event, StoredEvent } from '@retrigger/domain/event.ts';
import type { Fingerprint } from '@retrigger/domain/idempotency.ts';
import { isBulkName, partsOfKey } from '@retrigger/domain/identifiers.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { isTick } from '@retrigger/engine/ticks.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import {
  allOrNone,
  answeredWhenVisible,
  bulkAnswersAreTrue,
  bulksHaveEnded,
  reservationsEnd,
  reservedTasksStandStill,
  youngerWereRefused,
} from '@retrigger/test-history/bulk-checkers.ts';
import { violations } from '@retrigger/test-history/checkers.ts';
import { claimsAreAnswered, onlyTheirExecutorReports, wishesAreGivenOnce } from '@retrigger/test-history/claim-checkers.ts';
import { conditionsWereTrue, noDependencyCycle, waitingHaveFired } from '@retrigger/test-history/condition-checkers.ts';
import { dueTimesFireOnce, endedInTime, firedWithin, nothingIsOverdue } from '@retrigger/test-history/due-time-checkers.ts';
import type { Recorded } from '@retrigger/test-history/recorded.ts';
import { everyEventWasTold, lookupsAreOfStates, oneOutcome, timeGoesOn } from '@retrigger/test-history/telling-checkers.ts';
import type { Door } from './door.ts';
import type { Executors } from './executors.ts';
import type { Plan } from './faults.ts';
import type { Group } from './group.ts';
import type { Stored } from './stored.ts';
import type { WorkLog } from './work-log.ts';

/** Everything that is left of a run. */
export type Scene = { plan: Plan; log: WorkLog; stored: Stored; group: Group; door: Door; executors: Executors; end: number };

const CALM_LATENESS_MS = 2_500;
const LONGEST_RESERVATION_MS = 10_000;
const SILENCE_MS = 60_000;
/** For how long after the last due time nothing is called overdue. */
const GRACE_MS = 1_000;

/** What the checkers say of it. */
export function findings(scene: Scene): string[] {
  const { plan, log, stored, door, executors, end } = scene;
  const gaps = [...stored.events]
    .filter(([, events]) => [...events].includes(undefined as never))
    .map(([key]) => `${key}: an event is missing`);
  if (gaps.length > 0) return gaps; // nothing else can be said of it
  const positions = new Map<string, StoredEvent>();
  const streams = new Map<string, Event[]>();
  for (const [key, events] of stored.events) {
    if (!isOfBulk(key))
      streams.set(
        key,
        events.filter(() => true).map((one) => JSON.parse(one.json)), // without the holes that a bug may leave
      );
    events.forEach((one) => void positions.set(one.event.eventId, one));
  }
  const rows = [...stored.rows].map(([key, { text }]) => [key, JSON.parse(text)] as const);
  const states = new Map(rows.filter(([key]) => !isOfBulk(key)) as [string, TaskState][]);
  const bulks = new Map(rows.filter(([key]) => isOfBulk(key)) as [string, BulkState][]);
  const asked = new Map<string, Command>();
  for (const record of log.all(TOPICS.work)) {
    if (isTick(record)) continue;
    const { value } = record;
    const command = JSON.parse(Buffer.from(value).toString()) as Command;
    if (!asked.has(command.commandId)) asked.set(command.commandId, command);
  }
  const withEvents = door.acknowledged.filter(
    ({ key, commandId, answer }) => !isOfBulk(key) && !hasNoEvent(answer) && asked.get(commandId)?.type !== 'ClaimExecution',
  );
  const ofBulks = door.acknowledged.filter(({ key }) => isOfBulk(key));
  const sawAt = (key: string, step: number): number => {
    const seen = stored.seen.get(key)?.findLast((one) => one.step <= step);
    return seen === undefined ? 0 : (JSON.parse(seen.text) as TaskState).version;
  };
  const recorded: Recorded = { streams, states, acknowledged: withEvents, calls: executors.calls };
  const told = log.all(TOPICS.events).map(({ value }) => Buffer.from(value).toString());
  const askedAt = ({ eventId }: TaskEvent) => {
    const { partition = 0, offset = 0 } = positions.get(eventId)?.position ?? {};
    return log.appendedAt[partition]?.[offset] ?? 0;
  };
  const visible = (key: string, event: TaskEvent) => {
    const from = askedAt(event);
    const until = stored.storedAt.get(`${event.tenantId}/${event.taskId}/${event.sequence}`) ?? Number.POSITIVE_INFINITY;
    const seen = stored.seen.get(key) ?? [];
    return seen
      .filter(({ step }, index) => step <= until && (seen[index + 1]?.step ?? Number.POSITIVE_INFINITY) >= from)
      .map(({ text }) => JSON.parse(text) as TaskState);
  };
  const conditionsOf = ({ commandId }: TaskEvent) => {
    const command = asked.get(commandId);
    return command?.type === 'TriggerTask' ? command.body.conditions : undefined;
  };
  const wishOf = (commandId: string) => {
    const command = asked.get(commandId);
    return command?.type === 'ClaimExecution' ? command.body.claim : undefined;
  };
  const keptOf = (wish: string) => {
    const outcome = stored.receipts.get(wish)?.outcome;
    const at = stored.keptAt.get(wish) ?? 0;
    return outcome?.kind === 'accepted' ? { executionId: outcome.answer.executionId, at } : undefined;
  };
  return [
    ...violations(recorded),
    ...timeGoesOn(recorded),
    ...oneOutcome(door.acknowledged, (id) => asked.get(id)?.fingerprint as Fingerprint | undefined),
    ...everyEventWasTold(recorded, told),
    ...lookupsAreOfStates(recorded, stored.rows),
    ...dueTimesFireOnce(recorded),
    ...endedInTime(recorded),
    ...nothingIsOverdue(recorded, end - GRACE_MS),
    ...(plan.name === 'calm' ? firedWithin(recorded, CALM_LATENESS_MS) : []),
    ...conditionsWereTrue(recorded, visible, conditionsOf),
    ...waitingHaveFired(recorded),
    ...noDependencyCycle(recorded),
    ...wishesAreGivenOnce(recorded, keptOf, askedAt),
    ...onlyTheirExecutorReports(recorded),
    ...claimsAreAnswered(recorded, door.acknowledged, wishOf, keptOf),
    ...silenceWasReal(scene),
    ...allOrNone(recorded, bulks),
    ...bulksHaveEnded(recorded, bulks),
    ...bulkAnswersAreTrue(recorded, bulks, ofBulks),
    ...answeredWhenVisible(recorded, bulks, ofBulks, sawAt),
    ...reservedTasksStandStill(recorded),
    ...youngerWereRefused(bulks),
    ...(plan.name === 'calm' ? reservationsEnd(recorded, LONGEST_RESERVATION_MS) : []),
  ];
}

const isOfBulk = (key: string): boolean => isBulkName(partsOfKey(key).taskId);

/** Answers that are given without an event: no such task, the key of another request, a report that was taken before. */
function hasNoEvent(answer: unknown): boolean {
  const { code, ...rest } = answer as { code?: string };
  if (code !== undefined) return code === 'task_not_found' || code === 'idempotency_key_reused';
  return 'heartbeatTimeout' in rest && Object.keys(rest).every((name) => name === 'heartbeatTimeout' || name === 'deadlineAt');
}

/** Nobody is given up as silent of whom the log holds a heartbeat of the last minute, earlier than the decision. */
function silenceWasReal({ log, stored }: Scene): string[] {
  return [...stored.events.values()].flat().flatMap(({ key, event, position }) => {
    const failure = event.metadata.error as { code: string } | undefined;
    if (event.eventType !== 'TaskFailed' || failure?.code !== 'heartbeat_timeout') return [];
    const before = log.records(TOPICS.work, position.partition).slice(0, position.offset);
    const beat = `"type":"HeartbeatExecution","body":{"executionId":"${event.metadata.executionId}"`;
    const heard = before.findLast((record) => record.key === key && Buffer.from(record.value).includes(beat));
    const silentMs = position.at - (heard?.at ?? 0);
    return silentMs >= SILENCE_MS ? [] : [`${key}: ${event.sequence} gives up an executor that was heard ${silentMs} ms ago`];
  });
}
