import type { JsonObject } from '@retrigger/domain/json.ts';
import { startMailServer } from '@retrigger/test-delivery/mail-server.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { type Behaviour, deadAddress, eventOf, firstOfEach, startReceiver } from './receiver.ts';
import { isSigned } from './target.ts';

type Receiver = Awaited<ReturnType<typeof startReceiver>>;
type DeadLetter = JsonObject & {
  id: string;
  kind: string;
  taskId: string;
  subscriptionId: string;
  attempts: number;
  reason: string;
  bytes: string;
};

/** Quick about giving up; a minute is for ever. */
const IMPATIENT = {
  RETRIGGER_NOTIFICATION_ATTEMPTS: '3',
  RETRIGGER_NOTIFICATION_RETRY_MS: '20',
  RETRIGGER_NOTIFICATION_TIMEOUT_MS: '1000',
  RETRIGGER_NOTIFICATION_PAUSE_AFTER: '1000',
};

describe.each(PROFILES)('notifications, %s', (profile) => {
  let running: Running;
  let mail: Awaited<ReturnType<typeof startMailServer>>;
  const receivers: Receiver[] = [];

  beforeAll(async () => {
    mail = await startMailServer();
    running = await start(profile, { ...IMPATIENT, RETRIGGER_SMTP_URL: mail.url, RETRIGGER_MAIL_FROM: 'ops@example.org' });
  });
  afterAll(async () => {
    await running.stop();
    for (const receiver of receivers) await receiver.stop();
    await mail.stop();
  });

  const receiver = async (...args: Parameters<typeof startReceiver>): Promise<Receiver> => {
    const started = await startReceiver(...args);
    receivers.push(started);
    return started;
  };
  const subscribe = async (body: JsonObject): Promise<JsonObject & { id: string; secret: string }> => {
    const { status, text, json } = await running.admin.post('/subscriptions', body);
    if (status !== 201) throw new Error(`${status} ${text}`);
    return json.data as JsonObject & { id: string; secret: string };
  };
  const deadLettersOf = async (subscriptionId: string): Promise<DeadLetter[]> => {
    const { deadLetters } = await running.admin.data<{ deadLetters: DeadLetter[] }>('/dead-letters?pageSize=1000');
    return deadLetters.filter((one) => one.subscriptionId === subscriptionId);
  };
  const typesAbout = (at: Receiver, taskId: string): string[] => at.heard(taskId).map(({ eventType }) => eventType);

  test('AC-22: the events of a triggered task reach every subscriber, signed, in order, as they are stored', async () => {
    const [one, two] = [await receiver(), await receiver()];
    const taskId = own('heard');
    const { secret } = await subscribe({ channel: 'webhook', url: one.url, tasks: [taskId] });
    await subscribe({ channel: 'webhook', url: two.url, tasks: [taskId], events: ['TaskTriggered', 'TaskCompleted'] });
    await running.admin.create(taskId);
    await running.admin.run(taskId, { result: { ok: true } });
    const events = await running.admin.events(taskId);
    await eventually('everything is told', async () => one.heard(taskId).length >= events.length && two.heard(taskId).length >= 2);
    expect(one.heard(taskId)).toEqual(events);
    expect(typesAbout(two, taskId)).toEqual(['TaskTriggered', 'TaskCompleted']);
    for (const call of one.calls) {
      const { eventId, eventType, timestamp } = eventOf(call);
      expect(call.headers['webhook-id']).toBe(eventId);
      expect(JSON.parse(call.body)).toMatchObject({ type: eventType, timestamp });
      expect(isSigned({ ...call, method: 'POST' }, secret)).toBe(true);
    }
  });

  test.each<[string, Behaviour | 'refuse']>([
    ['answers 500', 500],
    ['redirects', 302],
    ['hangs', 'hang'],
    ['resets the connection', 'reset'],
    ['drips', 'drip'],
    ['refuses connections', 'refuse'],
  ])('AC-23: a subscriber that %s is tried again, then the event is a dead letter; the others hear of it', async (name, behaviour) => {
    const well = await receiver();
    const ill = behaviour === 'refuse' ? undefined : await receiver(() => behaviour);
    const taskId = own(`failing-${name.replaceAll(' ', '-')}`);
    const { id } = await subscribe({
      channel: 'webhook',
      url: ill?.url ?? (await deadAddress()),
      tasks: [taskId],
      events: ['TaskTriggered'],
    });
    await subscribe({ channel: 'webhook', url: well.url, tasks: [taskId], events: ['TaskTriggered'] });
    await running.admin.create(taskId);
    await running.admin.trigger(taskId);
    await eventually('it is a dead letter', async () => (await deadLettersOf(id)).length > 0);
    const [letter] = await deadLettersOf(id);
    expect(letter).toMatchObject({ kind: 'notification', state: 'open', taskId, attempts: 3, history: [] });
    expect(String(letter?.bytes).length).toBeGreaterThan(0);
    if (ill !== undefined) expect(ill.calls).toHaveLength(3);
    expect(new Set(ill?.calls.map(({ headers }) => headers['webhook-id'])).size).toBeLessThanOrEqual(1);
    expect(typesAbout(well, taskId)).toEqual(['TaskTriggered']);
    await eventually('it is counted', async () =>
      /notifications_total\{[^}]*outcome="given_up"[^}]*\} [1-9]/.test(await running.metrics()),
    );
  });

  test('AC-23: the events of a task wait for one that is tried again, so they arrive in order', async () => {
    const taskId = own('ordered');
    const stumbling = await receiver(({ headers }, calls) =>
      calls.filter((one) => one.headers['webhook-id'] === headers['webhook-id']).length < 2 ? 503 : 200,
    );
    await subscribe({ channel: 'webhook', url: stumbling.url, tasks: [taskId] });
    await running.admin.create(taskId);
    await running.admin.run(taskId);
    const ids = (await running.admin.events(taskId)).map(({ eventId }) => eventId);
    await eventually('everything is told', async () => stumbling.calls.length >= 2 * ids.length);
    expect(stumbling.heard(taskId).map(({ eventId }) => eventId)).toEqual(ids);
    const told = stumbling.calls.map((call) => eventOf(call).eventId);
    for (const id of ids) expect(told.indexOf(id)).toBeLessThan(told.lastIndexOf(id));
    expect(told.map((id) => ids.indexOf(id))).toEqual(told.map((id) => ids.indexOf(id)).toSorted());
  });

  test('what a sensitive task holds never leaves unsealed, on no channel', async () => {
    const [hook, slack] = [await receiver(), await receiver()];
    const taskId = own('sensitive');
    const to = `${own('private')}@example.org`;
    const secret = own('patient-file');
    for (const where of [
      { channel: 'webhook', url: hook.url },
      { channel: 'slack', url: slack.url },
      { channel: 'email', to },
    ])
      await subscribe({ ...where, tasks: [taskId] });
    await running.admin.create(taskId, { sensitive: true, context: { secret } });
    await running.admin.trigger(taskId, { triggerReason: secret });
    await running.admin.rescheduled(taskId, { strategy: 'delayed', delay: '1h', force: true, reason: secret });
    const mails = () => mail.mails.filter((one) => one.to.includes(to));
    await eventually(
      'all three have everything',
      async () => hook.heard(taskId).length >= 3 && slack.calls.length >= 3 && mails().length >= 3,
    );
    const left = JSON.stringify([hook.calls, slack.calls, mails()]);
    expect(left).not.toContain(secret);
    expect(hook.heard(taskId).map(({ actor }) => actor.id)).toEqual(['admin', 'admin', 'admin']);
    expect(mails().at(-1)?.text).toContain('Reason: (sealed)');
    expect((await running.admin.events(taskId)).at(-1)?.metadata.reason).toBe(secret);
  });

  test('AC-24: a critical task that is rescheduled is an alert on webhook, Slack and mail; one that is not is none', async () => {
    const [hook, slack] = [await receiver(), await receiver()];
    const [critical, plain] = [own('critical'), own('plain')];
    const to = `${own('oncall')}@example.org`;
    const criticalOnly = { criticalOnly: true, events: ['TaskRescheduled'], tasks: [critical, plain] };
    await subscribe({ channel: 'webhook', url: hook.url, ...criticalOnly });
    await subscribe({ channel: 'slack', url: slack.url, ...criticalOnly });
    await subscribe({ channel: 'email', to, ...criticalOnly });
    await running.admin.create(plain);
    await running.admin.create(critical, { critical: true });
    await running.admin.rescheduled(plain, { strategy: 'delayed', delay: '1h' });
    await running.admin.rescheduled(critical, { strategy: 'delayed', delay: '2h', reason: 'freeze <!channel>' });
    const mails = () =>
      firstOfEach(
        mail.mails.filter((one) => one.to.includes(to)),
        ({ headers }) => headers['message-id'] ?? '',
      );
    await eventually('all three have it', async () => hook.calls.length > 0 && slack.calls.length > 0 && mails().length > 0);
    const [{ nextExecution }] = (await running.admin.events(critical)).slice(-1).map(({ metadata }) => metadata) as [
      { nextExecution: string },
    ];
    expect(typesAbout(hook, critical)).toEqual(['TaskRescheduled']);
    const { text, blocks } = JSON.parse(slack.calls[0]?.body ?? '{}');
    expect(text).toBe(`Critical task ${critical} was rescheduled: it runs next at ${nextExecution}`);
    expect(JSON.stringify(blocks)).toContain('freeze &lt;!channel&gt;');
    expect(mails()[0]).toMatchObject({ from: 'ops@example.org', headers: { subject: text } });
    expect(mails()[0]?.text).toContain('Reason: freeze <!channel>');
    expect([hook.heard(plain), firstOfEach(slack.calls, ({ body }) => body).length, mails().length]).toEqual([[], 1, 1]);
  });
});
