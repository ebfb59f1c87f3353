import type { Answer, Answers } from '@retrigger/ports/answers.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Redis } from 'ioredis';
import { connectRedis } from './redis-connection.ts';
import { failureOf } from './redis-errors.ts';

const PREFIX = 'retrigger:answers:';
/** How often a quiet subscription is asked whether it still stands: its connection would not tell that the other end is gone. */
const PING_EVERY_MS = 5_000;

type Context = { clock: Clock; observer: Observer };

/**
 * Answers by publish and subscribe: one channel for each process that waits. Nothing is stored, so what is published while nobody listens, or while Redis
 * is away, is lost; whoever waits then times out and looks for the receipt.
 * A1: the subscription stands before this object exists, and an expectation is noted before `expect` gives its promise.
 */
export class RedisAnswers implements Answers {
  readonly address: string;
  readonly #waiting = new Map<string, Set<(answer: Answer | undefined) => void>>();
  /** By address, what is sent at the end of this turn. */
  readonly #given = new Map<string, Answer[]>();
  readonly #context: Context;
  readonly #subscriber: Redis;
  readonly #publisher: Redis;
  #cancelPing: () => void = () => {};

  /** `id` is this process's own: letters and digits that no other process has. @throws RedisFailure when no Redis answers within 15 s. */
  static async open(url: string, id: string, context: Context): Promise<RedisAnswers> {
    const subscriber = await connectRedis(url, 'retrigger-answers-in', context, (redis) => redis.subscribe(PREFIX + id)); // A1
    try {
      return new RedisAnswers(PREFIX + id, subscriber, await connectRedis(url, 'retrigger-answers-out', context), context);
    } catch (error) {
      subscriber.disconnect();
      throw error;
    }
  }

  private constructor(address: string, subscriber: Redis, publisher: Redis, context: Context) {
    this.address = address;
    this.#subscriber = subscriber;
    this.#publisher = publisher;
    this.#context = context;
    subscriber.on('message', (_channel: string, message: string) => this.#receive(message));
    this.#pingLater();
  }

  /** How many expect an answer. */
  get waiting(): number {
    return this.#waiting.values().reduce((count, waiting) => count + waiting.size, 0);
  }

  expect(commandId: string, timeoutMs: number): Promise<Answer | undefined> {
    const { clock } = this.#context;
    return new Promise((resolve) => {
      const settle = (answer: Answer | undefined) => {
        cancel();
        const others = this.#waiting.get(commandId);
        others?.delete(settle);
        if (others?.size === 0) this.#waiting.delete(commandId);
        resolve(answer);
      };
      const waiting = this.#waiting.get(commandId) ?? new Set();
      this.#waiting.set(commandId, waiting.add(settle)); // A1
      const cancel = clock.timer(clock.now() + timeoutMs, () => settle(undefined));
    });
  }

  /** A2: an answer that can't be sent is a lost one. What is given in one turn of the event loop, by whatever batches, is one message. */
  async give(replyTo: string, answers: Answer[]): Promise<void> {
    if (answers.length === 0) return;
    const given = this.#given.get(replyTo);
    if (given !== undefined) {
      given.push(...answers);
      return;
    }
    const first = [...answers];
    this.#given.set(replyTo, first);
    setImmediate(() => {
      this.#given.delete(replyTo);
      this.#publish(replyTo, first);
    });
  }

  #publish(replyTo: string, answers: Answer[]): void {
    this.#publisher.publish(replyTo, JSON.stringify(answers)).catch((error: unknown) => {
      this.#context.observer.log('debug', 'answers are lost', { answers: answers.length, error: failureOf(error).code });
    });
  }

  /** Whoever still waits gets undefined. */
  async close(): Promise<void> {
    this.#cancelPing();
    this.#subscriber.disconnect();
    this.#publisher.disconnect();
    for (const waiting of [...this.#waiting.values()]) for (const settle of [...waiting]) settle(undefined);
  }

  #receive(message: string): void {
    let answers: Answer[];
    try {
      answers = JSON.parse(message);
    } catch {
      this.#context.observer.log('warn', 'what came as answers is no JSON', { length: message.length });
      return;
    }
    for (const answer of answers) for (const settle of [...(this.#waiting.get(answer.commandId) ?? [])]) settle(answer);
  }

  #pingLater(): void {
    const { clock } = this.#context;
    this.#cancelPing = clock.timer(clock.now() + PING_EVERY_MS, () => {
      // No reply ends the connection (N2), and the next one subscribes again.
      this.#subscriber.ping().catch(() => {});
      this.#pingLater();
    });
  }
}
