import type { Command } from '../command.ts';
import { namedTasks } from '../conditions.ts';
import type { Decision, Evidence, NewEvent } from '../decider.ts';
import type { Head } from '../event.ts';
import { bulkIdOf, taskKey } from '../identifiers.ts';
import { isPermitted } from '../permissions.ts';
import { refused } from '../refusal.ts';
import { releaseCommand, settleCommand } from './ask.ts';
import type { BulkBody, BulkItem, TaskResult } from './commands.ts';
import { type BulkEventType, type BulkMetadata, type Outgoing, SCHEMA_VERSION } from './events.ts';
import { withResults } from './evolve.ts';
import { lookup } from './lookup.ts';
import { type BulkPart, type BulkState, type BulkStatus, underWayOf } from './state.ts';

/** A door keeps an idempotency key for so long; a bulk under a key that is used again after that is a new one. */
const KEY_LIFE_MS = 24 * 3_600_000;

const NOTHING: Decision = { kind: 'nothing' };

/**
 * A bulk: asks its tasks, gathers what they say, and answers its caller.
 * A1: all or nothing has one decision, which is stored before any task is told of it, and which every later question is answered with.
 * A2: commit is decided only when every task has reserved itself; anything else, also having waited for too long, decides release.
 * A3: it ends, and answers, only when every task that may have reserved itself has said that it committed or let go. So whoever reads after the answer
 * sees all of it or nothing.
 * A4: what a task says counts once, the first time; told again it changes nothing.
 * A5: a task that doesn't exist when the bulk begins can't take part: it is not asked. Every task that is asked has a stream, and so an event to answer with.
 * A6: its last event answers its caller (see react.ts).
 */
export function decide(state: BulkState | undefined, command: Command, head: Head, at: number, evidence: Evidence): Decision {
  switch (command.type) {
    case 'BulkTrigger':
    case 'BulkReschedule':
      return start(state, command, head, at, evidence);
    case 'GatherResults':
      return state === undefined ? NOTHING : gather(state, command.body.results);
    case 'AskBulk':
      return reply(state, command);
    case 'Wake':
      return state === undefined || lookup(state).wakeAt !== command.body.wakeAt || at < command.body.wakeAt ? NOTHING : abandon(state);
    default:
      return NOTHING;
  }
}

function event<T extends BulkEventType>(eventType: T, newState: BulkStatus, metadata: BulkMetadata[T]): Decision {
  return {
    kind: 'event',
    event: { eventType, schemaVersion: SCHEMA_VERSION, newState, metadata: metadata as unknown as NewEvent['metadata'] },
  };
}

/** A twin of one that is under way, or has ended, finds nothing to do: the answer is on its way, or in its receipt. */
function start(
  state: BulkState | undefined,
  command: Command & { type: 'BulkTrigger' | 'BulkReschedule' },
  head: Head,
  at: number,
  evidence: Evidence,
): Decision {
  if (state !== undefined && (state.endedAt === null || at - state.endedAt < KEY_LIFE_MS)) return NOTHING;
  if (!isPermitted(command))
    return { kind: 'answered', outcome: refused('forbidden', command.denied ?? 'The caller’s roles do not permit this') };
  const { tenantId, commandId, actor, roles, correlationId, traceparent, fingerprint, replyTo, body, type } = command;
  const { tasks: _t, filter: _f, allOrNothing = false, ...common } = body;
  const tasks = itemsOf(body);
  const keys = tasks.map(({ taskId }) => taskKey(tenantId, taskId));
  const unread = keys.filter((key) => !evidence.has(key));
  if (unread.length > 0) return { kind: 'needs', keys: unread };
  const missing = tasks.flatMap(({ taskId }, index) => (evidence.get(keys[index] ?? '') === undefined ? [taskId] : [])); // A5
  const caller = {
    ...{ commandId, actor, roles, correlationId },
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(replyTo === undefined ? {} : { replyTo }),
  };
  const status = missing.length === tasks.length ? 'Ended' : 'Asking';
  const started = head.sequence + 1;
  const underWay = underWayOf(tasks.length);
  return event('BulkStarted', status, { caller, type, allOrNothing, common, tasks, missing, started, startedAt: at, underWay });
}

/** The tasks of a bulk, with those marked whose conditions name another of them: these wait for it, and are not triggered now. */
export function itemsOf({ tasks }: Pick<BulkBody, 'tasks'>): BulkItem[] {
  const all = new Set(tasks.map(({ taskId }) => taskId));
  return tasks.map((item) => {
    const waits = item.conditions !== undefined && namedTasks(item.conditions).some((id) => all.has(id));
    return waits ? { ...item, waits } : item;
  });
}

const outgoing = ({ caller, started, startedAt, type, allOrNothing }: BulkState): Outgoing => ({
  ...{ caller, started, startedAt, type, allOrNothing },
});

function gather(state: BulkState, results: TaskResult[]): Decision {
  const parts = withResults(state.parts, results);
  return parts === state.parts ? NOTHING : goOn(state, parts, results); // A4
}

/** What comes next when the parts are as they are: wait for those under way, ask or tell the next chunk, decide, or end. */
function goOn(state: BulkState, parts: BulkPart[], results: TaskResult[]): Decision {
  const told = { ...outgoing(state), results };
  const { status } = state;
  if (status === 'Ended') return NOTHING;
  if (status !== 'Asking') return settle(state, parts, told, status);
  if (parts.some(({ at }) => at === 'asked')) return event('BulkGathered', status, told);
  const asks = parts.flatMap(({ at, item }) => (at === 'new' && item !== undefined ? [item] : [])).slice(0, underWayOf(parts.length));
  if (asks.length > 0) return event('BulkGathered', status, { ...told, asks, common: state.common });
  if (!state.allOrNothing) return event('BulkEnded', 'Ended', told);
  const decision = parts.every(({ at }) => at === 'reserved') ? 'commit' : 'release'; // A2
  return settle(state, parts, { ...told, decision }, decision === 'commit' ? 'Committing' : 'Releasing');
}

/** A3. */
function settle(state: BulkState, parts: BulkPart[], told: BulkMetadata['BulkDecided'], status: BulkStatus): Decision {
  const isUnderWay = parts.some(({ at }) => at === 'settling');
  const settles = parts
    .flatMap(({ at, taskId }) => (at === 'reserved' || at === 'asked' ? [taskId] : []))
    .slice(0, underWayOf(parts.length));
  const eventType = state.status === 'Asking' ? 'BulkDecided' : 'BulkGathered';
  if (isUnderWay) return event(eventType, status, told);
  return settles.length > 0 ? event(eventType, status, { ...told, settles }) : event('BulkEnded', 'Ended', told);
}

/** A2: it has waited for too long, or a task has. */
const abandon = (state: BulkState): Decision =>
  settle(state, state.parts, { ...outgoing(state), results: [], decision: 'release', isOverdue: true }, 'Releasing');

/** A1: a task whose reservation is overdue asks. Of a bulk that nobody knows it lets go. */
function reply(state: BulkState | undefined, command: Command & { type: 'AskBulk' }): Decision {
  const { tenantId, body, taskId: name } = command;
  const { taskId } = body;
  if (state === undefined || state.decision === null) {
    if (state?.status === 'Asking' && state.allOrNothing) return abandon(state);
    return { kind: 'tells', commands: [releaseCommand(tenantId, taskId, bulkIdOf(name), command.commandId, command.correlationId)] };
  }
  return { kind: 'tells', commands: [settleCommand(state, taskId, state.decision)] };
}
