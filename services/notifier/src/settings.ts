import { mailChannel } from '@retrigger/delivery/mail-channel.ts';
import { slackChannel } from '@retrigger/delivery/slack-channel.ts';
import { webhookChannel } from '@retrigger/delivery/webhook-channel.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { NotifierDeps } from './notifier.ts';

/** The notifier's part of what the environment says. */
export type NotifierSettings = {
  allowPrivateTargets: boolean;
  smtpUrl: string | null;
  mailFrom: string;
  notificationAttempts: number;
  notificationRetryMs: number;
  notificationTimeoutMs: number;
  notificationHoldMs: number;
  notificationPauseAfter: number;
};

/** The channels and the policy that the settings ask for. */
export function notifierParts(settings: NotifierSettings, clock: Clock): Pick<NotifierDeps, 'channels' | 'policy'> {
  const { allowPrivateTargets: allowPrivate, notificationTimeoutMs: timeoutMs, smtpUrl, mailFrom } = settings;
  const server = smtpUrl === null ? null : { url: smtpUrl, from: mailFrom };
  return {
    channels: {
      webhook: webhookChannel({ clock, allowPrivate, timeoutMs }),
      slack: slackChannel({ clock, allowPrivate, timeoutMs }),
      email: mailChannel({ clock, server, timeoutMs }),
    },
    policy: {
      attempts: settings.notificationAttempts,
      retryMs: settings.notificationRetryMs,
      holdMs: settings.notificationHoldMs,
      pauseAfter: settings.notificationPauseAfter,
    },
  };
}
