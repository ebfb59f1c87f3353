import { eventually } from '@retrigger/test-faults/client.ts';
import { afterwards } from './afterwards.ts';
import { type Call, callsOf } from './calls.ts';
import { complaints } from './judge.ts';
import { Published } from './published-commands.ts';
import { NAMED_WITHIN_MS, type Part } from './stated.ts';
import { makeThings } from './things.ts';
import type { World } from './world.ts';

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
    const told = await Promise.all(this.#calls.map((call) => this.#world.caller.ask(call)));
    await publishing;
    const longest = Math.max(...told.map(({ tookMs }) => tookMs));
    process.stdout.write(`${this.name}: the longest answer took ${longest} ms\n`);
    for (const [i, call] of this.#calls.entries()) if (told[i] !== undefined) this.wrong.push(...complaints(call, told[i], part, [part]));
    this.wrong.push(...(await this.#published.meanwhile(part)));
  }

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
