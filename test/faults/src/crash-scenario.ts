import type { Event } from '@retrigger/domain/event.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { triggersWereCalled, violations } from '@retrigger/test-history/checkers.ts';
import type { Acknowledged, Call, Recorded } from '@retrigger/test-history/recorded.ts';
import { expect } from 'vitest';
import type { Client, Reply } from './client.ts';

const TASKS = 24;

/** What dies and comes back. */
export type Mortal = {
  /** Reaches the system while it may die. */
  before: Client;
  died(): boolean;
  /** Starts what died; resolves with how the system is reached then. */
  restart(): Promise<Client>;
  /** Where every task's target is, and the calls that came. */
  target: { url: string; calls: Call[] };
};

/** More commands at once, which nobody looks at afterwards. */
const MORE = 8;

/** A machine that is full takes more commands in one batch, so that fewer batches come to the place where something dies: others follow then, until it does. */
export async function untilItDies(before: Client, died: () => boolean): Promise<void> {
  let sent = 0;
  const more = () => before.send('POST', '/api/v1/tasks', { taskId: `more-${sent++}`, type: 'job' }).catch(() => undefined); // the caller of a dying process hears nothing
  await eventually('the place to die is reached', async () => {
    if (!died()) await Promise.all(Array.from({ length: MORE }, more));
    return died();
  });
}

/** Uses a system while it dies, asks for everything again when it is back, and checks that nothing acknowledged is lost and nothing is decided twice. */
export async function liveThroughCrash({ before, died, restart, target }: Mortal): Promise<void> {
  const create = (client: Client, i: number, headers?: Record<string, string>) =>
    client.send('POST', '/api/v1/tasks', { taskId: `t${i}`, type: 'job', target: { url: target.url } }, `create-${i}`, headers);
  const trigger = (client: Client, i: number, headers?: Record<string, string>) =>
    client.send('POST', `/api/v1/tasks/t${i}/trigger`, { triggerReason: 'crash' }, `trigger-${i}`, headers);
  const calls = [
    ['create', create],
    ['trigger', trigger],
  ] as const;
  const told = new Map<string, Reply>();
  await Promise.all(
    Array.from({ length: TASKS }, async (_, i) => {
      for (const [name, call] of calls) {
        const reply = await call(before, i).catch(() => undefined); // the caller of a dying process hears nothing
        if (reply === undefined) return;
        told.set(`${name}-${i}`, reply);
      }
    }),
  );
  await untilItDies(before, died);

  const after = await restart();
  const acknowledged: Acknowledged[] = [];
  for (let i = 0; i < TASKS; i++) {
    for (const [name, call] of calls) {
      let reply = await call(after, i, { prefer: 'wait=60' });
      await eventually('the door takes commands', async () => {
        if (reply.status === 503) reply = await call(after, i, { prefer: 'wait=60' }); // the workers are over 10 s late, as after a take-over
        return reply.status !== 503;
      });
      expect(reply.status).toBe(name === 'create' ? 201 : 202);
      const first = told.get(`${name}-${i}`);
      if (first?.status === reply.status && name === 'trigger' && !first.text.includes('"state":"pending"'))
        expect(reply.text, 'the stored answer').toBe(first.text);
      if (name === 'trigger')
        acknowledged.push({ key: `default/t${i}`, commandId: reply.commandId, kind: 'accepted', answer: JSON.parse(reply.text).data });
    }
  }
  const streams = new Map<string, Event[]>();
  for (let i = 0; i < TASKS; i++) {
    await eventually(`t${i} is Completed`, async () => (await after.task(`t${i}`)).status === 'Completed');
    streams.set(`default/t${i}`, await after.events(`t${i}`));
  }
  const recorded: Recorded = { streams, states: new Map(), acknowledged, calls: target.calls };
  expect([...violations(recorded), ...triggersWereCalled(recorded)]).toEqual([]);
  for (const events of streams.values())
    expect(events.map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'TaskTriggered', 'TaskStarted', 'TaskCompleted']);
}
