import type { Event } from '@retrigger/domain/event.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { SseReader } from '@retrigger/test-gateway/sse.ts';

export type Answer = { status: number; headers: Headers; text: string; json: JsonObject & { data: JsonObject; code: string } };
export type Headed = { [name: string]: string };

/** A task as tests look at it. */
export type Task = JsonObject & { taskId: string; status: string; version: number; nextExecution?: string; retryCount: number };

export type EventPage = { events: Event[]; total: number; pageInfo: { hasMore: boolean; nextCursor: string | null } };

/** What a run of a task is known by. */
export type Triggered = { executionId: string; runId: string; estimatedCompletion: string };

/** What a change says that says nothing else: a machine that is busy may take its time. */
const PATIENT: Headed = { prefer: 'wait=60' };

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
        ...(method === 'GET' ? {} : PATIENT),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const answer = await response.text();
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text: answer, json: isJson ? JSON.parse(answer) : {} };
  }

  post = (path: string, body?: unknown, headers?: Headed): Promise<Answer> => this.call('POST', `/api/v1${path}`, body, headers);

  reschedule = (taskId: string, body: JsonObject, query = '', headers?: Headed): Promise<Answer> =>
    this.call('PUT', `/api/v1/tasks/${taskId}/reschedule${query}`, body, headers);

  patch = (taskId: string, body: JsonObject, headers?: Headed): Promise<Answer> =>
    this.call('PATCH', `/api/v1/tasks/${taskId}`, body, headers);

  /** The data of a read that must succeed. */
  data = async <T = JsonObject>(path: string): Promise<T> => must<T>(200, `GET ${path}`, await this.call('GET', `/api/v1${path}`));

  /** Creates a task that must not exist yet; returns it. */
  create = async (taskId: string, more: JsonObject = {}): Promise<JsonObject> =>
    must(201, `create ${taskId}`, await this.post('/tasks', { taskId, type: 'job', ...more }));

  task = (taskId: string): Promise<Task> => this.data(`/tasks/${taskId}`);

  events = async (taskId: string, query = 'pageSize=1000'): Promise<Event[]> =>
    (await this.data<{ events: Event[] }>(`/tasks/${taskId}/events?${query}`)).events;

  /** A page over all tasks. */
  page = (query: string): Promise<EventPage> => this.data(`/events?${query}`);

  /** The live stream; `lastEventId` goes on behind that event. */
  async stream(query = '', lastEventId = ''): Promise<SseReader> {
    const headers = { authorization: `Bearer ${this.#key}`, 'last-event-id': lastEventId };
    const response = await fetch(`${this.#url}/api/v1/events/stream?${query}`, { headers });
    if (response.status !== 200 || response.body === null) throw new Error(`stream: ${response.status} ${await response.text()}`);
    const reader = new SseReader(response.body);
    await reader.until(() => reader.comments > 0);
    return reader;
  }

  types = async (taskId: string): Promise<string[]> => (await this.events(taskId)).map(({ eventType }) => eventType);

  /** Triggers a task that can be; returns the answer's data. */
  trigger = async (taskId: string, body: JsonObject = {}): Promise<Triggered> =>
    must(202, `trigger ${taskId}`, await this.post(`/tasks/${taskId}/trigger`, body));

  /** Reschedules a task that can be; returns the answer's data. */
  rescheduled = async (taskId: string, body: JsonObject): Promise<JsonObject> =>
    must(200, `reschedule ${taskId}`, await this.reschedule(taskId, body));

  /** Runs a task to its end as an executor would. */
  async run(taskId: string, end: { result?: JsonObject[string] } | { error: string } = {}): Promise<Triggered> {
    const triggered = await this.trigger(taskId);
    const { executionId } = triggered;
    must(200, `end ${executionId}`, await this.post(`/executions/${executionId}/${'error' in end ? 'failed' : 'completed'}`, end));
    return triggered;
  }

  /** Waits until a task is in a status. */
  becomes = (taskId: string, status: string, withinMs?: number): Promise<void> =>
    eventually(`${taskId} is ${status}`, async () => (await this.task(taskId)).status === status, withinMs);
}

function must<T>(status: number, what: string, answer: Answer): T {
  if (answer.status !== status) throw new Error(`${what}: ${answer.status} ${answer.text}`);
  return answer.json.data as T;
}
