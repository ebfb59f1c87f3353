import type { Log } from '@retrigger/ports/log.ts';
import type { CrashTarget } from './crash-target.ts';

export type OpenLog = {
  log: Log;
  /** Closes the log and opens it again on what it has stored; absent in an adapter that declares `volatile`. */
  reopen?(): Promise<Log>;
  close(): Promise<void>;
};

/** What an adapter may leave out of the port's promises, each with its reason. */
export type LogDeviations = {
  /** A group has one consumer; a second `consume` is refused. */
  oneConsumerPerGroup?: string;
  /** Nothing outlives the process. */
  volatile?: string;
};

export type LogAdapter = {
  /** A log with these topics, made with their partition counts where they do not exist. Topic names are unique to a test. */
  open(topics: { [topic: string]: number }): Promise<OpenLog>;
  /** How long anything may take. */
  timeoutMs: number;
  deviations: LogDeviations;
  /** How a process of its own opens the log, to be killed; absent in a volatile adapter. */
  crash?: CrashTarget;
};
