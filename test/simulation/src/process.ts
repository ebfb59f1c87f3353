/** Whatever dies, stops for a while, and has a clock of its own. */
export class Process {
  isAlive = true;
  pausedUntil = 0;
  /** What its clock shows more than the true time, in milliseconds. */
  clockOffset = 0;
  /** Its ordered operations, the running one first. */
  readonly lane: Operation[] = [];
  /** What happens to it after so many more operations. */
  readonly ambushes: { left: number; act: () => void }[] = [];
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A call of a port that waits for its turn. */
export type Operation = {
  process: Process;
  label: string;
  /** Its documents, one after the other; `done` of them are written. */
  steps: (() => void)[];
  done: number;
  isOrdered: boolean;
  /** Never goes wrong by itself. */
  isSafe: boolean;
  end(isLost: boolean): void;
  fail(): void;
  /** Takes effect although nobody will hear of it. */
  complete(): void;
};

/** `localAt` by the owner's clock, `at` in true time. */
export type Timer = { owner: Process | null; localAt: number; at: number; fire: () => void; isCancelled: boolean };

/** A fault that was meant. Every other error is a finding. */
export class InjectedFault extends Error {
  static readonly sign = 'injected fault';

  constructor(what: string) {
    super(`${InjectedFault.sign}: ${what}`);
  }
}
