import { WITH_DISKS } from './disks.ts';
import type { Random } from './random.ts';
import { CUT_OFF, SERVICES } from './system.ts';

export type Kind =
  | 'killed'
  | 'paused'
  | 'clock jumps'
  | 'server stopped'
  | 'server killed'
  | 'server paused'
  | 'emptied'
  | 'disk full'
  | 'reset'
  | 'delayed'
  | 'half-open'
  | 'refused'
  | 'cut off';

/** `on`: a service, a server, or `service > server` for what is between the two. `amount`: milliseconds, of a delay or of a clock. */
export type Planned = { atMs: number; kind: Kind; on: string; lastsMs: number; amount: number };

const PAUSED_MS = 15_000;
const JUMP_MS = 300_000;
/** What services lose when it goes. The registry is asked at starts alone. */
const STATEFUL = ['kafka', 'mongo', 'redis'];

type Drawn = Omit<Planned, 'atMs' | 'kind'>;

const service = (random: Random) => random.pick(SERVICES);
const between = (random: Random) => `${service(random)} > ${random.pick([...STATEFUL, 'registry'])}`;
const serverFor = (random: Random) => ({ on: random.pick(STATEFUL), lastsMs: random.between(0, 20_000), amount: 0 });
const wayFor = (random: Random) => ({ on: between(random), lastsMs: random.between(3_000, 20_000), amount: 0 });

/** How often each comes up against the others, and what it is when it does. */
const KINDS: { [kind in Kind]: [weight: number, draw: (random: Random) => Drawn] } = {
  killed: [6, (random) => ({ on: service(random), lastsMs: random.between(200, 5_000), amount: 0 })],
  paused: [3, (random) => ({ on: service(random), lastsMs: PAUSED_MS, amount: 0 })],
  'clock jumps': [
    2,
    (random) => ({ on: service(random), lastsMs: random.between(5_000, 20_000), amount: random.pick([-JUMP_MS, JUMP_MS]) }),
  ],
  'server stopped': [1, serverFor],
  'server killed': [2, serverFor],
  'server paused': [1, serverFor],
  emptied: [1, () => ({ on: 'redis', lastsMs: 0, amount: 0 })],
  'disk full': [2, (random) => ({ on: random.pick(WITH_DISKS), lastsMs: random.between(3_000, 10_000), amount: 0 })],
  reset: [3, (random) => ({ on: between(random), lastsMs: 0, amount: 0 })],
  delayed: [2, (random) => ({ ...wayFor(random), amount: random.between(50, 500) })],
  'half-open': [3, wayFor],
  refused: [2, wayFor],
  'cut off': [
    2,
    (random) => ({ on: `${CUT_OFF} > ${random.pick(['kafka', 'mongo'])}`, lastsMs: random.between(5_000, 20_000), amount: 0 }),
  ],
};

/**
 * The faults of one round, the same for the same seed. Nothing is broken in two ways at once: what is planned for something that is broken already comes to
 * nothing. Every fault has ended after `forMs`.
 */
export function planOf(random: Random, forMs: number, kinds = Object.keys(KINDS) as Kind[]): Planned[] {
  const bag = kinds.flatMap((kind) => Array.from({ length: KINDS[kind][0] }, () => kind));
  const brokenUntil = new Map<string, number>();
  const plan: Planned[] = [];
  for (let atMs = random.between(500, 2_000); atMs < forMs; atMs += random.between(1_000, 4_000)) {
    const kind = random.pick(bag);
    const { on, lastsMs, amount } = KINDS[kind][1](random);
    if ((brokenUntil.get(on) ?? 0) > atMs) continue;
    const ends = Math.min(forMs, atMs + lastsMs);
    brokenUntil.set(on, ends);
    plan.push({ atMs, kind, on, lastsMs: ends - atMs, amount });
  }
  return plan;
}

export const wordsFor = ({ atMs, kind, on, lastsMs, amount }: Planned): string =>
  `${(atMs / 1_000).toFixed(1)} s: ${on} ${kind}${amount === 0 ? '' : ` by ${amount} ms`}${lastsMs === 0 ? '' : ` for ${(lastsMs / 1_000).toFixed(1)} s`}`;
