// Breaks a whole cluster on this machine, by a seeded plan, while tenants use it; then looks at what the world outside was told and at every history.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cluster, clusterWithin } from '@retrigger/test-cluster/servers.ts';
import { PrivateMounts } from '@retrigger/test-faults/small-disk.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import type { Violation } from '@retrigger/test-history/recorded.ts';
import { disksFor } from './disks.ts';
import { startExecutors } from './executors.ts';
import { fullDisk } from './full-disk.ts';
import { fullStore } from './full-store.ts';
import { inflict } from './inflict.ts';
import { startOutside } from './outside.ts';
import { type Kind, planOf } from './plan.ts';
import { Random } from './random.ts';
import { playRound, type Round } from './round.ts';
import { System } from './system.ts';
import { foundTenants, TENANTS } from './tenants.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kinds: { type: 'string' },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
const kinds = values.kinds?.split(',') as Kind[] | undefined;

const FAULTS_MS = 45_000;
/** What a round may take after its faults, most of the time. */
const CALM_MS = 45_000;
const SHOWN = 40;
/** Whatever hangs then keeps nobody from being told what was broken. */
const UNDONE_WITHIN_MS = 120_000;
/** Six processes begin at once. */
const READY_WITHIN_MS = 300_000;

const startedAt = performance.now();
const passedMs = () => performance.now() - startedAt;
const say = (line: string) => void process.stdout.write(`[${(passedMs() / 1_000).toFixed(0)} s] ${line}\n`);

const parent = mkdtempSync(join(tmpdir(), 'retrigger-chaos-'));
const clusterFolder = join(parent, 'cluster');
process.env.RETRIGGER_CLUSTER_DIR = clusterFolder;
process.env.RETRIGGER_TEST_RUN = 'chaos';
const undo: (() => Promise<unknown>)[] = [];
let isUndone: Promise<void> | null = null;
async function undoAll(): Promise<void> {
  for (const step of undo.toReversed()) {
    const late = pause(UNDONE_WITHIN_MS, undefined, { ref: false }).then(() => say(`cleaning up: ${step} takes too long`));
    await Promise.race([step(), late]).catch((error: unknown) => say(`cleaning up: ${error}`));
  }
}
const cleanUp = (): Promise<void> => {
  isUndone ??= undoAll();
  return isUndone;
};
const giveUp = (): void => void cleanUp().then(() => process.exit(1));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, giveUp);
process.stdin.on('end', giveUp).resume(); // whoever started this wants it to end

async function run(): Promise<Violation[]> {
  const random = new Random(seed);
  const mounts = await PrivateMounts.make().catch(() => undefined);
  if (mounts === undefined) say('no small disk can be mounted here (that needs Linux and its mount namespaces): no disk gets full');
  else undo.push(() => mounts.end());
  const embedded = mounts === undefined || kinds !== undefined ? [] : await fullDisk(mounts, join(parent, 'embedded'), random.fork(), say);
  if (embedded.length > 0) return embedded;
  const disks = mounts && (await disksFor(mounts, clusterFolder));
  undo.push(() => cluster('down'));
  await clusterWithin(mounts?.within ?? [], 'up');
  const logs = join(parent, 'logs');
  mkdirSync(logs);
  const system = await System.start(logs, disks);
  undo.push(() => system.end());
  if (system.cutOff === undefined) say('no network namespace can be made here (that needs root and ip): its proxies cut a worker off');
  await eventually('every process is ready', async () => (await system.unready()).length === 0, READY_WITHIN_MS);
  const outside = await startOutside(TENANTS);
  undo.push(() => outside.stop());
  const { tenants, end } = await foundTenants(system, outside);
  undo.push(end);
  const executors = await startExecutors(system, tenants, outside);
  undo.push(() => Promise.all(executors.map((executor) => executor.stop())));
  say('everything runs');
  const play = (name: string, hurt: Round['hurt']) => playRound({ name, hurt }, system, tenants, outside, random.fork(), say);
  const wrong: Violation[] = [];
  const storeDisk = disks?.of.get('mongo');
  if (storeDisk !== undefined && kinds === undefined) {
    say('the disk of the store');
    wrong.push(...(await play('full', (recorder) => fullStore(system, storeDisk, recorder))));
  }
  for (let n = 1; n === 1 || (wrong.length === 0 && passedMs() + FAULTS_MS + CALM_MS < minutes * 60_000); n++) {
    say(`round ${n}`);
    const plan = planOf(random.fork(), FAULTS_MS, kinds);
    const hurt = () => inflict(system, plan, say).then((begun) => `${begun} faults`);
    wrong.push(...(await play(`r${n}`, hurt)));
  }
  return wrong;
}

say(`seed ${seed}`);
const wrong = await run().catch((error: unknown) => [`the test bed itself failed: ${error instanceof Error ? error.stack : error}`]);
await cleanUp();
if (wrong.length === 0) {
  rmSync(parent, { recursive: true, force: true });
  say('every promise was kept');
} else {
  for (const violation of wrong.slice(0, SHOWN)) say(violation);
  say(`${wrong.length} broken promises; again with: npm run test:faults -- --seed ${seed}; logs are in ${join(parent, 'logs')}`);
}
process.exit(wrong.length === 0 ? 0 : 1);
