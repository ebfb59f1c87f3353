import type { Channel } from '@retrigger/ports/channel.ts';
import { textOf } from './event-text.ts';
import { jsonPoster, type PosterOptions } from './post-json.ts';

/** Incoming webhooks as Slack has them (Mattermost, Rocket.Chat and others take the same): `text` for the notification, blocks for the message. */
export function slackChannel(options: PosterOptions): Channel {
  const poster = jsonPoster(options);
  return {
    send(notification, { address }, aborted) {
      const { headline, details } = textOf(notification);
      const isCritical = notification.about.kind === 'event' && notification.about.isCritical;
      const title = `${isCritical ? ':rotating_light: ' : ''}*${escaped(headline)}*`;
      const blocks = [
        { type: 'section', text: { type: 'mrkdwn', text: title } },
        { type: 'section', fields: details.map(([label, text]) => ({ type: 'mrkdwn', text: `*${label}*\n${escaped(text)}` })) },
      ];
      return poster.post(address, JSON.stringify({ text: escaped(headline), blocks }), () => ({}), aborted);
    },
    close: () => poster.close(),
  };
}

/** Slack's three control characters; nobody's text becomes a link or calls a channel. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
