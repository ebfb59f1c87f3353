import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ip = (...args: string[]) => run('ip', args);

/** 198.18.0.0/15 is set apart for tests of networks. Links of several runs differ in the third byte. */
async function freeThird(): Promise<number> {
  for (;;) {
    const third = randomInt(1, 250);
    const { stdout } = await ip('-o', '-4', 'addr', 'show', 'to', `198.18.${third}.0/24`);
    if (stdout.trim() === '') return third;
  }
}

/**
 * A network namespace for one process, with several links out of it: what a cut link carries vanishes, and neither side is told.
 */
export class CutOff {
  readonly name: string;
  /** By link: `near`, where a proxy listens for the process, and `far`, where the process itself can listen. */
  readonly ends = new Map<string, { near: string; far: string }>();

  private constructor(name: string) {
    this.name = name;
  }

  /** Undefined where namespaces can't be made: that needs root and `ip` (iproute2). */
  static async make(links: string[]): Promise<CutOff | undefined> {
    const name = `chaos${randomBytes(3).toString('hex')}`;
    const made = new CutOff(name);
    try {
      const third = await freeThird();
      await ip('netns', 'add', name);
      await ip('-n', name, 'link', 'set', 'lo', 'up');
      for (const [i, link] of links.entries()) {
        const [near, far] = [`198.18.${third}.${4 * i + 1}`, `198.18.${third}.${4 * i + 2}`];
        await ip('link', 'add', made.#device(link), 'type', 'veth', 'peer', 'name', 'to', 'netns', name);
        await ip('-n', name, 'link', 'set', 'to', 'name', `to-${link}`);
        await ip('addr', 'add', `${near}/30`, 'dev', made.#device(link));
        await ip('-n', name, 'addr', 'add', `${far}/30`, 'dev', `to-${link}`);
        await ip('link', 'set', made.#device(link), 'up');
        await ip('-n', name, 'link', 'set', `to-${link}`, 'up');
        made.ends.set(link, { near, far });
      }
      return made;
    } catch {
      await made.remove();
      return undefined;
    }
  }

  /** What a command is started by, to run in the namespace. */
  get within(): string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  async cut(link: string): Promise<void> {
    await ip('link', 'set', this.#device(link), 'down');
  }

  async mend(link: string): Promise<void> {
    await ip('link', 'set', this.#device(link), 'up');
  }

  /** Also takes its links away. */
  async remove(): Promise<void> {
    await ip('netns', 'del', this.name).catch(() => {});
  }

  /** Names of devices have 15 characters at most. */
  #device = (link: string): string => `${this.name.slice('chaos'.length)}${link.slice(0, 8)}`;
}
