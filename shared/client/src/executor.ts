import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from './client.ts';
import { httpClaims } from './http-claims.ts';
import { ProblemError, problemOf } from './outcome.ts';
import { type Run, runToEnd, type Trouble } from './run-execution.ts';
import { Slots } from './slots.ts';
import type { Execution } from './types.ts';

/** Where executions come from. */
export type Source = {
  /**
   * Executions of this type that are this executor's now, at most `room`; none when there were none for a while, or soon after `stopping` aborts.
   * What it resolves with is run. Rejects when it can't be asked.
   */
  take(type: string, room: number, stopping: AbortSignal): Promise<Execution[]>;
  close(): Promise<void>;
};

export type ExecutorOptions = {
  /** With the key of an executor: `execution:claim` and `execution:report`. */
  client: Client;
  /** The types of tasks that it runs. */
  types: string[];
  run: Run;
  /** How many it runs at once, of each type or by type; 1. */
  concurrency?: number | { [type: string]: number };
  /** How soon a run learns that its execution was cancelled or forced; a third of the silence that is allowed (20 s) when absent. */
  heartbeatEveryMs?: number;
  /** Claims over HTTP when absent. */
  source?: Source;
  /** Told what goes wrong outside of a run; it goes on by itself. Writes a line to stderr when absent. */
  trouble?: Trouble;
};

export type Executor = {
  /** Takes no more and resolves when everything that runs has ended and been reported. */
  stop(): Promise<void>;
  /** How many run now. */
  readonly running: number;
};

const LONGEST_PAUSE_MS = 5_000;
const FIRST_PAUSE_MS = 100;

/**
 * Runs executions of tasks that have no target.
 * X1: never more of a type are taken than there is room for, so what waits, waits in Retrigger and not in this process's memory.
 * X2: what was taken is run and reported, also while it stops. X3: a source that fails is asked again, later and later up to 5 s.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  const { client, types, run, concurrency = 1, trouble = toStderr } = options;
  const source = options.source ?? httpClaims(client);
  const running = { client, run, trouble, heartbeatEveryMs: options.heartbeatEveryMs };
  const stopping = new AbortController();
  const slots = new Map(types.map((type) => [type, new Slots(typeof concurrency === 'number' ? concurrency : (concurrency[type] ?? 1))]));

  async function serve(type: string, room: Slots): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; ) {
      await room.free(stopping.signal);
      if (stopping.signal.aborted) break;
      try {
        const taken = await source.take(type, room.left, stopping.signal); // X1
        failures = 0;
        for (const execution of taken) room.run(() => runToEnd(execution, running)); // X2
      } catch (error) {
        const problem = error instanceof ProblemError ? error.problem : problemOf('unreachable', String(error));
        trouble(`no executions of ${type} could be taken`, problem);
        const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++); // X3
        await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
    await room.idle();
  }

  const serving = [...slots].map(([type, room]) => serve(type, room));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(serving);
      await source.close();
    },
    get running() {
      return [...slots.values()].reduce((sum, room) => sum + room.running, 0);
    },
  };
}

const toStderr: Trouble = (what, { code, detail }) => void process.stderr.write(`retrigger executor: ${what}: ${code}: ${detail}\n`);
