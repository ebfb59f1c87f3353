import type { Clock } from '@retrigger/ports/clock.ts';
import type { LogConsumer } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { backoffMs, pause } from './pause.ts';

const TICK_MS = 1_000;
/** Above the 15 s that a join may take and the 30 s for which KafkaJS looks for a lost broker. */
const SILENT_TICKS = 40;
const UNHEALTHY_TICKS = 5;
const LONGEST_PAUSE_MS = 5_000;

/** What is watched: one try at being a consumer (group-member.ts). */
export type WatchedMember = {
  readonly consuming: boolean;
  /** Whether it ever was `consuming`. */
  readonly consumed: boolean;
  /** Grows with everything that shows life. */
  readonly progress: number;
  /** Resolves with why, once the member has ended and everything was revoked. */
  run(predecessors: Map<number, Promise<void>>): Promise<string>;
  abandon(reason: string): void;
  stop(): Promise<void>;
};

export type WatchedConsumer = LogConsumer & {
  /** True while it has its part of the group and fetches. */
  readonly healthy: boolean;
};

/**
 * Keeps a consumer alive. KafkaJS stops for good on errors that it calls non-retriable, and can stop fetching without a word.
 * D1: a member that has ended is followed by a new one, after a pause of 100 ms, doubled for every one in a row that never consumed, up to 5 s.
 * D2: a member that neither fetches nor joins for 40 ticks of a second is given up. Ticks, not time: a process that was paused does not blame its consumer.
 * D3: a member begins when the one before has revoked everything.
 */
export function watchConsumer(make: () => WatchedMember, group: string, clock: Clock, observer: Observer): WatchedConsumer {
  const stopping = new AbortController();
  const predecessors = new Map<number, Promise<void>>();
  let member: WatchedMember | undefined;
  let silentTicks = 0;

  /** Counts the ticks of one member until it ends. */
  async function tick(watched: WatchedMember, ended: AbortSignal): Promise<void> {
    silentTicks = 0;
    for (let seen = -1; !ended.aborted; await pause(clock, TICK_MS, ended)) {
      silentTicks = watched.progress === seen ? silentTicks + 1 : 0;
      seen = watched.progress;
      if (silentTicks >= SILENT_TICKS) watched.abandon('it neither fetches nor joins'); // D2
    }
  }

  const ended = (async () => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      const ending = new AbortController();
      member = make();
      const ticking = tick(member, ending.signal);
      const reason = await member.run(predecessors); // D3
      ending.abort();
      await ticking;
      failures = member.consumed ? 0 : failures + 1;
      if (stopping.signal.aborted) break;
      observer.log('warn', 'a consumer ended; a new one takes its place', { group, reason, failures });
      await pause(clock, backoffMs(failures, LONGEST_PAUSE_MS), stopping.signal); // D1
    }
  })();

  return {
    get healthy() {
      return member?.consuming === true && silentTicks < UNHEALTHY_TICKS;
    },
    async stop() {
      stopping.abort();
      await member?.stop();
      await ended;
    },
  };
}
