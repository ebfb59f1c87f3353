import type { Command } from '@retrigger/domain/command.ts';
import { dependentsKey } from '@retrigger/domain/decider.ts';
import { EMPTY_HEAD, type Event, type Head } from '@retrigger/domain/event.ts';
import { decisionTime, headAfter, nextEvent } from '@retrigger/domain/next-event.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { Recorded } from './recorded.ts';

export const TENANT = 'acme';
export const BEGIN = Date.parse('2026-03-02T08:00:00Z');

/** A history that the real domain makes, command by command: sound until somebody spoils it. */
export class Story {
  readonly recorded: Recorded = { streams: new Map(), states: new Map(), acknowledged: [], calls: [] };
  readonly #heads = new Map<string, Head>();
  #commands = 0;

  events(taskId: string): Event[] {
    const key = `${TENANT}/${taskId}`;
    const events = this.recorded.streams.get(key) ?? [];
    this.recorded.streams.set(key, events);
    return events;
  }

  state(taskId: string): TaskState {
    const state = this.recorded.states.get(`${TENANT}/${taskId}`);
    if (state === undefined) throw new Error(`there is no task ${taskId}`);
    return state as TaskState;
  }

  execution(taskId: string): string {
    return this.state(taskId).execution?.executionId ?? '';
  }

  /** Decides a command `afterMs` after the beginning; it must lead to an event. Who sends it is ann, or the cluster itself. */
  send(taskId: string, afterMs: number, body: TaskCommandBody, by: 'ann' | 'cluster' = 'ann'): this {
    const key = `${TENANT}/${taskId}`;
    const { states, acknowledged } = this.recorded;
    const state = states.get(key) as TaskState | undefined;
    const head = this.#heads.get(key) ?? EMPTY_HEAD;
    const commandId = `c${++this.#commands}`;
    const actor = by === 'ann' ? { id: 'ann', type: 'user' } : { id: 'scheduler', type: 'system' };
    const command = { commandId, tenantId: TENANT, taskId, actor, roles: ['admin'], correlationId: 'c', ...body } as Command;
    const position = { partition: 0, offset: this.#commands, at: BEGIN + afterMs };
    const decision = taskDecider.decide(state, command, head, decisionTime(head, position), this.#evidence());
    if (decision.kind !== 'event') throw new Error(`the story needs an event here, not ${JSON.stringify(decision)}`);
    const stored = nextEvent(head, state?.status ?? null, command, decision.event, position);
    const after = taskDecider.evolve(state, stored.event as TaskEvent);
    this.#heads.set(key, headAfter(stored));
    states.set(key, after);
    this.events(taskId).push(stored.event);
    const outcome = taskDecider.answer(stored.event as TaskEvent, after);
    if (by === 'ann' && outcome.kind !== 'deferred')
      acknowledged.push({ key, commandId, kind: outcome.kind, answer: outcome.kind === 'accepted' ? outcome.answer : outcome.refusal });
    return this;
  }

  #evidence(): Map<string, unknown> {
    const evidence = new Map(this.recorded.states);
    for (const key of this.recorded.states.keys()) evidence.set(dependentsKey(key), []);
    return evidence;
  }
}
