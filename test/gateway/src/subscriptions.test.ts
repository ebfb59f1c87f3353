import { beforeEach, describe, expect, test } from 'vitest';
import { type Door, startDoor } from './door.ts';

const PATH = '/api/v1/subscriptions';
const WEBHOOK = { channel: 'webhook', url: 'https://example.org/news' };

describe('subscriptions at the door', () => {
  let door: Door;
  beforeEach(() => {
    door = startDoor();
  });

  const wrong = async (body: unknown) => {
    const { status, json } = await door.post(PATH, body);
    expect(status).toBe(400);
    return json.errors.map(({ path }: { path: string }) => path);
  };

  test.each([
    [{ ...WEBHOOK, channel: 'pager' }, ['channel']],
    [{ channel: 'webhook' }, ['url']],
    [{ channel: 'slack', to: 'a@b.org' }, ['url', 'to']],
    [{ channel: 'email' }, ['to']],
    [{ channel: 'email', to: 'a@b.org', url: WEBHOOK.url }, ['url']],
    [{ channel: 'email', to: 'a@b.org, c@d.org' }, ['to']],
    [{ channel: 'email', to: 'a@b.org\r\nBcc: c@d.org' }, ['to']],
    [{ ...WEBHOOK, events: ['TaskExploded'] }, ['events[0]']],
    [{ ...WEBHOOK, events: [] }, ['events']],
    [{ ...WEBHOOK, events: ['TaskFailed', 'TaskFailed'] }, ['events']],
    [{ ...WEBHOOK, tasks: ['a b'] }, ['tasks[0]']],
    [{ ...WEBHOOK, criticalOnly: 'yes' }, ['criticalOnly']],
    [{ ...WEBHOOK, secret: 'mine' }, ['secret']],
  ])('%j is refused, naming %j', async (body, paths) => {
    expect(await wrong(body)).toEqual(paths);
  });

  test.each([
    'ftp://example.org/',
    'http://127.0.0.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://169.254.169.254/latest',
    'https://user:secret@example.org/',
    'not a url',
  ])('%s is no address for news, unless private ones are allowed', async (url) => {
    expect(await wrong({ channel: 'webhook', url })).toEqual(['url']);
    expect(await wrong({ channel: 'slack', url })).toEqual(['url']);
  });

  test('only operators and admins manage them, and a tenant sees its own', async () => {
    const made = await door.post(PATH, WEBHOOK);
    expect(made.status).toBe(201);
    for (const as of ['viewer', 'executor']) {
      expect((await door.ask(PATH, { as })).json.code).toBe('forbidden');
      expect((await door.ask(PATH, { as, method: 'POST', body: WEBHOOK })).json.code).toBe('forbidden');
    }
    expect((await door.ask(PATH, { as: 'stranger' })).json.data).toEqual({ subscriptions: [] });
    const path = `${PATH}/${made.json.data.id}`;
    expect((await door.ask(path, { as: 'stranger', method: 'DELETE' })).json.code).toBe('not_found');
    expect((await door.ask(`${path}/test`, { as: 'stranger', method: 'POST' })).json.code).toBe('not_found');
    expect((await door.ask(path, { method: 'DELETE' })).status).toBe(204);
  });

  test('a tenant has at most a hundred', async () => {
    for (let i = 0; i < 100; i++) expect((await door.post(PATH, WEBHOOK)).status).toBe(201);
    expect((await door.post(PATH, WEBHOOK)).json).toMatchObject({ status: 409, code: 'invalid_state' });
  });

  test('Slack and mail subscriptions have no secret', async () => {
    for (const body of [
      { channel: 'slack', url: WEBHOOK.url },
      { channel: 'email', to: 'ops@example.org' },
    ]) {
      const { json } = await door.post(PATH, body);
      expect(json.data).toMatchObject(body);
      expect(json.data.secret).toBeUndefined();
    }
  });
});
