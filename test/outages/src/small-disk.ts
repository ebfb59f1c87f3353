import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, kill, startCommand } from '@retrigger/test-faults/child.ts';

const CHUNK = Buffer.alloc(65_536, 1);

/** A file system of some MiB in memory that only processes started here see, by a mount namespace of its own; without root by one more for users. */
export class SmallDisk {
  /** Where those processes see it. */
  readonly folder: string;
  /** The same for everybody else, who must not take the way of its links. */
  readonly #outside: string;
  readonly #holder: Child;
  readonly #isRoot = process.getuid?.() === 0;

  static async mount(mebibytes: number): Promise<SmallDisk> {
    const folder = mkdtempSync(join(tmpdir(), 'retrigger-small-disk-'));
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const mount = `mount -t tmpfs -o size=${mebibytes}m tmpfs "${folder}" && echo mounted && exec sleep 600`;
    const holder = startCommand('unshare', [...user, '--mount', 'sh', '-c', mount], { env: {} }, /mounted/);
    try {
      await holder.ready;
    } catch (error) {
      rmSync(folder, { recursive: true });
      throw error;
    }
    return new SmallDisk(folder, holder);
  }

  private constructor(folder: string, holder: Child) {
    this.folder = folder;
    this.#outside = `/proc/${holder.process.pid}/root${folder}`;
    this.#holder = holder;
  }

  /** Starts an entry point in the namespace that has the disk. */
  start(entry: string, args: string[], env: Record<string, string>, readyWhen?: RegExp): Child {
    const enter = ['--target', String(this.#holder.process.pid), '--mount', ...(this.#isRoot ? [] : ['--user', '--preserve-credentials'])];
    return startCommand(
      'nsenter',
      [...enter, process.execPath, '--disable-warning=ExperimentalWarning', entry, ...args],
      { env },
      readyWhen,
    );
  }

  /** Takes what room there is. */
  fill(): void {
    const file = openSync(join(this.#outside, 'filler'), 'w');
    try {
      for (;;) writeSync(file, CHUNK);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(file);
    }
  }

  makeRoom = (): void => rmSync(join(this.#outside, 'filler'));

  async end(): Promise<void> {
    await kill(this.#holder);
    rmSync(this.folder, { recursive: true });
  }
}
