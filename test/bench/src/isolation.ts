// npm run bench:isolation [-- --count 1000]
// How long one tenant waits when it asks about another's tasks, beside what has never existed: the difference would tell what there is.
import { parseArgs } from 'node:util';
import { median, now } from './load.ts';
import { STANDALONE, startSubject } from './subject.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '1000' } } });
const count = Number(values.count);
const MOST = 0.2;
/** What the machine does besides only ever adds a difference; one that is there is there in every round. */
const ROUNDS = 3;

const subject = await startSubject(STANDALONE, 1);
const post = async (path: string, body: object, headers?: Record<string, string>) =>
  JSON.parse((await subject.post(path, JSON.stringify(body), headers)).text).data;
const { key } = await post('/api/v1/api-keys', { tenantId: 'other', userId: 'eve', roles: ['admin'] });
const eve = { authorization: `Bearer ${key}` };
await post('/api/v1/tasks', { taskId: 'theirs', type: 'bench' });
const { executionId } = await post('/api/v1/tasks/theirs/trigger', {});
const { id: keyId } = await post('/api/v1/api-keys', { userId: 'ann', roles: ['viewer'] });
const other = (id: string) => id.replace('theirs', 'nobody').replaceAll('a', 'b');

type Call = [method: string, path: (theirs: boolean) => string, body?: string];
const about =
  (before: string, id: string, after = '') =>
  (theirs: boolean) =>
    `/api/v1/${before}/${theirs ? id : other(id)}${after}`;
const CALLS: Call[] = [
  ['GET', about('tasks', 'theirs')],
  ['GET', about('tasks', 'theirs', '/events')],
  ['GET', about('tasks', 'theirs', '/events/verify')],
  ['GET', about('tasks', 'theirs', '/diff')],
  ['PATCH', about('tasks', 'theirs'), '{}'],
  ['POST', about('tasks', 'theirs', '/trigger'), '{}'],
  ['POST', about('tasks', 'theirs', '/cancel'), '{}'],
  ['POST', about('tasks', 'theirs', '/trigger?dryRun=true'), '{}'],
  ['POST', about('executions', executionId, '/completed'), '{}'],
  ['DELETE', about('api-keys', keyId), '{}'],
];

/** Medians of one round, theirs and nothing in turn. */
async function round([method, path, body]: Call): Promise<{ theirs: number; nothing: number; difference: number }> {
  const took: Record<'theirs' | 'nothing', number[]> = { theirs: [], nothing: [] };
  for (let i = -100; i < 2 * count; i++) {
    const isTheirs = i % 2 === 0;
    const startedAt = now();
    const { status } = await subject.send(method, path(isTheirs), body, eve);
    if (status !== 404 && !path(isTheirs).includes('dryRun')) throw new Error(`${method} ${path(isTheirs)} answered ${status}`);
    if (i >= 0) took[isTheirs ? 'theirs' : 'nothing'].push(now() - startedAt);
  }
  const [theirs, nothing] = [median(took.theirs), median(took.nothing)];
  return { theirs, nothing, difference: Math.abs(theirs - nothing) / nothing };
}

let worst = 0;
process.stdout.write(`medians of ${count} requests each, one at a time, in turn; of ${ROUNDS} rounds the one with the least difference\n`);
for (const call of CALLS) {
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(call));
  const [least] = rounds.sort((one, other) => one.difference - other.difference);
  if (least === undefined) throw new Error('unreachable');
  worst = Math.max(worst, least.difference);
  const [theirs, nothing] = [least.theirs, least.nothing].map((ms) => `${ms.toFixed(3)} ms`);
  process.stdout.write(
    `${call[0].padEnd(6)} ${call[1](true).padEnd(62)} ${theirs}  ${nothing}  ${(100 * least.difference).toFixed(1)} %\n`,
  );
}
await subject.stop();
process.stdout.write(`the largest difference is ${(100 * worst).toFixed(1)} % (at most ${100 * MOST} %)\n`);
if (worst > MOST) process.exitCode = 1;
