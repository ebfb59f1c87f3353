import type { Command } from '@retrigger/domain/command.ts';
import type { Schedule } from '@retrigger/domain/schedule.ts';
import type { CreateTaskBody, RescheduleBody } from '@retrigger/domain/task/commands.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import { wakeCommand } from '@retrigger/domain/task/react.ts';
import { command, type completed } from './command-samples.ts';
import { type History, MORNING, NO_HISTORY, runningExecution, type Step, step } from './task-history.ts';

export const MINUTE = 60_000;
export const createWith = (body: Partial<CreateTaskBody>): Command =>
  command({ type: 'CreateTask', body: { type: 't', ...body } }, { commandId: 'c-create' });
export const reschedule = (schedule: Schedule, more: Partial<RescheduleBody> = {}, commandId = 'c-reschedule'): Command =>
  command({ type: 'RescheduleTask', body: { schedule, ...more } }, { commandId });

export const decided = (history: History, next: Command, afterMs = 0): Step => step(history, next, MORNING + afterMs);
export const played = (...moves: [Command | ((history: History) => Command), number][]): History =>
  moves.reduce<History>(
    (history, [next, afterMs]) => decided(history, typeof next === 'function' ? next(history) : next, afterMs).history,
    NO_HISTORY,
  );
export const wakeAt = (history: History): number | null => (history.state === undefined ? null : taskDecider.lookup(history.state).wakeAt);

/** Wakes the task at a time after the morning, as the owner of its partition does. */
export const wake = (history: History, afterMs: number, silentSince: number | null = null): Step =>
  decided(history, wakeCommand('acme', 'deploy', wakeAt(history) ?? 0, silentSince, MORNING + afterMs), afterMs);

export const report = (make: typeof completed) => (history: History) => make(runningExecution(history));
export const at = (afterMs: number): string => new Date(MORNING + afterMs).toISOString();
