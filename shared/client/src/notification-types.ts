import type { EventType, PageInfo } from './types.ts';

/** `url` of a webhook or slack subscription, `to` of an email one. All event types and all tasks when they are absent. */
export type CreateSubscription = {
  channel: Channel;
  url?: string;
  to?: string;
  events?: EventType[];
  tasks?: string[];
  criticalOnly?: boolean;
};
export type Channel = 'webhook' | 'slack' | 'email';

/** `events` and `tasks` are null for all. */
export type Subscription = {
  id: string;
  channel: Channel;
  url?: string;
  to?: string;
  events: string[] | null;
  tasks: string[] | null;
  criticalOnly: boolean;
  createdAt: string;
  state: 'active' | 'paused';
  paused?: { at: string; reason: string };
  lastTest?: { at: string; delivered: boolean; reason?: string };
};
/** `secret` of a webhook is shown this once. */
export type CreatedSubscription = Omit<Subscription, 'state' | 'paused' | 'lastTest'> & { secret?: string };
export type SubscriptionList = { subscriptions: Subscription[] };
export type SubscriptionTest = { id: string; testId: string };

/** `bytes` are the original ones, in base64; `history` tells who did what about it. */
export type DeadLetter = {
  id: string;
  kind: 'command' | 'event' | 'notification' | 'unknown';
  state: 'open' | 'closed';
  taskId?: string;
  subscriptionId?: string;
  sequence?: number;
  reason: string;
  attempts: number;
  at: string;
  headers: { [name: string]: string };
  bytes: string;
  history: { action: 'redriven' | 'dropped'; by: string; at: string; reason?: string; commandId: string }[];
};
export type DeadLetterPage = { deadLetters: DeadLetter[]; pageInfo: PageInfo };
export type ClosedDeadLetter = { id: string; action: 'redriven' | 'dropped' };
export type DeadLetterQuery = { state?: 'open' | 'closed'; cursor?: string; pageSize?: number };
