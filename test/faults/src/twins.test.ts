import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CrashPoint } from '@retrigger/ports/reached.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, kill, startChild } from './child.ts';
import { Client } from './client.ts';
import { twinsAgree } from './twins.ts';

const KEY = 'a-key-for-two-hundred-twins';
const THAT_DIES = join(import.meta.dirname, 'standalone-that-dies.ts');
const MAIN = join(import.meta.dirname, '../../../services/standalone/src/main.ts');
/** The batch of the creation comes first. */
const NTH = '2';
const POINTS: CrashPoint[] = ['decided', 'events-stored', 'receipts-stored', 'answered'];

describe('AC-02 two hundred twins at once', () => {
  let folder: string;
  let children: Child[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'retrigger-twins-'));
    children = [];
  });

  afterEach(async () => {
    await Promise.all(children.map(kill));
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (entry: string, args: string[] = []): Promise<Client> => {
    const child = startChild(entry, args, { PORT: '0', RETRIGGER_DATA_DIR: folder, RETRIGGER_API_KEY: KEY, RETRIGGER_LOG_LEVEL: 'error' });
    children.push(child);
    return new Client(await child.ready, KEY);
  };

  test.each(POINTS)('and the process killed in between (%s): one execution, the same bytes, default limits', async (point) => {
    const before = await start(THAT_DIES, [point, NTH, 'steps']);
    let again: Promise<Client> | undefined;
    const afterDeath = () => {
      again ??= (children[0] as Child).ended.then(() => start(MAIN));
      return again;
    };
    await twinsAgree([before], afterDeath);
    expect(await (children[0] as Child).ended).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
