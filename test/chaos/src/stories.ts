import type { JsonObject } from '@retrigger/domain/json.ts';
import { publish } from './published.ts';
import type { Wanted } from './recorder.ts';
import type { Answer, User } from './user.ts';

/** Where tasks are run: an HTTP target, or whoever claims tasks of a type. */
export type Executors = { targetUrl: string; claimedType: string; consumedType: string };

/** What one user does with tasks of a name of their own. */
type Story = (user: User, name: string, executors: Executors) => Promise<void>;

const LONGEST_DELAY_S = 12;

/** Creates a task that says whose it is; undefined when that was not decided. */
async function create(user: User, taskId: string, wanted: Wanted, more: JsonObject): Promise<Answer | undefined> {
  const body = { taskId, type: 'job', context: { tenant: user.tenant.id }, ...more };
  const answer = await user.ask('POST', '/tasks', body, `create-${taskId}`, [201]);
  if (answer !== undefined) user.recorder.tasks.set(`${user.tenant.id}/${taskId}`, wanted);
  return acknowledge(user, taskId, answer);
}

async function trigger(user: User, taskId: string, allowed = [202], key = 'trigger'): Promise<Answer | undefined> {
  const body = { triggerReason: key };
  return acknowledge(user, taskId, await user.ask('POST', `/tasks/${taskId}/trigger`, body, `${key}-${taskId}`, allowed));
}

async function reschedule(user: User, taskId: string, key: string, body: JsonObject, allowed: number[]): Promise<Answer | undefined> {
  return acknowledge(user, taskId, await user.ask('PUT', `/tasks/${taskId}/reschedule`, body, `${key}-${taskId}`, allowed));
}

/** Notes what a user was told of one task. */
function acknowledge(user: User, taskId: string, answer: Answer | undefined, told = user.recorder.acknowledged): Answer | undefined {
  if (answer === undefined) return undefined;
  const { body, commandId } = answer;
  const key = `${user.tenant.id}/${taskId}`;
  const isRefused = answer.status >= 400;
  const said = isRefused ? { code: body.code, detail: body.detail } : withoutSecret(body.data as JsonObject);
  told.push({ key, commandId, kind: isRefused ? 'refused' : 'accepted', answer: said });
  return answer;
}

/** The door adds the secret to what the worker answered. */
function withoutSecret({ target, ...answer }: JsonObject): JsonObject {
  if (target === undefined) return answer;
  const { secret: _, ...shown } = target as JsonObject;
  return { ...answer, target: shown };
}

const delayed = (seconds: number): JsonObject => ({ strategy: 'delayed', delay: `${seconds}s` });
/** Time for an answer that came while the dispatcher was paused. */
const TIMEOUT = '60s';
const target = ({ targetUrl }: Executors, how = 'well'): JsonObject => ({ target: { url: `${targetUrl}/${how}`, timeout: TIMEOUT } });
/** Attempts enough for executors whose claim was lost with its answer. */
const RETRIES = { retry: { maxAttempts: 8, baseDelay: '200ms', maxDelay: '1s' } };

