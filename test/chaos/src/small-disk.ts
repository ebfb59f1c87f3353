import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BALLAST = 'ballast';
const BLOCKS = [1_048_576, 4_096];

/** A small disk in memory (tmpfs), mounted at a folder. */
export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Undefined where nothing can be mounted: that needs root. */
  static async mount(folder: string, megabytes: number): Promise<SmallDisk | undefined> {
    mkdirSync(folder, { recursive: true });
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'retrigger-chaos', folder]).catch(() => undefined);
    return mounted === undefined ? undefined : new SmallDisk(folder);
  }

  /** Writes until no block is left, whoever else writes meanwhile. */
  fill(): void {
    const file = openSync(join(this.folder, BALLAST), 'a');
    try {
      for (const bytes of BLOCKS) writeUntilFull(file, Buffer.alloc(bytes));
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(join(this.folder, BALLAST), { force: true });
  }

  async unmount(): Promise<void> {
    await run('umount', ['-l', this.folder]).catch(() => {});
  }
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    while (writeSync(file, block) === block.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
