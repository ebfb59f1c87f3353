// npm run bench:growth [-- --most 1000000 --tenants 1000 --commands 5000 --rounds 3 --out results.json]
// What a command costs the embedded profile as what it holds grows: 10,000, 100,000 and 1,000,000 tasks of one tenant, and 100,000 of one and of 1,000 tenants.
// Tasks are met once each and in no order, so none is in a cache. Processor time says more than the rate: other load on the machine changes it little.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fillWithTasks, taskOf } from './fill.ts';
import { closedLoop, median, now, perSecond } from './load.ts';
import { machine, processorMs, watchMachine } from './machine.ts';
import { STANDALONE, type Subject, startSubject } from './subject.ts';
import { table } from './table.ts';

const { values } = parseArgs({
  options: {
    most: { type: 'string', default: '1000000' },
    tenants: { type: 'string', default: '1000' },
    commands: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '3' },
    out: { type: 'string' },
  },
});
const [most, manyTenants, commands, rounds] = [values.most, values.tenants, values.commands, values.rounds].map(Number) as [
  number,
  number,
  number,
  number,
];
const IN_FLIGHT = 64;
const WARM_UP = 2_000;
const MIDDLE = Math.min(100_000, most);
/** Shares no divisor with any number of tasks here, so that its multiples meet each of them once. */
const STRIDE = 7_919;

type Cost = { tasks: number; tenants: number; microsPerCommand: number; perSecond: number; bytesPerTask: number };

/** Triggers of tasks that were not met before. */
async function measure(tasks: number, tenants: number): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-growth-'));
  const filling = now();
  await fillWithTasks(folder, tasks, tenants);
  const bytesPerTask = Math.round(statSync(join(folder, 'store.db')).size / tasks);
  process.stderr.write(`${tasks} tasks of ${tenants} tenants made in ${Math.round((now() - filling) / 1_000)} s\n`);
  const subject = await startSubject(STANDALONE, IN_FLIGHT, { RETRIGGER_DATA_DIR: folder });
  try {
    const keys = await keysOf(subject, tenants);
    let next = 0;
    const trigger = async () => {
      const { tenantId, taskId } = taskOf(tenants, (next++ * STRIDE) % tasks);
      const key = keys.get(tenantId);
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      const { status, text } = await subject.post(`/api/v1/tasks/${taskId}/trigger`, '{"triggerReason":"bench"}', headers);
      if (status !== 202) throw new Error(`${status}: ${text}`);
    };
    await closedLoop(WARM_UP, IN_FLIGHT, trigger);
    const [micros, rates]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const many = Math.min(commands, Math.floor((tasks - WARM_UP) / rounds));
      const before = processorMs(subject.pid);
      rates.push(perSecond(many, await closedLoop(many, IN_FLIGHT, trigger)));
      micros.push((1_000 * (processorMs(subject.pid) - before)) / many);
    }
    return { tasks, tenants, microsPerCommand: Math.round(median(micros)), perSecond: median(rates), bytesPerTask };
  } finally {
    await subject.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A key of an admin of each tenant but the first. */
async function keysOf(subject: Subject, tenants: number): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  await closedLoop(tenants - 1, IN_FLIGHT, async (i) => {
    const tenantId = `tenant-${i + 1}`;
    const { status, text } = await subject.post('/api/v1/api-keys', JSON.stringify({ tenantId, userId: 'bench', roles: ['admin'] }));
    if (status !== 201) throw new Error(`${status}: ${text}`);
    keys.set(tenantId, JSON.parse(text).data.key);
  });
  return keys;
}

const watched = watchMachine();
const sizes = [...new Set([10_000, 100_000, 1_000_000].map((tasks) => Math.min(tasks, most)))];
const byTasks: Cost[] = [];
for (const tasks of sizes) byTasks.push(await measure(tasks, 1));
const byTenants = [byTasks.find(({ tasks }) => tasks === MIDDLE) ?? (await measure(MIDDLE, 1)), await measure(MIDDLE, manyTenants)];

const growth = (costs: Cost[]): string => {
  const [first, last] = [costs[0], costs.at(-1)];
  return first === undefined || last === undefined ? '' : `x ${(last.microsPerCommand / first.microsPerCommand).toFixed(2)}`;
};
const row = ({ tasks, tenants, microsPerCommand, perSecond, bytesPerTask }: Cost): string[] =>
  [tasks, tenants, microsPerCommand, perSecond, bytesPerTask].map(String);
process.stdout.write(`${JSON.stringify({ ...machine(), commands, rounds, ...watched() })}\n\n`);
process.stdout.write(
  table([
    ['tasks', 'tenants', 'processor µs/command', 'commands/s', 'store bytes/task'],
    ...byTasks.map(row),
    ...byTenants.slice(1).map(row),
  ]),
);
process.stdout.write(`\nprocessor time of a command from ${sizes[0]} to ${sizes.at(-1)} tasks: ${growth(byTasks)}\n`);
process.stdout.write(`from 1 to ${manyTenants} tenants: ${growth(byTenants)}\n`);
if (values.out !== undefined) writeFileSync(values.out, JSON.stringify({ machine: machine(), byTasks, byTenants }, null, 2));
