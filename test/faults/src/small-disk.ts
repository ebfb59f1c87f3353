import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, kill, startCommand } from './child.ts';

const BALLAST = 'ballast';
const BLOCKS = [1_048_576, 4_096];
/** Whatever is started by this is killed when the thread that started it ends, however that ends. */
export const ENDS_WITH_US = ['setpriv', '--pdeathsig', 'KILL'];

/**
 * A mount namespace: what is mounted in it only those see who are started in it. Without root it is one for users besides.
 * D1: it ends with whoever made it, also by SIGKILL, and its mounts with it: the machine itself never has them.
 */
export class PrivateMounts {
  readonly #holder: Child;
  readonly #isRoot = process.getuid?.() === 0;

  /** @throws where there are no such namespaces, or none for us. */
  static async make(): Promise<PrivateMounts> {
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const hold = ['sh', '-c', 'echo held && exec sleep infinity'];
    const holder = startCommand('unshare', [...user, '--mount', ...ENDS_WITH_US, ...hold], { env: {} }, /held/); // D1
    await holder.ready;
    return new PrivateMounts(holder);
  }

  private constructor(holder: Child) {
    this.#holder = holder;
  }

  /** What a command is started by, to run in the namespace; it ends with us (D1), and its own children by themselves. */
  get within(): string[] {
    const user = this.#isRoot ? [] : ['--user', '--preserve-credentials'];
    return ['nsenter', '--target', String(this.#holder.process.pid), '--mount', ...user, ...ENDS_WITH_US];
  }

  /** Starts a TypeScript entry point in the namespace. */
  start(entry: string, args: string[], env: Record<string, string>, readyWhen?: RegExp): Child {
    const [command = '', ...more] = [...this.within, process.execPath, '--disable-warning=ExperimentalWarning', entry, ...args];
    return startCommand(command, more, { env }, readyWhen);
  }

  /** A small disk in memory (tmpfs) at a folder. */
  async disk(folder: string, mebibytes: number): Promise<SmallDisk> {
    mkdirSync(folder, { recursive: true });
    const [command = '', ...more] = [...this.within, 'mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'retrigger-test', folder];
    await promisify(execFile)(command, more);
    return new SmallDisk(folder, `/proc/${this.#holder.process.pid}/root${folder}`);
  }

  /** Nothing may run in it any more. */
  end = (): Promise<void> => kill(this.#holder);
}

export class SmallDisk {
  /** Where those in the namespace see it. */
  readonly folder: string;
  /** The same for everybody else, who must not take the way of its links. */
  readonly outside: string;

  constructor(folder: string, outside: string) {
    this.folder = folder;
    this.outside = outside;
  }

  /** Writes until no block is left, whoever else writes meanwhile. */
  fill(): void {
    const file = openSync(join(this.outside, BALLAST), 'a');
    try {
      for (const bytes of BLOCKS) writeUntilFull(file, Buffer.alloc(bytes));
    } finally {
      closeSync(file);
    }
  }

  makeRoom = (): void => rmSync(join(this.outside, BALLAST), { force: true });
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    while (writeSync(file, block) === block.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
