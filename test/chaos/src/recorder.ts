import type { Bulk, Run } from '@retrigger/test-history/effect-checkers.ts';
import type { Acknowledged, Call, Violation } from '@retrigger/test-history/recorded.ts';

/** What a task must have come to in the end. `run`: it has been run by somebody and has ended well. */
export type Wanted = 'run' | 'anything';

/** What the world outside has seen in one round: users, executors, targets, subscribers. It knows nothing of the system's inside. */
export class Recorder {
  readonly round: string;
  readonly acknowledged: Acknowledged[] = [];
  /** What was told of commands that were published; `commandId` is the sender's. */
  readonly published: Acknowledged[] = [];
  readonly calls: Call[] = [];
  readonly runs: Run[] = [];
  readonly bulks: Bulk[] = [];
  /** What must become of each task, by `tenant/task`. */
  readonly tasks = new Map<string, Wanted>();
  /** What was wrong at the very moment. */
  readonly wrong: Violation[] = [];
  /** How often each answer that decides nothing was given. */
  readonly undecided = new Map<string, number>();
  /** Since when everything is whole again (`performance.now`); null = it is being broken. */
  wholeSince: number | null = null;
  isOver = false;

  constructor(round: string) {
    this.round = round;
  }

  notDecided(what: string): void {
    this.undecided.set(what, (this.undecided.get(what) ?? 0) + 1);
  }
}
