import type { Event } from '../event.ts';
import type { BulkCommon, BulkItem, TaskResult } from './commands.ts';
import type { BulkCaller, BulkState, BulkStatus } from './state.ts';

/** What goes out with an event, so that it can go out again without the state. */
export type Outgoing = {
  caller: BulkCaller;
  /** Tasks to ask now, and what holds for all of them. */
  asks?: BulkItem[];
  common?: BulkCommon;
  /** Tasks to tell the decision. */
  settles?: string[];
  started: number;
  startedAt: number;
  type: BulkState['type'];
  allOrNothing: boolean;
};

/** `missing`: tasks that don't exist. `tasks`: all others too, in the order asked for. `underWay`: of how many at a time; absent = `UNDER_WAY`. */
type Started = Outgoing & { tasks: BulkItem[]; missing: string[]; underWay?: number };

type Progress = Outgoing & { results: TaskResult[]; decision?: 'commit' | 'release'; isOverdue?: true };

export type BulkMetadata = {
  BulkStarted: Started;
  BulkGathered: Progress;
  BulkDecided: Progress;
  BulkEnded: Progress;
};

export type BulkEventType = keyof BulkMetadata;
/** These stand in the bulk's own stream and nowhere else: tasks have events of their own. */
export type BulkEvent = { [T in BulkEventType]: Event<T, BulkStatus, BulkMetadata[T]> }[BulkEventType];

export const SCHEMA_VERSION = 1;
