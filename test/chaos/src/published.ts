import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { mendTimers } from '@retrigger/kafka/kafkajs-timers.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import kafkajs, { type Producer } from 'kafkajs';
import type { System } from './system.ts';
import type { Answer, User } from './user.ts';

/** A key whose user publishes commands, and the way to Kafka, which has no faults but those of the server. */
export type Publisher = { keyId: string; key: string; signingSecret: string; topic: string; producer: Producer };

/** A command as MESSAGES tells others to publish it. */
export type Sent = { commandId: string; type: string; taskId: string; body: JsonObject };

const TRY_MS = 8_000;
/** Longer than its client takes for its tries. */
const SENT_WITHIN_MS = 60_000;
/** One in so many is published once more after its outcome was told, and must be told the same. */
const PUBLISHES_AGAIN = 3;
/** Nobody has taken the record up; a gateway whose calendar is behind takes `accepted` for a time to come, and knows no such command. */
const PENDING = { status: 202, text: '{"state":"pending"}' };

export async function connectProducer({ settings }: System): Promise<{ producer: Producer; topic: string }> {
  mendTimers(Date.now);
  const brokers = (settings.RETRIGGER_KAFKA_BROKERS ?? '').split(',');
  const kafka = new kafkajs.Kafka({ brokers, requestTimeout: TRY_MS, retry: { retries: 1 }, logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  return { producer, topic: settings.RETRIGGER_KAFKA_PREFIX + TOPICS.commands };
}

/** Publishes a command until Kafka has it, and asks what came of it until it is decided. Undefined when it never was, or otherwise than can be: both are noted. */
export async function publish(user: User, publisher: Publisher, command: Sent, allowed: number[]): Promise<Answer | undefined> {
  const told = await outcomeOf(user, publisher, command);
  if (told === undefined) return undefined;
  if (user.random.between(1, PUBLISHES_AGAIN) === 1) {
    const again = await outcomeOf(user, publisher, command);
    if (again !== undefined && again.text !== told.text)
      user.note(`${command.commandId}: its outcome was ${told.text} and then ${again.text}`);
  }
  if (allowed.includes(told.status)) return told;
  user.note(`${command.commandId}: a published ${command.type} came to ${told.status} ${told.text}`);
  return undefined;
}

async function outcomeOf(user: User, publisher: Publisher, command: Sent): Promise<Answer | undefined> {
  const accepted = new Date().toISOString();
  const isSent = await user.untilDecided(command.commandId, async () => ({
    ...{ status: await send(user, publisher, command), text: '', commandId: '', body: {} },
  }));
  if (isSent === undefined) return undefined;
  const path = `/commands/${command.commandId}?accepted=${accepted}`;
  return user.untilDecided(command.commandId, async () => {
    const asked = await user.once('GET', path, undefined, publisher.key);
    const { outcome } = (asked.body.data ?? {}) as { outcome?: { status: number; body: JsonObject } };
    if (outcome === undefined) return [200, 404].includes(asked.status) ? { ...asked, ...PENDING } : asked;
    return { status: outcome.status, text: JSON.stringify(outcome), commandId: command.commandId, body: outcome.body };
  });
}

/** 200 when Kafka has it; 0 when it may have it or not. */
async function send({ tenant }: User, { keyId, signingSecret, topic, producer }: Publisher, command: Sent): Promise<number> {
  const [key, at] = [`${tenant.id}/${command.taskId}`, new Date().toISOString()];
  const value = JSON.stringify(command);
  const signature = createHmac('sha256', signingSecret)
    .update(`${keyId}\n${at}\n${topic}\n${key}\napplication/json\n${value}`)
    .digest('hex');
  const headers = { 'content-type': 'application/json', 'retrigger-key-id': keyId, 'retrigger-timestamp': at };
  const message = { key, value, headers: { ...headers, 'retrigger-signature': signature } };
  const sent = producer.send({ topic, acks: -1, messages: [message] }).then(
    () => 200,
    () => 0,
  );
  return Promise.race([sent, pause(SENT_WITHIN_MS, 0, { ref: false })]);
}
