import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CrashPoint } from '@retrigger/ports/reached.ts';
import { afterEach, beforeEach, describe, test } from 'vitest';
import { liveThroughBulkCrash } from './bulk-crash-scenario.ts';
import { type Child, kill, startChild } from './child.ts';
import { Client } from './client.ts';
import { liveThroughCrash } from './crash-scenario.ts';
import { startTarget } from './target.ts';

const KEY = 'a-key-for-the-crash-tests';
const ENTRY = join(import.meta.dirname, 'standalone-that-dies.ts');

const BETWEEN: CrashPoint[] = ['decoded', 'loaded', 'decided', 'emitted', 'answered', 'committed'];
const WITHIN: CrashPoint[] = ['within-events', 'within-receipts', 'within-snapshots', 'within-emit'];
const STEPS: CrashPoint[] = ['events-stored', 'receipts-stored', 'snapshots-saved'];

/** The embedded profile stores a batch in one transaction; the cluster's stores do it in steps. Both die everywhere. */
const CASES = [
  ...[...BETWEEN, ...WITHIN].map((point) => ['transaction', point] as const),
  ...[...BETWEEN, ...WITHIN, ...STEPS].map((point) => ['steps', point] as const),
];

describe('a process that is killed', () => {
  let folder: string;
  let target: Awaited<ReturnType<typeof startTarget>>;
  let children: Child[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'retrigger-crash-'));
    target = await startTarget();
    children = [];
  });

  afterEach(async () => {
    await Promise.all(children.map(kill));
    await target.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (point: string, nth: number, store: string, from = 'now'): Child => {
    const env = {
      PORT: '0',
      RETRIGGER_DATA_DIR: folder,
      RETRIGGER_API_KEY: KEY,
      RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
      RETRIGGER_LOG_LEVEL: 'error',
    };
    const child = startChild(ENTRY, [point, String(nth), store, from], env);
    children.push(child);
    return child;
  };

  test.each(CASES)('%s, %s: nothing acknowledged is lost, nothing is decided twice', async (store, point) => {
    const victim = start(point, WITHIN.includes(point) ? 2 : 30, store); // several documents in one write are rarer than batches
    await liveThroughCrash({
      before: new Client(await victim.ready, KEY),
      died: () => victim.process.signalCode === 'SIGKILL',
      restart: async () => new Client(await start('never', 1, store).ready, KEY),
      target,
    });
  });

  test.each([...BETWEEN, ...WITHIN, ...STEPS])(
    'steps, %s: overlapping bulks are all or nothing each, and nothing stays reserved',
    async (point) => {
      const store = 'steps'; // which has every place to die that a transaction has
      const victim = start(point, WITHIN.includes(point) ? 3 : 15, store, 'later');
      const before = new Client(await victim.ready, KEY);
      await liveThroughBulkCrash(
        {
          before,
          begins: () => void victim.process.kill('SIGUSR2'),
          died: () => victim.process.signalCode === 'SIGKILL',
          restart: async () => new Client(await start('never', 1, store).ready, KEY),
        },
        before,
      );
    },
  );
});
