import type { Event } from '@retrigger/domain/event.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';

export type Reply = { status: number; text: string; commandId: string };

/** A caller that speaks HTTP and nothing else. */
export class Client {
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  async send(method: string, path: string, body?: unknown, idempotencyKey?: string, headers: Record<string, string> = {}): Promise<Reply> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text(), commandId: response.headers.get('x-command-id') ?? '' };
  }

  async data<T>(path: string): Promise<T> {
    const { status, text } = await this.send('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    return JSON.parse(text).data;
  }

  task = (taskId: string): Promise<JsonObject & { status: string }> => this.data(`/api/v1/tasks/${taskId}`);

  events = async (taskId: string): Promise<Event[]> =>
    (await this.data<{ events: Event[] }>(`/api/v1/tasks/${taskId}/events?pageSize=1000`)).events;
}
