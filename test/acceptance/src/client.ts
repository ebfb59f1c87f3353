import type { Event } from '@retrigger/domain/event.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';

export type Answer = { status: number; headers: Headers; text: string; json: JsonObject & { data: JsonObject; code: string } };
export type Headed = { [name: string]: string };

/** A caller that speaks HTTP and nothing else. */
export class Client {
  readonly #url: string;
  readonly #key: string | null;

  constructor(url: string, key: string | null) {
    this.#url = url;
    this.#key = key;
  }

  /** `body`: a text goes as it is, anything else as JSON. */
  async call(method: string, path: string, body?: unknown, headers: Headed = {}): Promise<Answer> {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...(this.#key === null ? {} : { authorization: `Bearer ${this.#key}` }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const answer = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, text: answer, json: isJson ? JSON.parse(answer) : {} };
  }

  post = (path: string, body?: unknown, headers?: Headed): Promise<Answer> => this.call('POST', `/api/v1${path}`, body, headers);

  /** The data of a read that must succeed. */
  async data<T = JsonObject>(path: string): Promise<T> {
    const { status, text, json } = await this.call('GET', `/api/v1${path}`);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    return json.data as T;
  }

  /** Creates a task that must not exist yet; returns it. */
  async create(taskId: string, more: JsonObject = {}): Promise<JsonObject> {
    const { status, text, json } = await this.post('/tasks', { taskId, type: 'job', ...more });
    if (status !== 201) throw new Error(`create ${taskId}: ${status} ${text}`);
    return json.data;
  }

  task = (taskId: string): Promise<JsonObject> => this.data(`/tasks/${taskId}`);

  events = async (taskId: string, query = 'pageSize=1000'): Promise<Event[]> =>
    (await this.data<{ events: Event[] }>(`/tasks/${taskId}/events?${query}`)).events;

  /** Triggers a task that can be; returns the answer's data. */
  async trigger(taskId: string, body: JsonObject = {}): Promise<{ executionId: string; runId: string; estimatedCompletion: string }> {
    const { status, text, json } = await this.post(`/tasks/${taskId}/trigger`, body);
    if (status !== 202) throw new Error(`trigger ${taskId}: ${status} ${text}`);
    return json.data as { executionId: string; runId: string; estimatedCompletion: string };
  }
}

/** Asks until the answer is yes; fails with what it waited for. */
export async function eventually(what: string, ask: () => Promise<boolean>, withinMs = 10_000): Promise<void> {
  for (const end = performance.now() + withinMs; ; ) {
    if (await ask()) return;
    if (performance.now() > end) throw new Error(`it did not happen within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
