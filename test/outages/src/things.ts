import type { Event } from '@retrigger/domain/event.ts';
import type { Caller } from './asking.ts';

const TASKS = ['seen', 'patch', 'trigger', 'reschedule', 'now', 'cancel', 'bulk1', 'bulk2', 'bulk3', 'bulk4', 'sensitive'] as const;
const RUNNING = ['claim', 'started', 'heartbeat', 'completed', 'failed'] as const;
const COMMANDS_A_ROUND = 50;

/** What the calls of one round are about, made while all is well. */
export type Things = {
  /** A name that no other round has. */
  id(name: string): string;
  ids: Record<(typeof TASKS)[number] | (typeof RUNNING)[number], string>;
  /** Of the tasks that are Running. */
  executions: Record<(typeof RUNNING)[number], string>;
  subscriptions: { ended: string; tested: string };
  /** Ids of dead letters that are open. */
  letters: { redrive: string; drop: string };
  eventId: string;
  commandId: string;
  keyId: string;
  /** One that nobody has set before, and that nobody reaches. */
  limit: number;
  hookUrl: string;
};

/** `letters` makes two dead letters and returns their ids. */
export async function makeThings(
  round: string,
  number: number,
  caller: Caller,
  hookUrl: string,
  makeLetters: () => Promise<[string, string]>,
): Promise<Things> {
  const id = (name: string) => `${round}-${name}`;
  const [ids, executions] = [{} as Things['ids'], {} as Things['executions']];
  const post = <T>(path: string, body: object) => caller.data<T>('POST', `/api/v1${path}`, body);
  const task = async (name: keyof Things['ids']) => {
    ids[name] = id(name);
    const target = name === 'trigger' ? { target: { url: `${hookUrl}/${id(name)}` } } : {};
    await post('/tasks', { taskId: id(name), type: id(name), sensitive: name === 'sensitive', context: { name }, ...target });
  };
  const subscription = async (name: string) =>
    (await post<{ id: string }>('/subscriptions', { channel: 'webhook', url: `${hookUrl}/${id(name)}`, tasks: [id(name)] })).id;
  const running = async (name: (typeof RUNNING)[number]) => {
    await task(name);
    executions[name] = (await post<{ executionId: string }>(`/tasks/${id(name)}/trigger`, {})).executionId;
  };
  const [ended, tested, key, [redrive, drop]] = await Promise.all([
    subscription('ended'),
    subscription('tested'),
    post<{ id: string }>('/api-keys', { userId: id('leaver'), roles: ['viewer'] }),
    makeLetters(),
    ...TASKS.map(task),
    ...RUNNING.map(running),
  ]);
  const [created] = (await caller.data<{ events: Event[] }>('GET', `/api/v1/tasks/${ids.seen}/events`)).events;
  return {
    ...{ id, ids, executions, hookUrl, subscriptions: { ended, tested }, letters: { redrive, drop } },
    ...{ eventId: created?.eventId ?? '', commandId: created?.commandId ?? '', keyId: key.id },
    limit: 1_000_000 + number * COMMANDS_A_ROUND,
  };
}
