import type { CommandHeader } from '../command.ts';
import type { BulkCommon, BulkItem, ItemError } from './commands.ts';

/** More tasks than this are no bulk. */
export const MOST_TASKS = 1_000;

/**
 * So many tasks of one bulk are under way at a time: what a single command behind it waits for. Measured with single triggers at 200/s beside bulks of 1,000 on a
 * busy machine of two cores: their P95 is 78 ms with 100, 47 ms with 40; a bulk takes as long with either, and twice as long with 25.
 */
export const UNDER_WAY = 40;

/** Up to so many are asked and told at once: rounds are what a small bulk waits for, and what comes behind it waits for no more tasks than these. */
const AT_ONCE = 100;

/** How many tasks of a bulk of so many are under way at a time. */
export const underWayOf = (tasks: number): number => (tasks <= AT_ONCE ? AT_ONCE : UNDER_WAY);

/** The most results in one message, and so in one event. */
export const CHUNK = 100;

/** A bulk that has decided nothing by then decides to abort. */
export const DECIDES_WITHIN_MS = 5_000;

/** A reservation that has stood for so long asks its bulk what became of it. With the two no reservation stands for 10 s while everybody is well. */
export const ASKS_AFTER_MS = 6_000;

/**
 * Asking: its tasks are asked, one chunk after the other. All or nothing then has one decision, and is Committing or Releasing until every task has
 * said that it did.
 */
export type BulkStatus = 'Asking' | 'Committing' | 'Releasing' | 'Ended';

/** Who asked, and how they are answered. */
export type BulkCaller = Pick<CommandHeader, 'commandId' | 'actor' | 'roles' | 'correlationId'> &
  Partial<Pick<CommandHeader, 'traceparent' | 'fingerprint' | 'replyTo'>>;

/**
 * Where one task has got to. `new`: not asked yet. `settling`: it was told to commit or to release. The last three are ends.
 * `item` stays until the task is asked.
 */
export type BulkPart = {
  taskId: string;
  at: 'new' | 'asked' | 'reserved' | 'settling' | 'accepted' | 'refused' | 'released';
  item?: BulkItem;
  executionId?: string;
  nextExecution?: string;
  error?: ItemError;
};

export type BulkState = {
  tenantId: string;
  bulkId: string;
  type: 'BulkTrigger' | 'BulkReschedule';
  allOrNothing: boolean;
  status: BulkStatus;
  /** Sequence and time (epoch ms) of its BulkStarted: the same key may be used again after its 24 hours. */
  started: number;
  startedAt: number;
  endedAt: number | null;
  /** Null: best effort, or nothing is decided yet. */
  decision: 'commit' | 'release' | null;
  /** It was released because it had not decided in time. */
  isOverdue: boolean;
  caller: BulkCaller;
  common: BulkCommon;
  parts: BulkPart[];
};

/** The order of bulks, the same for everybody: of two that want one task the older waits and the younger is refused. */
export const isOlder = (one: Age, other: Age): boolean =>
  one.startedAt === other.startedAt ? one.bulkId < other.bulkId : one.startedAt < other.startedAt;

export type Age = { bulkId: string; startedAt: number };
