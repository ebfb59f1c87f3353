import type { Age } from '../bulk/state.ts';
import type { Explanation } from '../conditions.ts';
import type { Event } from '../event.ts';
import type { JsonObject } from '../json.ts';
import type { CalculationDetails, Schedule } from '../schedule.ts';
import type { ChangeTaskBody, CreateTaskBody, RescheduleBody } from './commands.ts';
import type { Cascade, Claim, Planned, Status, Target, TaskChanges } from './state.ts';

/** Which execution an event speaks of. */
export type ExecutionRef = { executionId: string; runId: string; attempt: number };

/** An end of a reservation, with the bulks that may have the task now. */
type EndOfReservation = { bulkId?: string; next?: string[] };

/** Instants in ISO 8601; durations as texts. */
export type TaskMetadata = {
  TaskCreated: Omit<CreateTaskBody, 'target'> & { owner: string; target?: Target; nextExecution?: string | null; waitsFor?: string[] };
  /** `waitsFor`: nothing was changed, but it watches other tasks now than before. */
  TaskChanged: { changes: TaskChanges; waitsFor?: string[] };
  /** Of a patch, with its other `changes`, or of a reschedule, whose conditions add the edges `named`; that one leaves the dependencies as they are. */
  DependenciesProposed: {
    dependencies: string[];
    previous: string[];
    changes?: Omit<ChangeTaskBody, 'dependencies'>;
    named?: string[];
    reschedule?: RescheduleBody;
  };
  /** `proposal` is the command that proposed them. */
  DependenciesChanged: { dependencies: string[]; previous: string[]; changes: TaskChanges; proposal: string };
  TaskTriggered: ExecutionRef &
    EndOfReservation & {
      triggerReason: string | null;
      context: JsonObject;
      estimatedCompletion: string;
      conditions?: Explanation[];
      /** The task's type, and whether its target is called (T9): what executors on the events topic go by. */
      type?: string;
      hasTarget?: boolean;
      /** When its schedule was due, and the next due time of a recurring one. */
      scheduledFor?: string;
      nextExecution?: string;
      /** It fired more than a minute late; with a recurring schedule, how many due times this run stands for. */
      missed?: { lateMs: number; dueTimes: number };
    };
  TaskRescheduled: EndOfReservation & {
    strategy: Schedule['strategy'];
    schedule: Schedule;
    previousSchedule: Schedule | null;
    nextExecution: string | null;
    delayApplied: string | null;
    reason?: string;
    calculationDetails?: CalculationDetails;
    context?: JsonObject;
    waitsFor?: string[];
    cascade?: Cascade;
    /** The command that proposed it, when its edges had to be checked first. */
    proposal?: string;
    /** The running execution that `force` ended. */
    cancelledExecution?: string;
    /** A due time of a recurring schedule that is left out: its task still ran, or it was missed. */
    skipped?: { dueAt: string; dueTimes: number; why: 'overlap' | 'missed' };
  };
  /** `taken`: its actor has it now (T10); `claim`: what it was claimed by. */
  TaskStarted: ExecutionRef & { taken?: true; claim?: string };
  TaskCompleted: ExecutionRef & { result: JsonObject[string] };
  TaskFailed: ExecutionRef & { error: { code: string; message: string }; willRetry: boolean; nextExecution?: string };
  TaskCancelled: { reason: string | null; executionId: string | null };
  /** `planned`: it can commit. Else what is wanted: `named` are edges that are checked first, `waitsFor` is a bulk that has to end first. */
  TaskReserved: Age & { planned?: Planned; named?: string[]; waitsFor?: string } & Partial<Pick<Claim, 'asked' | 'by'>>;
  TaskReleased: { bulkId: string; next?: string[] };
  /** What `token` stood for can't be told any more, or what was sealed under it not be opened. */
  DataErased: { subject: 'user' | 'task'; token: string };
  CommandRefused: EndOfReservation & {
    command: string;
    code: string;
    title: string;
    detail: string;
    more?: JsonObject /** The proposal that it withdraws. */;
    proposal?: string;
    /** The cascade that goes on without this task. */
    cascade?: Pick<Cascade, 'root' | 'sequence'>;
  };
};

export type TaskEventType = keyof TaskMetadata;
export type TaskEvent = { [T in TaskEventType]: Event<T, Status, TaskMetadata[T]> }[TaskEventType];

/** The version of each event's metadata that this code writes. Older ones are raised by an upcaster before they are folded. */
export const SCHEMA_VERSION = 1;
