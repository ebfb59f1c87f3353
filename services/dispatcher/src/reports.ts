import type { TargetAnswer } from '@retrigger/delivery/target-answer.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { derive } from '@retrigger/domain/identifiers.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import type { Privacy } from '@retrigger/engine/privacy.ts';
import { pauseUntil } from '@retrigger/lifecycle/pause.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { type Log, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Triggered } from './decode-event.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

type Report = Extract<TaskCommandBody, { body: { executionId: string } }>;

/** A report as a command. Its id is made of the execution, the kind of report and `nth`, so the same report again is the same command. */
function reportCommand(event: Triggered, traceparent: string, report: Report, nth: number | string = ''): Command {
  const { tenantId, taskId, correlationId } = event;
  return {
    commandId: derive('dispatcher', tenantId, report.body.executionId, report.type, nth),
    tenantId,
    taskId,
    actor: { id: 'dispatcher', type: 'executor' },
    roles: [],
    correlationId,
    ...(traceparent === '' ? {} : { traceparent }),
    ...report,
  };
}

export const startReport = (event: Triggered, traceparent: string): Command =>
  reportCommand(event, traceparent, { type: 'StartExecution', body: { executionId: event.executionId } });

/** `at` tells one from the next, epoch ms. */
export const heartbeat = (event: Triggered, traceparent: string, at: number): Command =>
  reportCommand(event, traceparent, { type: 'HeartbeatExecution', body: { executionId: event.executionId } }, at);

/** How a call ended, or why there was none. */
export type Ended =
  | Extract<TargetAnswer, { kind: 'completed' }>
  | { kind: 'failed'; error: { code: string; message: string }; retryable: boolean };

export function endReport(event: Triggered, traceparent: string, answer: Ended): Command {
  const { executionId } = event;
  if (answer.kind === 'completed') {
    return reportCommand(event, traceparent, { type: 'CompleteExecution', body: { executionId, result: answer.result } });
  }
  const { error, retryable } = answer;
  return reportCommand(event, traceparent, { type: 'FailExecution', body: { executionId, error, retryable } });
}

export type Reports = {
  /** Resolves true when the report is in the work log; false when the process ends first. Tries until one of both. */
  append(command: Command): Promise<boolean>;
};

type ReportPorts = {
  log: Log;
  clock: Clock;
  observer: Observer;
  encode(command: Command): NewRecord;
  privacy: Pick<Privacy, 'sealing'>;
};

/** Reports made in the same turn go to the log together. */
export function reportsTo({ log, clock, observer, encode, privacy: { sealing } }: ReportPorts, ending: AbortSignal): Reports {
  let turn: { records: NewRecord[]; appended: Promise<void> } | undefined;

  const appendInTurn = (record: NewRecord): Promise<void> => {
    if (turn === undefined) {
      const records: NewRecord[] = [];
      const appended = Promise.resolve().then(() => {
        turn = undefined;
        return log.append(TOPICS.work, records);
      });
      turn = { records, appended };
    }
    turn.records.push(record);
    return turn.appended;
  };

  return {
    async append(command) {
      for (let failures = 0; !ending.aborted; failures++) {
        try {
          await appendInTurn(encode(await sealing.seal(command)));
          return true;
        } catch (error) {
          const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
          observer.log('warn', 'a report could not be appended; it is tried again', { type: command.type, pauseMs, error: String(error) });
          await pauseUntil(clock.now() + pauseMs, clock, ending);
        }
      }
      return false;
    },
  };
}
