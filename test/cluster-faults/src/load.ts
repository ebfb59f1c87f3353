import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Client, Reply } from '@retrigger/test-faults/client.ts';
import type { Acknowledged } from '@retrigger/test-history/recorded.ts';

const USERS = 12;
const PAUSE_MS = 60;
/** A command that has no outcome by then is lost. A broker that was killed may take a minute of it to start. */
const LONGEST_MS = 180_000;

/**
 * Users who create a task, trigger it, and trigger it again, one task after another, until stopped. Whatever is not a decided answer (a broken connection, 503,
 * a pending 202) they ask again under the same key, as the API tells them to.
 */
export class Load {
  /** Begins the ids of its tasks. */
  readonly name: string;
  readonly tasks: string[] = [];
  readonly acknowledged: Acknowledged[] = [];
  readonly #door: Client;
  readonly #targetUrl: string;
  readonly #done: Promise<unknown>;
  /** How often each answer that was none was given. */
  readonly #unanswered = new Map<string, number>();
  #isRunning = true;

  constructor(name: string, door: Client, targetUrl: string) {
    this.name = name;
    this.#door = door;
    this.#targetUrl = targetUrl;
    this.#done = Promise.all(Array.from({ length: USERS }, (_, user) => this.#use(user)));
    this.#done.catch(() => {}); // `stop` tells
  }

  /** Resolves when every command that was sent has its outcome. @throws when one has none, or another than it must have. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#done;
  }

  /** What users had to ask again for, in words. */
  repeats(): string {
    return [...this.#unanswered].map(([what, count]) => `, ${count} times ${what}`).join('');
  }

  async #use(user: number): Promise<void> {
    for (let n = 0; this.#isRunning; n++) {
      const taskId = `${this.name}-${user}-${n}`;
      this.tasks.push(taskId);
      await this.#ask(taskId, '/api/v1/tasks', { taskId, type: 'job', target: { url: this.#targetUrl } }, 201);
      await this.#ask(taskId, `/api/v1/tasks/${taskId}/trigger`, { triggerReason: 'load' }, 202);
      await this.#ask(taskId, `/api/v1/tasks/${taskId}/trigger`, { triggerReason: 'once more' }, 409);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #ask(taskId: string, path: string, body: JsonObject, status: number): Promise<void> {
    const key = `${taskId}-${status}`;
    for (const end = performance.now() + LONGEST_MS; ; ) {
      const reply = await this.#door.send('POST', path, body, key).catch(unreachable);
      if (reply.status === status && !isPending(reply)) return this.#note(taskId, reply);
      const what = isPending(reply) ? 'pending' : reply.status === 0 ? 'unreachable' : String(reply.status);
      if (![0, 202, 503].includes(reply.status)) throw new Error(`${key}: ${reply.status} ${reply.text}`);
      if (performance.now() > end) throw new Error(`${key}: no outcome after ${LONGEST_MS} ms, the last was ${what}`);
      this.#unanswered.set(what, (this.#unanswered.get(what) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  #note(taskId: string, { status, text, commandId }: Reply): void {
    const told = JSON.parse(text);
    const key = `default/${taskId}`;
    if (status === 409) this.acknowledged.push({ key, commandId, kind: 'refused', answer: { code: told.code, detail: told.detail } });
    else this.acknowledged.push({ key, commandId, kind: 'accepted', answer: withoutSecret(told.data) });
  }
}

const unreachable = (): Reply => ({ status: 0, text: '', commandId: '' });
const isPending = ({ text }: Reply): boolean => text.includes('"state":"pending"');

/** The door adds the secret to what the worker answered. */
function withoutSecret({ target, ...answer }: JsonObject): JsonObject {
  if (target === undefined) return answer;
  const { secret: _, ...shown } = target as JsonObject;
  return { ...answer, target: shown };
}
