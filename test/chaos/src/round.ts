import type { Violation } from '@retrigger/test-history/recorded.ts';
import { CLAIMED_TYPE, CONSUMED_TYPE } from './executors.ts';
import { judge } from './judge.ts';
import type { Outside } from './outside.ts';
import type { Random } from './random.ts';
import { Reader } from './reader.ts';
import { Recorder } from './recorder.ts';
import { settle } from './settle.ts';
import { live } from './stories.ts';
import type { System } from './system.ts';
import { type Tenant, User } from './user.ts';

const USERS_OF_EACH_TENANT = 10;
/** A round that decides less has shown nothing. */
const FEWEST_ANSWERS = 40;

/** `hurt` breaks things while users live, and resolves with what it did, in words. */
export type Round = { name: string; hurt(recorder: Recorder): Promise<string> };

/** Users live while things break, then all is mended; resolves with every promise that was broken. */
export async function playRound(
  { name, hurt }: Round,
  system: System,
  tenants: Tenant[],
  outside: Outside,
  random: Random,
  say: (line: string) => void,
): Promise<Violation[]> {
  const recorder = new Recorder(name);
  outside.recorder = recorder;
  for (const told of outside.news.values()) told.length = 0;
  const executors = { targetUrl: `${outside.url}/run`, claimedType: CLAIMED_TYPE, consumedType: CONSUMED_TYPE };
  const lives = tenants.flatMap((tenant) =>
    Array.from({ length: USERS_OF_EACH_TENANT }, (_, n) => live(new User(tenant, recorder, random.fork()), `${name}-${n}`, executors)),
  );
  const lived = Promise.all(lives);
  lived.catch(() => {}); // told below
  const done = await hurt(recorder);
  await system.heal();
  recorder.wholeSince = performance.now();
  recorder.isOver = true;
  await lived;
  const reader = new Reader(tenants);
  const { wrong, took } = await settle(system, recorder, reader, outside);
  const judged = await judge(system, recorder, reader, outside);
  const { acknowledged, published, bulks, calls, runs, undecided } = recorder;
  const heard = [...outside.news.values()].reduce((sum, { length }) => sum + length, 0);
  say(took.join('; '));
  say(
    `${done}; ${acknowledged.length} commands and ${bulks.length} bulks answered, ${published.length} published, ${calls.length} calls, ${runs.length} runs, ` +
      `${judged.events} events, ${heard} news; asked again: ${[...undecided].map(([what, count]) => `${count} times ${what}`).join(', ')}`,
  );
  const few = acknowledged.length < FEWEST_ANSWERS ? [`only ${acknowledged.length} commands were answered: this round shows nothing`] : [];
  return [...few, ...wrong, ...judged.wrong, ...system.crashes()];
}
