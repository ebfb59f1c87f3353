import { bulkDecider } from './bulk/decider.ts';
import type { BulkEvent } from './bulk/events.ts';
import { join } from './bulk/join.ts';
import type { BulkState } from './bulk/state.ts';
import type { Decider } from './decider.ts';
import type { Event } from './event.ts';
import { isBulkName } from './identifiers.ts';
import { taskDecider } from './task/decider.ts';
import type { TaskEvent } from './task/events.ts';
import { STATUSES, type TaskState } from './task/state.ts';

/** Both kinds of aggregate as one: which it is, its name says. */
export const domainDecider: Decider<TaskState | BulkState> = {
  decide: (state, command, head, at, evidence) =>
    isBulkName(command.taskId)
      ? bulkDecider.decide(state as BulkState | undefined, command, head, at, evidence)
      : taskDecider.decide(state as TaskState | undefined, command, head, at, evidence),
  evolve: (state, event) =>
    isOfBulk(event)
      ? bulkDecider.evolve(state as BulkState | undefined, event)
      : taskDecider.evolve(state as TaskState | undefined, event as TaskEvent),
  answer: (event, state) =>
    isOfBulk(event)
      ? bulkDecider.answer(event, state as BulkState | undefined)
      : taskDecider.answer(event as TaskEvent, state as TaskState | undefined),
  concludes: (event) => (isOfBulk(event) ? bulkDecider.concludes(event) : undefined),
  commandsOf: (event) => (isOfBulk(event) ? bulkDecider.commandsOf(event) : taskDecider.commandsOf(event as TaskEvent)),
  react: (event, command) => (isOfBulk(event) ? bulkDecider.react(event, command) : taskDecider.react(event as TaskEvent, command)),
  announce: (event) => (isOfBulk(event) ? bulkDecider.announce(event) : taskDecider.announce(event as TaskEvent)),
  lookup: (state) => ('bulkId' in state ? bulkDecider.lookup(state) : taskDecider.lookup(state)),
  isTold: (event) => !isOfBulk(event),
  join,
};

/** Whose first events may go into archives: those of tasks in any status, and of bulks that have ended. */
export const ARCHIVABLE: readonly string[] = [...STATUSES, 'Ended'];

const isOfBulk = (event: Event): event is Event & BulkEvent => isBulkName(event.taskId);
