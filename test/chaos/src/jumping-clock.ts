/**
 * Preloaded into a process (`--import`): its calendar is off by as many milliseconds as the file `CHAOS_CLOCK` says, and jumps when that changes. Timers go on as
 * they do when somebody sets a machine's clock.
 */
import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 200;
const file = process.env.CHAOS_CLOCK ?? '';
const RealDate = Date;
let offset = 0;

function look(): void {
  try {
    offset = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    offset = 0;
  }
}

look();
setInterval(look, LOOK_EVERY_MS).unref();

globalThis.Date = class extends RealDate {
  constructor(...args: []) {
    if (args.length === 0) super(RealDate.now() + offset);
    else super(...args);
  }

  static override now(): number {
    return RealDate.now() + offset;
  }
} as DateConstructor;
