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
  /** How often it may be asked at once for executions of one type; 1 when absent. */
  readonly mostAsked?: number;
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
 * X4: while there is something to take, the source is asked anew before it has answered the last time, each time for a share of the room, for few large answers
 * cost less than many small ones; who asks alone asks for whatever there is room for. While there is nothing, it is asked once.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  const { client, types, run, concurrency = 1, trouble = toStderr } = options;
  const source = options.source ?? httpClaims(client);
  const running = { client, run, trouble, heartbeatEveryMs: options.heartbeatEveryMs };
  const stopping = new AbortController();
  const { mostAsked = 1 } = source;
  const mostOf = (type: string): number => (typeof concurrency === 'number' ? concurrency : (concurrency[type] ?? 1));
  const slots = new Map(types.map((type) => [type, new Slots(mostOf(type))]));

  async function serve(type: string, room: Slots, share: number): Promise<void> {
    const asking = new Set<Promise<void>>();
    let open = 0;

    function askMore(): void {
      if (open >= mostAsked || stopping.signal.aborted) return;
      open++;
      const one = ask().finally(() => asking.delete(one));
      asking.add(one);
    }

    async function ask(): Promise<void> {
      for (let failures = 0; !stopping.signal.aborted; ) {
        const found = await takeSome();
        failures = found === 'failed' ? failures + 1 : 0;
        if (found === 'some') askMore();
        else if (open > 1) {
          open--; // X4
          return;
        } else if (found === 'failed') {
          const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)); // X3
          await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
        }
      }
    }

    async function takeSome(): Promise<'some' | 'none' | 'failed'> {
      const reserved = await room.reserve(share, stopping.signal); // X4
      if (reserved === 0) return 'none';
      try {
        const taken = await source.take(type, reserved, stopping.signal);
        const runs = taken.map((execution) => () => runToEnd(execution, running));
        room.use(reserved, runs); // X1, X2
        return runs.length > 0 ? 'some' : 'none';
      } catch (error) {
        room.use(reserved, []);
        const problem = error instanceof ProblemError ? error.problem : problemOf('unreachable', String(error));
        trouble(`no executions of ${type} could be taken`, problem);
        return 'failed';
      }
    }

    askMore();
    while (asking.size > 0) await Promise.all(asking);
    await room.idle();
  }

  const serving = [...slots].map(([type, room]) => serve(type, room, Math.ceil(mostOf(type) / mostAsked)));
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
