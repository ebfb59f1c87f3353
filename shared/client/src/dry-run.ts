import type { ChangeOptions } from './http-call.ts';
import type { Problem } from './outcome.ts';
import type { TaskEvent } from './types.ts';

/** `dryRun`: only tell what would come of it now. Nothing changes and nothing is charged, and no idempotency key is used up. */
export type DryRunOptions = ChangeOptions & { dryRun?: true };

/** What would come of a command. `answer`: as if it had been carried out; the ids in it and in the events are nobody's. */
export type DryRun<D> = { verdict: 'accepted' | 'refused'; answer?: D; problem?: Problem; events: TaskEvent[] };

/** What a call with these options is answered. */
export type Answered<How, D> = How extends { dryRun: true } ? DryRun<D> : 'dryRun' extends keyof How ? D | DryRun<D> : D;
