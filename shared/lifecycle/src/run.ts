import type { Observer } from '@retrigger/ports/observer.ts';
import { parentGone } from './parent-gone.ts';

/** What a composition leads to. `cannot_start` is for what its user can mend: a bad setting, a taken port, a folder in use. */
export type Composed = { kind: 'started'; stop(): Promise<void>; observer?: Observer } | { kind: 'cannot_start'; message: string };

export type RunOptions = {
  /** How long a stop may take before the process ends without it; 10 s. What is durable stays so either way. */
  stopWithinMs?: number;
  /** Whether the end of the process that started this one is a signal too. */
  endsWithParent?: boolean;
};

const CANNOT_START = 1;
/** EX_SOFTWARE of sysexits.h: a bug, or a machine that broke. */
const BROKEN = 70;
const DEFAULT_STOP_MS = 10_000;

/**
 * Starts a service and makes this process its own: SIGTERM and SIGINT stop it and end the process with 0.
 * G1: `stop` is called once, however many signals come (a terminal and npm both send SIGINT), and not before the start has ended.
 * G2: a service that can't start says so in one line on stderr and ends with 1; nothing else is printed.
 * G3: an error that nobody caught, and a stop that fails or takes too long, is logged and ends the process with 70: the state of such a process is not
 * known, and starting again is safe.
 * Resolves once the service runs.
 */
export async function run(compose: () => Promise<Composed>, options: RunOptions = {}): Promise<void> {
  let observer: Observer | undefined;
  const broken = (what: string, error: unknown): never => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (observer === undefined) process.stderr.write(`${what}: ${detail}\n`);
    else observer.log('error', what, { error: detail });
    return process.exit(BROKEN); // G3
  };
  process.on('uncaughtException', (error) => broken('uncaught error', error));
  process.on('unhandledRejection', (error) => broken('unhandled rejection', error));

  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve()); // G1
    if (options.endsWithParent) void parentGone().then(resolve);
  });

  const withinMs = options.stopWithinMs ?? DEFAULT_STOP_MS;
  void signalled.then(() => setTimeout(() => broken('the stop took too long', `no end after ${withinMs} ms`), withinMs)); // also of a start that hangs

  const composed = await compose().catch((error: unknown) => broken('the start failed', error));
  if (composed.kind === 'cannot_start') {
    process.stderr.write(`${composed.message.replaceAll(/\s*\n\s*/g, ' ')}\n`); // G2
    process.exit(CANNOT_START);
  }
  observer = composed.observer;
  void signalled
    .then(() => composed.stop())
    .then(
      () => process.exit(0),
      (error: unknown) => broken('the stop failed', error),
    );
}
