import type { Channel } from '@retrigger/ports/channel.ts';
import { jsonPoster, type PosterOptions } from './post-json.ts';
import { sign } from './standard-webhooks.ts';

/** The type of a test's message. */
export const TEST_TYPE = 'SubscriptionTest';

/** Webhooks as the Standard Webhooks specification has them: signed, `{type, timestamp, data}`, webhook-id the same for every try. */
export function webhookChannel(options: PosterOptions): Channel {
  const poster = jsonPoster(options);
  return {
    send({ id, timestamp, about }, { address, secret }, aborted) {
      const [type, data] =
        about.kind === 'event'
          ? [about.event.eventType, about.json]
          : [TEST_TYPE, JSON.stringify({ subscriptionId: about.subscriptionId })];
      const body = `{"type":${JSON.stringify(type)},"timestamp":${JSON.stringify(timestamp)},"data":${data}}`;
      return poster.post(address, body, () => sign(secret, id, options.clock.now(), body), aborted);
    },
    close: () => poster.close(),
  };
}
