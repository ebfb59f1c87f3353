import type { Channel, Sent } from '@retrigger/ports/channel.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { createTransport } from 'nodemailer';
import { textOf } from './event-text.ts';

/** `server` null: no mail leaves this installation. */
export type MailOptions = { clock: Clock; server: { url: string; from: string } | null; timeoutMs: number };

/**
 * Mail by SMTP, a connection each. Taken by the server is delivered; what becomes of it then is the mail system's. The Message-ID stays the same when a mail is
 * sent again, so that mailboxes can drop the second.
 */
export function mailChannel({ clock, server, timeoutMs }: MailOptions): Channel {
  if (server === null) {
    return { send: async () => failed('No mail server is set (RETRIGGER_SMTP_URL)'), close: async () => {} };
  }
  const silence = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs };
  const transport = createTransport({ url: server.url, ...silence }, { disableFileAccess: true, disableUrlAccess: true });

  return {
    async send(notification, { address }, aborted) {
      const { headline, details } = textOf(notification);
      const mail = {
        from: server.from,
        to: address,
        subject: headline,
        text: `${headline}\n\n${details.map(([label, text]) => `${label}: ${text}`).join('\n')}\n`,
        messageId: `<${notification.id}@retrigger>`,
        headers: { 'X-Retrigger-Id': notification.id, 'Auto-Submitted': 'auto-generated' },
      };
      const { promise: late, resolve } = Promise.withResolvers<Sent>();
      const end = () => resolve(failed('The mail was broken off'));
      const cancel = clock.timer(clock.now() + timeoutMs, () => resolve(failed(`The mail server did not take it within ${timeoutMs} ms`)));
      aborted.addEventListener('abort', end);
      if (aborted.aborted) end();
      const sent = transport.sendMail(mail).then((): Sent => ({ kind: 'delivered' }), failureOf);
      return Promise.race([sent, late]).finally(() => {
        cancel();
        aborted.removeEventListener('abort', end);
      });
    },
    async close() {
      transport.close();
    },
  };
}

const failed = (reason: string): Sent => ({ kind: 'failed', reason });

/** What nodemailer's codes mean. The server's own words are left out: they may hold addresses of other people's systems. */
const REASONS: { readonly [code: string]: string } = {
  EAUTH: 'the mail server refuses our login',
  EENVELOPE: 'the mail server refuses the sender or the recipient',
  EMESSAGE: 'the mail server refuses the message',
  ETLS: 'the connection could not be made secure',
  ETIMEDOUT: 'the mail server did not answer in time',
  EDNS: 'the name of the mail server is unknown',
  ECONNECTION: 'the mail server could not be reached',
  ESOCKET: 'the connection to the mail server was lost or refused',
};

function failureOf(error: unknown): Sent {
  const { code = '', responseCode } = error as { code?: string; responseCode?: number };
  const answered = responseCode === undefined ? '' : ` (${responseCode})`;
  return failed(`The mail could not be sent: ${REASONS[code] ?? 'the mail server could not be used'}${answered}`);
}
