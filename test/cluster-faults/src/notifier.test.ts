import { startReceiver } from '@retrigger/test-acceptance/receiver.ts';
import { kill } from '@retrigger/test-faults/child.ts';
import type { Client } from '@retrigger/test-faults/client.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { expect, onTestFinished, test } from 'vitest';
import { Installation } from './installation.ts';
import { Load } from './load.ts';
import { everyPartitionDecides } from './take-over.ts';

const SOME_CALLS = 60;
const WITHIN_MS = 120_000;

type Letter = { subscriptionId: string; taskId: string; sequence: number };

async function subscribe(door: Client, url: string): Promise<string> {
  const { status, text } = await door.send('POST', '/api/v1/subscriptions', { channel: 'webhook', url });
  if (status !== 201) throw new Error(`${status} ${text}`);
  return JSON.parse(text).data.id;
}

async function lettersOf(door: Client, subscriptionId: string): Promise<string[]> {
  const found: Letter[] = [];
  for (let cursor = ''; ; ) {
    const page = await door.data<{ deadLetters: Letter[]; pageInfo: { nextCursor: string | null } }>(
      `/api/v1/dead-letters?pageSize=1000&cursor=${cursor}`,
    );
    found.push(...page.deadLetters);
    if (page.pageInfo.nextCursor === null) break;
    cursor = page.pageInfo.nextCursor;
  }
  return found.flatMap((letter) => (letter.subscriptionId === subscriptionId ? [`${letter.taskId}/${letter.sequence}`] : []));
}

test('one of two notifiers is killed under load: every event is delivered or a dead letter, in the order of its task', async () => {
  const installation = await Installation.fresh({
    RETRIGGER_NOTIFICATION_ATTEMPTS: '2',
    RETRIGGER_NOTIFICATION_RETRY_MS: '5',
    RETRIGGER_NOTIFICATION_PAUSE_AFTER: '1000',
  });
  onTestFinished(() => installation.end());
  const well = await startReceiver();
  const ill = await startReceiver((_, calls) => (calls.length % 3 === 0 ? 200 : 500));
  onTestFinished(() => Promise.all([well.stop(), ill.stop()]).then(() => {}));
  const worker = installation.startWorker();
  const notifiers = [installation.start('notifier'), installation.start('notifier')] as const;
  const door = await installation.door();
  await Promise.all([worker, ...notifiers].map(({ ready }) => ready));
  await everyPartitionDecides(door, 'start');
  const [wellId, illId] = [await subscribe(door, well.url), await subscribe(door, ill.url)];

  const load = new Load('news', door, well.url);
  await eventually('both are told', async () => Math.min(well.calls.length, ill.calls.length) > SOME_CALLS, WITHIN_MS);
  await kill(notifiers[0]);
  const enough = load.acknowledged.length + SOME_CALLS;
  await eventually('commands are acknowledged', async () => load.acknowledged.length >= enough, WITHIN_MS);
  await load.stop();

  const names = new Set<string>();
  for (const taskId of load.tasks) for (const { sequence } of await door.events(taskId)) names.add(`${taskId}/${sequence}`);
  const told = (receiver: typeof well, taken: (nth: number) => boolean) =>
    new Set(receiver.calls.flatMap(({ body }, i) => (taken(i + 1) ? [nameOf(body)] : [])));
  await eventually('the healthy one has all', async () => told(well, () => true).isSupersetOf(names), WITHIN_MS);
  const letters = () => lettersOf(door, illId).then((found) => new Set(found));
  const illTook = () => told(ill, (nth) => nth % 3 === 0);
  await eventually(
    'the failing one has, or was given up on, all',
    async () =>
      illTook()
        .union(await letters())
        .isSupersetOf(names),
    WITHIN_MS,
  );
  expect(await lettersOf(door, wellId)).toEqual([]);
  for (const taskId of load.tasks) {
    const heard = well.heard(taskId).map(({ sequence }) => sequence);
    expect(heard).toEqual(heard.toSorted((a, b) => a - b));
  }
  expect(installation.ended().length).toBe(1);
});

function nameOf(body: string): string {
  const { taskId, sequence } = JSON.parse(body).data;
  return `${taskId}/${sequence}`;
}