const STORIES: Story[] = [
  async function isCalled(user, name, executors) {
    await create(user, name, 'run', target(executors));
    await trigger(user, name);
    await trigger(user, name, [409], 'once-more');
  },
  async function isTriedAgain(user, name, executors) {
    await create(user, name, 'run', { ...target(executors, 'badly-at-first'), ...RETRIES });
    await trigger(user, name);
  },
  async function isClaimed(user, name, { claimedType }) {
    await create(user, name, 'run', { type: claimedType, ...RETRIES });
    await trigger(user, name);
  },
  async function isConsumed(user, name, { consumedType }) {
    await create(user, name, 'run', { type: consumedType, ...RETRIES });
    await trigger(user, name);
  },
  async function isDelayed(user, name, executors) {
    await create(user, name, 'run', target(executors));
    await reschedule(user, name, 'later', delayed(user.random.between(1, LONGEST_DELAY_S)), [200]);
    await user.pause(user.random.between(0, 2_000));
    // Meanwhile it may be running, or have run.
    if (user.random.between(0, 1) === 1) await reschedule(user, name, 'other', delayed(user.random.between(1, 5)), [200, 409]);
  },
  async function isCancelled(user, name, executors) {
    await create(user, name, 'anything', target(executors));
    await reschedule(user, name, 'later', delayed(300), [200]);
    const path = `/tasks/${name}/cancel`;
    acknowledge(user, name, await user.ask('POST', path, { reason: 'not needed' }, `cancel-${name}`, [200]));
  },
  async function waitsForAnother(user, name, executors) {
    await create(user, `${name}-first`, 'run', target(executors));
    const conditions = { outcome: { taskId: `${name}-first`, status: 'Completed' } };
    await create(user, `${name}-then`, 'run', { ...target(executors), schedule: { strategy: 'conditional', conditions } });
    await trigger(user, `${name}-first`);
  },
  async function isOneOfABulk(user, name, executors) {
    const ids = ['a', 'b', 'c', 'd'].map((part) => `${name}-${part}`);
    for (const taskId of ids) await create(user, taskId, 'anything', target(executors));
    const [a = '', , , d = ''] = ids;
    if (user.random.between(0, 2) === 0) {
      const cancelled = await user.ask('POST', `/tasks/${d}/cancel`, {}, `cancel-${d}`, [200]);
      acknowledge(user, d, cancelled); // such a one can't be triggered: nothing at all must come of it
    }
    await Promise.all([
      bulk(user, `${name}-left`, ids, true),
      bulk(
        user,
        `${name}-right`,
        ids.toReversed().filter((id) => id !== a),
        user.random.between(0, 1) === 1,
      ),
    ]);
  },
];

/** What other systems publish: applied once however often it stands on the topic, or refused with the reason told. */
async function isPublished(user: User, name: string, executors: Executors): Promise<void> {
  const { publisher, id } = user.tenant;
  if (publisher === null) return;
  const command = async (type: string, body: JsonObject, allowed: number[], key = type) =>
    publish(user, publisher, { commandId: `${key}-${name}`, type, taskId: name, body }, allowed);
  const noted = (answer: Answer | undefined) => acknowledge(user, name, answer, user.recorder.published);
  const created = await command('CreateTask', { type: 'job', context: { tenant: id }, ...target(executors) }, [201]);
  if (created === undefined) return;
  user.recorder.tasks.set(`${id}/${name}`, 'run');
  noted(created);
  noted(await command('TriggerTask', { triggerReason: 'published' }, [202]));
  noted(await command('TriggerTask', { triggerReason: 'again' }, [409], 'once-more'));
  const wrong = await command('ChangeTask', { critical: 'very' }, [400]);
  if (wrong !== undefined && !wrong.text.includes('"path":"critical"')) user.note(`${name}: was not told what is wrong: ${wrong.text}`);
}

async function bulk(user: User, reason: string, taskIds: string[], allOrNothing: boolean): Promise<void> {
  const body = { tasks: taskIds.map((taskId) => ({ taskId })), allOrNothing, triggerReason: reason };
  const answer = await user.ask('POST', '/tasks/bulk/trigger', body, reason, [200, 409]);
  if (answer === undefined) return;
  const { results } = (answer.body.data ?? answer.body) as { results?: { taskId: string; accepted: boolean }[] };
  const accepted = (results ?? []).flatMap((result) => (result.accepted ? [result.taskId] : []));
  user.recorder.bulks.push({ tenantId: user.tenant.id, taskIds, reason, allOrNothing, accepted });
}

/** One story after the other until the round is over; the last one is told to its end. */
export async function live(user: User, name: string, executors: Executors): Promise<void> {
  for (let n = 0; !user.recorder.isOver; n++) {
    const story = user.random.pick(user.tenant.publisher === null ? STORIES : [...STORIES, isPublished]);
    await story(user, `${name}-${n}-${story.name}`, executors);
    await user.pause(user.random.between(50, 300));
  }
}
