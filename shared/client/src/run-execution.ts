import { parseDuration } from '@retrigger/domain/duration.ts';
import type { Client } from './client.ts';
import type { Outcome, Problem } from './outcome.ts';
import type { Execution, Json, Reported } from './types.ts';

/**
 * What an executor does with an execution. What it returns is the result, as JSON of at most 256 KiB; what it throws fails the attempt, which is tried again by the task's policy unless it
 * is `Final`. `signal` aborts when there is no more use in going on: the deadline has passed, or the execution was cancelled, forced or taken. `executionId` is
 * the same whenever the same attempt is run again, `runId` for all attempts of one trigger: use them as keys of your own effects.
 */
export type Run = (execution: Execution, signal: AbortSignal) => Promise<unknown>;

/** Thrown by a run: another attempt would fail too. */
export class Final extends Error {}

/** Told what went wrong outside of a run: a report that could not be made, a server that is away. */
export type Trouble = (what: string, problem: Problem) => void;

/** `heartbeatEveryMs`: a third of the silence that is allowed, when absent. */
export type Running = { client: Client; run: Run; trouble: Trouble; heartbeatEveryMs?: number | undefined };

/** Three heartbeats fit into the silence that is allowed. */
const BEATS = 3;
const DEFAULT_SILENCE_MS = 60_000;
/** So long a report is tried; by then the execution has long been given up for silence. */
const REPORT_WITHIN_MS = 120_000;
const LONGEST_ERROR = 4_096;
/** What a timer can hold. */
const LONGEST_MS = 2_147_483_647;

/**
 * Runs one execution to its end: heartbeats while it runs, its result or error as the report.
 * N1: once the execution is stale, or its deadline has passed, nothing is reported any more.
 */
export async function runToEnd(execution: Execution, { client, run, trouble, heartbeatEveryMs }: Running): Promise<void> {
  const { executionId, deadlineAt } = execution;
  const useless = new AbortController();
  const late =
    deadlineAt === undefined ? undefined : setTimeout(() => useless.abort(new Error('its deadline has passed')), leftMs(deadlineAt));
  const everyMs = heartbeatEveryMs ?? (parseDuration(execution.heartbeatTimeout) ?? DEFAULT_SILENCE_MS) / BEATS;
  const stopBeating = beat({ client, trouble, executionId, everyMs }, useless);
  const report = await (async () => run(execution, useless.signal))().then(
    (result) => () => completed(client, executionId, result),
    (error: unknown) => () => failed(client, executionId, error),
  );
  clearTimeout(late);
  await stopBeating();
  if (useless.signal.aborted) return; // N1
  const outcome = await report();
  if (!outcome.ok && outcome.problem.code !== 'stale_execution') trouble(`execution ${executionId} could not be reported`, outcome.problem);
}

/** A result that can't be kept fails the execution for good. */
async function completed(client: Client, executionId: string, result: unknown): Promise<Outcome<Reported>> {
  const json = jsonOf(result);
  if (json.kind === 'none') return failed(client, executionId, new Final('Its result is no JSON'));
  const outcome = await client.completed(executionId, json.body, { withinMs: REPORT_WITHIN_MS });
  if (outcome.ok || ![400, 413].includes(outcome.problem.status)) return outcome;
  return failed(client, executionId, new Final(`Its result can not be kept: ${outcome.problem.detail}`));
}

function jsonOf(result: unknown): { kind: 'json'; body: { result?: Json } } | { kind: 'none' } {
  try {
    const text = JSON.stringify(result);
    return { kind: 'json', body: text === undefined ? {} : { result: JSON.parse(text) } };
  } catch {
    return { kind: 'none' };
  }
}

const failed = (client: Client, executionId: string, error: unknown): Promise<Outcome<Reported>> =>
  client.failed(executionId, failureOf(error), { withinMs: REPORT_WITHIN_MS });

/** Says every so often that it runs, while that is of use. What it returns ends that, and resolves when nothing is said any more. */
function beat(
  { client, trouble, executionId, everyMs }: { client: Client; trouble: Trouble; executionId: string; everyMs: number },
  useless: AbortController,
): () => Promise<void> {
  let saying: { ending: AbortController; said: Promise<void> } | undefined;
  const say = async (signal: AbortSignal): Promise<void> => {
    const outcome = await client.heartbeat(executionId, { withinMs: everyMs, signal });
    if (!outcome.ok && outcome.problem.code === 'stale_execution') useless.abort(new Error(outcome.problem.detail));
    else if (!outcome.ok && outcome.problem.code !== 'aborted') trouble(`a heartbeat of ${executionId} was not taken`, outcome.problem);
    if (!signal.aborted) timer = setTimeout(next, everyMs);
  };
  const next = (): void => {
    if (useless.signal.aborted) return;
    const ending = new AbortController();
    saying = { ending, said: say(ending.signal) };
  };
  let timer = setTimeout(next, everyMs);
  return async () => {
    clearTimeout(timer);
    saying?.ending.abort();
    await saying?.said;
  };
}

const leftMs = (instant: string): number => Math.min(LONGEST_MS, Math.max(0, Date.parse(instant) - Date.now()));

const failureOf = (error: unknown) => ({
  error: (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_ERROR),
  ...(error instanceof Final ? { retryable: false } : {}),
});
