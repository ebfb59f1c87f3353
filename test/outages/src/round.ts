import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterwards } from './afterwards.ts';
import { type Call, callsOf } from './calls.ts';
import { complaints } from './judge.ts';
import { Published } from './published-commands.ts';
import { NAMED_WITHIN_MS, type Part } from './stated.ts';
import { makeThings } from './things.ts';
import type { World } from './world.ts';

/** A machine that is busy may take longer than callers wait who say nothing. */
const BUSY_S = 5;
/** No append is waited for: that takes 5 s. */
const AT_ONCE_MS = 4_000;

let rounds = 0;

/** One outage: everything that is called while a part is away, and again when it is back. */
export class Round {
  readonly name: string;
  /** What was not as promised, in words. */
  readonly wrong: string[] = [];
  readonly #part: Part;
  readonly #world: World;
  readonly #calls: Call[];
  readonly #published: Published;

  /** Makes what the calls are about, while all is well. */
  static async begin(world: World, part: Part, how: string): Promise<Round> {
    const name = `${part}-${how}-${++rounds}`;
    const [things, published] = await Promise.all([
      makeThings(name, rounds, world.caller, world.receiver.url, () => world.makeLetters(name)),
      Published.prepare(world, name),
    ]);
    return new Round(world, part, name, callsOf(name, world.caller, things), published);
  }

  private constructor(world: World, part: Part, name: string, calls: Call[], published: Published) {
    this.#world = world;
    this.#part = part;
    this.name = name;
    this.#calls = calls;
    this.#published = published;
  }

  /** Calls everything at once, and publishes what can be. */
  async callAll(): Promise<void> {
    const part = this.#part;
    const publishing = this.#published.send(part);
    const told = await Promise.all(
      this.#calls.map((call) => this.#world.caller.ask(part === 'workers' ? call : { ...call, waitS: BUSY_S })),
    );
    await publishing;
    const longest = Math.max(...told.map(({ tookMs }) => tookMs));
    process.stdout.write(`${this.name}: the longest answer took ${longest} ms\n`);
    for (const [i, call] of this.#calls.entries()) if (told[i] !== undefined) this.wrong.push(...complaints(call, told[i], part, [part]));
    this.wrong.push(...(await this.#published.meanwhile(part)));
  }

  /** While Kafka says nothing: a command for a partition that waits already is refused at once, and nothing of it is written. */
  async isRefusedAtOnce(): Promise<void> {
    const path = `/api/v1/tasks/${this.name}-seen/cancel`;
    const { status, text, tookMs } = await this.#world.caller.ask({ method: 'POST', path, body: {} });
    if (status !== 503 || !text.includes('was not taken') || tookMs > AT_ONCE_MS)
      this.wrong.push(`${path}: ${status} ${text} after ${tookMs} ms`);
  }

  /** While no worker decides anything: once commands have waited for 10 s others are shed, and readiness says `degraded`. */
  async isShed(): Promise<void> {
    const { caller } = this.#world;
    const command = { method: 'POST', path: `/api/v1/tasks/${this.name}-seen/cancel`, body: {} };
    const shed = eventually('commands are shed', async () => (await caller.ask(command)).code === 'overloaded');
    await shed.catch((error: unknown) => this.wrong.push(String(error)));
    const { text } = await caller.ask({ method: 'GET', path: '/readyz' });
    if (!text.includes('"degraded"')) this.wrong.push(`GET /readyz, while commands are shed: ${text}`);
  }

  /** How often the receiver was told of one of this round's things. */
  heard = (name: string): number => this.#world.receiver.calls.filter(({ path }) => path.endsWith(`/${this.name}-${name}`)).length;

  /** Every process's readiness names a part in time. */
  async isNamed(): Promise<void> {
    const all = async () => Object.values(await this.#world.down()).every((down) => down.includes(this.#part));
    await eventually(`every process names ${this.#part}`, all, NAMED_WITHIN_MS).catch(async (error: unknown) => {
      this.wrong.push(`${error}: ${JSON.stringify(await this.#world.down())}`);
    });
  }

  /** Everything is well in time, without a restart; what was refused has left nothing; and what is asked again under its key is done, once. */
  async isOver(): Promise<void> {
    process.stdout.write(`${this.name}: all is well ${await this.#world.isWell(this.name)} ms after it is back\n`);
    this.wrong.push(...this.#world.installation.ended());
    this.wrong.push(...(await afterwards(this.#world.caller, this.#calls, this.#part)), ...(await this.#published.afterwards()));
  }
}
