import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { mailChannel } from '@retrigger/delivery/mail-channel.ts';
import { slackChannel } from '@retrigger/delivery/slack-channel.ts';
import { verify } from '@retrigger/delivery/standard-webhooks.ts';
import { webhookChannel } from '@retrigger/delivery/webhook-channel.ts';
import { systemClock as clock } from '@retrigger/lifecycle/system-clock.ts';
import type { Channel } from '@retrigger/ports/channel.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startMailServer } from './mail-server.ts';
import { FAILED } from './notification-samples.ts';

const SECRET = Buffer.from('a secret');
const never = new AbortController().signal;
const used = <C extends Channel>(channel: C): C => {
  onTestFinished(() => channel.close());
  return channel;
};

async function receiver(status: number, location?: string) {
  const calls: { headers: { [name: string]: string | string[] | undefined }; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      calls.push({ headers: request.headers, body });
      response.writeHead(status, location === undefined ? {} : { location }).end('thanks');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in?a=b`, calls };
}

describe('a webhook', () => {
  test('is signed, and holds the event byte for byte as it is stored', async () => {
    const { url, calls } = await receiver(200);
    const channel = used(webhookChannel({ clock, allowPrivate: true, timeoutMs: 5_000 }));
    expect(await channel.send(FAILED, { address: url, secret: SECRET }, never)).toEqual({ kind: 'delivered' });
    const [{ headers, body } = { headers: {}, body: '' }] = calls;
    const { about } = FAILED;
    expect(body).toBe(`{"type":"TaskFailed","timestamp":"2026-03-01T10:00:00.000Z","data":${about.kind === 'event' ? about.json : ''}}`);
    expect(verify(SECRET, headers, body, Date.now())).toEqual({ kind: 'valid' });
    expect(headers['webhook-id']).toBe('e.0000000004');
  });

  test('is delivered by 2xx only; a redirect is not followed', async () => {
    const other = await receiver(200);
    const channel = used(webhookChannel({ clock, allowPrivate: true, timeoutMs: 5_000 }));
    for (const [status, reason] of [
      [302, 'It answered 302'],
      [404, 'It answered 404'],
      [500, 'It answered 500'],
    ] as const) {
      const { url } = await receiver(status, other.url);
      expect(await channel.send(FAILED, { address: url, secret: SECRET }, never)).toEqual({ kind: 'failed', reason });
    }
    expect(other.calls).toEqual([]);
  });

  test('never reaches a private address, also behind a name', async () => {
    const { url, calls } = await receiver(200);
    const resolve = (_: string, done: (error: null, addresses: { address: string; family: number }[]) => void) =>
      done(null, [{ address: '127.0.0.1', family: 4 }]);
    const channel = used(webhookChannel({ clock, allowPrivate: false, timeoutMs: 5_000, resolve }));
    const { port } = new URL(url);
    for (const address of [url, `http://inside.example.org:${port}/`]) {
      const sent = await channel.send(FAILED, { address, secret: SECRET }, never);
      expect(sent).toMatchObject({ kind: 'failed', reason: expect.stringContaining('address is refused') });
    }
    expect(calls).toEqual([]);
  });

  test('to somebody who hangs ends with the time-out, and with an abort', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const channel = used(webhookChannel({ clock, allowPrivate: true, timeoutMs: 50 }));
    expect(await channel.send(FAILED, { address, secret: SECRET }, never)).toEqual({
      kind: 'failed',
      reason: 'It did not answer within 50 ms',
    });
    expect(await channel.send(FAILED, { address, secret: SECRET }, AbortSignal.abort())).toMatchObject({ kind: 'failed' });
  });
});

test('Slack gets a text and blocks in which nobody’s words are control characters', async () => {
  const { url, calls } = await receiver(200);
  await used(slackChannel({ clock, allowPrivate: true, timeoutMs: 5_000 })).send(FAILED, { address: url, secret: SECRET }, never);
  const { text, blocks } = JSON.parse(calls[0]?.body ?? '{}');
  expect(text).toBe('Task deploy-42 has failed; it is tried again at T');
  expect(blocks[0]).toEqual({ type: 'section', text: { type: 'mrkdwn', text: `*${text}*` } });
  expect(blocks[1].fields[0].text).toBe('*Error*\ndisk &lt;full&gt; &amp; hot (boom)');
});

describe('a mail', () => {
  const to = { address: 'ops@example.org', secret: SECRET };
  const from = 'Retrigger <retrigger@example.org>';
  const channelTo = (url: string, timeoutMs = 5_000) => used(mailChannel({ clock, server: { url, from }, timeoutMs }));

  test('is taken by a server, with one Message-ID however often it is sent', async () => {
    const server = await startMailServer();
    onTestFinished(server.stop);
    const channel = channelTo(server.url);
    for (let i = 0; i < 2; i++) expect(await channel.send(FAILED, to, never)).toEqual({ kind: 'delivered' });
    const [mail, again] = server.mails;
    expect(mail).toMatchObject({ from: 'retrigger@example.org', to: ['ops@example.org'] });
    expect(mail?.headers).toMatchObject({
      subject: 'Task deploy-42 has failed; it is tried again at T',
      'auto-submitted': 'auto-generated',
    });
    expect(mail?.text).toContain('Error: disk <full> & hot (boom)\nStatus: Running → Failed\nBy: ann\n'.replaceAll('\n', '\r\n'));
    expect([again?.headers['message-id'], mail?.headers['message-id']]).toEqual(['<e.0000000004@retrigger>', '<e.0000000004@retrigger>']);
  });

  test('that a server refuses is not delivered; its own words are not repeated', async () => {
    const server = await startMailServer(() => ({ code: 552, message: 'mailbox of boss@example.org is full' }));
    onTestFinished(server.stop);
    const sent = await channelTo(server.url).send(FAILED, to, never);
    expect(sent).toEqual({ kind: 'failed', reason: 'The mail could not be sent: the mail server refuses the message (552)' });
  });

  test('to a server that hangs or is not there is not delivered', async () => {
    const server = await startMailServer(() => 'hang');
    onTestFinished(server.stop);
    expect(await channelTo(server.url, 200).send(FAILED, to, never)).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/in time|within 200 ms/),
    });
    const gone = await startMailServer();
    await gone.stop();
    expect(await channelTo(gone.url).send(FAILED, to, never)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('mail server'),
    });
  });

  test('is not sent where no server is set, and the reason names the setting', async () => {
    const channel = used(mailChannel({ clock, server: null, timeoutMs: 100 }));
    expect(await channel.send(FAILED, to, never)).toEqual({ kind: 'failed', reason: 'No mail server is set (RETRIGGER_SMTP_URL)' });
  });
});
