import { isDeepStrictEqual } from 'node:util';
import { outcomeOf } from '@retrigger/domain/bulk/outcome.ts';
import { type Age, type BulkState, isOlder } from '@retrigger/domain/bulk/state.ts';
import type { Event } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { Acknowledged, Recorded, Violation } from './recorded.ts';

/** Bulks as they are stored in the end, by key. */
export type Bulks = Map<string, BulkState>;

const bulkOf = (event: Event): string | undefined => (event.metadata as { bulkId?: string }).bulkId;

const isCommit = ({ eventType }: Event): boolean => eventType === 'TaskTriggered' || eventType === 'TaskRescheduled';

/** The events by which a task took part in an all-or-nothing bulk. */
const commits = ({ streams }: Recorded, { tenantId, bulkId }: BulkState, taskId: string): Event[] =>
  (streams.get(taskKey(tenantId, taskId)) ?? []).filter((event) => isCommit(event) && bulkOf(event) === bulkId);

/** Of all or nothing either every task was changed, once, or none; and which of the two is what the bulk has decided. */
export const allOrNone = (recorded: Recorded, bulks: Bulks): Violation[] =>
  [...bulks].flatMap(([key, bulk]) =>
    !bulk.allOrNothing
      ? []
      : bulk.parts.flatMap(({ taskId }) => {
          const made = commits(recorded, bulk, taskId).length;
          const wanted = bulk.decision === 'commit' ? 1 : 0;
          return made === wanted ? [] : [`${key}: ${bulk.decision ?? 'undecided'}, and ${taskId} was changed ${made} times`];
        }),
  );

/** Every bulk has ended, and no task is held, or waited for, by one. */
export const bulksHaveEnded = ({ states }: Recorded, bulks: Bulks): Violation[] => [
  ...[...bulks].flatMap(([key, { status }]) => (status === 'Ended' ? [] : [`${key} is still ${status}`])),
  ...[...states].flatMap(([key, state]) => {
    const { reservation, claims } = state as TaskState;
    return [
      ...(reservation === null ? [] : [`${key} is still reserved by ${reservation.bulkId}`]),
      ...claims.map(({ bulkId }) => `${bulkId} still waits for ${key}`),
    ];
  }),
];

/** The answer of a bulk is what its state says, and what it says of a task is in that task's stream: an execution that was triggered by it, once. */
export const bulkAnswersAreTrue = ({ streams }: Recorded, bulks: Bulks, acknowledged: Acknowledged[]): Violation[] => {
  const executions = new Map<string, number>();
  for (const event of [...streams.values()].flat())
    if (event.eventType === 'TaskTriggered') {
      const id = String(event.metadata.executionId);
      executions.set(id, (executions.get(id) ?? 0) + 1);
    }
  return acknowledged.flatMap(({ key, answer }) => {
    const bulk = bulks.get(key);
    if (bulk === undefined || (answer as { code?: string }).code === 'idempotency_key_reused') return [];
    const outcome = outcomeOf(bulk);
    const told = outcome.kind === 'accepted' ? outcome.answer : outcome.refusal;
    const wrong = bulk.parts.filter(
      ({ at, executionId }) => at === 'accepted' && executionId !== undefined && executions.get(executionId) !== 1,
    );
    return [
      ...(isDeepStrictEqual(told, answer) ? [] : [`${key} was answered otherwise than it ended`]),
      ...wrong.map(({ taskId, executionId }) => `${key}: ${taskId} was told to run ${executionId}, which was triggered not exactly once`),
    ];
  });
};

/** Whoever reads after the answer sees all of it. `sawAt`: the version of a task that everybody saw at a step. */
export const answeredWhenVisible = (
  recorded: Recorded,
  bulks: Bulks,
  acknowledged: (Acknowledged & { step: number })[],
  sawAt: (key: string, step: number) => number,
): Violation[] =>
  acknowledged.flatMap(({ key, kind, step }) => {
    const bulk = bulks.get(key);
    if (bulk === undefined || kind !== 'accepted' || !bulk.allOrNothing) return [];
    return bulk.parts.flatMap(({ taskId }) => {
      const [event] = commits(recorded, bulk, taskId);
      const isSeen = event !== undefined && sawAt(taskKey(bulk.tenantId, taskId), step) >= event.sequence;
      return isSeen ? [] : [`${key} was answered before ${taskId} could be seen changed`];
    });
  });

/** No reservation stands for longer, by the events' own times. */
export const reservationsEnd = ({ streams }: Recorded, mostMs: number): Violation[] =>
  [...streams].flatMap(([key, events]) => {
    const since = new Map<string, number>();
    return (events as TaskEvent[]).flatMap((event) => {
      const bulkId = bulkOf(event as Event);
      const at = Date.parse(event.timestamp);
      if (event.eventType === 'TaskReserved') {
        if (event.metadata.waitsFor === undefined && !since.has(event.metadata.bulkId)) since.set(event.metadata.bulkId, at);
        return [];
      }
      const from = bulkId === undefined ? undefined : since.get(bulkId);
      if (bulkId === undefined || from === undefined) return [];
      since.delete(bulkId);
      return at - from <= mostMs ? [] : [`${key} was reserved by ${bulkId} for ${at - from} ms`];
    });
  });

/** While a task is reserved nobody else makes it run or changes its schedule. A cascade's reset may come in between. */
export const reservedTasksStandStill = ({ streams }: Recorded): Violation[] =>
  [...streams].flatMap(([key, events]) => {
    let holder: string | null = null;
    return (events as TaskEvent[]).flatMap((event) => {
      const bulkId = bulkOf(event as Event);
      if (event.eventType === 'TaskReserved') {
        if (event.metadata.waitsFor === undefined) holder = event.metadata.bulkId;
        return [];
      }
      const isOther = holder !== null && bulkId !== holder;
      if (bulkId === holder) holder = null;
      if (!isOther || !['TaskTriggered', 'TaskRescheduled', 'TaskCancelled', 'TaskChanged'].includes(event.eventType)) return [];
      const isReset = event.eventType === 'TaskRescheduled' && event.metadata.cascade !== undefined;
      return isReset ? [] : [`${key}: ${event.eventType} ${event.sequence} while ${holder} holds it`];
    });
  });

const RESERVED_BY = /reserved by bulk ([^;]+);/;

/**
 * A bulk that was refused because of another was refused by an older one. So of bulks that want the same tasks the oldest is not refused for that, and
 * of those that are otherwise valid at least one is accepted.
 */
export const youngerWereRefused = (bulks: Bulks): Violation[] => {
  const ages = new Map<string, Age>([...bulks.values()].map((bulk) => [bulk.bulkId, bulk]));
  return [...bulks].flatMap(([key, bulk]) =>
    !bulk.allOrNothing
      ? []
      : bulk.parts.flatMap(({ taskId, error }) => {
          const holder = ages.get(RESERVED_BY.exec(error?.detail ?? '')?.[1] ?? '');
          if (error?.code !== 'task_reserved') return [];
          return holder !== undefined && isOlder(holder, bulk) ? [] : [`${key}: ${taskId} was refused because of a bulk that is not older`];
        }),
  );
};
