import type { BulkBody } from '@retrigger/domain/bulk/commands.ts';
import type { BulkState } from '@retrigger/domain/bulk/state.ts';
import type { Command, CommandHeader } from '@retrigger/domain/command.ts';
import { dependentsKey } from '@retrigger/domain/decider.ts';
import { domainDecider } from '@retrigger/domain/domain-decider.ts';
import { EMPTY_HEAD, type Event, type Head } from '@retrigger/domain/event.ts';
import { bulkName, deriveBulkId, partsOfKey, taskKey } from '@retrigger/domain/identifiers.ts';
import { decisionTime, headAfter, nextEvent } from '@retrigger/domain/next-event.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import { wakeCommand } from '@retrigger/domain/task/react.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { OWNER } from './command-samples.ts';
import type { History } from './task-history.ts';

type Stream = { state: TaskState | BulkState | undefined; head: Head; events: Event[] };

/** Tasks and bulks and the commands between them: each stream decides its own in order, one decision at a time; `pick` chooses which goes next. */
export class BulkWorld {
  readonly streams = new Map<string, Stream>();
  /** What was answered, by the command that it answers. */
  readonly outcomes = new Map<string, Outcome>();
  readonly #queues = new Map<string, Command[]>();
  now: number;

  constructor(now: number) {
    this.now = now;
  }

  /** A task as some history has made it. */
  put({ state, head, events }: History): void {
    if (state !== undefined) this.streams.set(state.taskId, { state, head, events: events.map(({ event }) => event as unknown as Event) });
  }

  task = (taskId: string): TaskState => this.streams.get(taskId)?.state as TaskState;
  bulk = (commandId: string): BulkState => this.streams.get(bulkName(deriveBulkId(commandId)))?.state as BulkState;
  types = (name: string): string[] => (this.streams.get(name)?.events ?? []).map(({ eventType }) => eventType);

  send(...commands: Command[]): this {
    for (const command of commands) {
      const queue = this.#queues.get(command.taskId) ?? [];
      queue.push(command);
      this.#queues.set(command.taskId, queue);
    }
    return this;
  }

  /** The commands that are under way to somebody. */
  waiting = (name: string): Command[] => this.#queues.get(name) ?? [];

  /** Decides the next command of a stream. */
  decide(name: string): void {
    const command = this.#queues.get(name)?.shift();
    if (command === undefined) return;
    const { state, head, events } = this.streams.get(name) ?? { state: undefined, head: EMPTY_HEAD, events: [] };
    const position = { partition: 0, offset: head.sequence, at: this.now };
    const evidence = new Map<string, unknown>();
    const ask = () => domainDecider.decide(state, command, head, decisionTime(head, position), evidence);
    let decision = ask();
    for (; decision.kind === 'needs'; decision = ask()) {
      for (const key of decision.keys) evidence.set(key, this.streams.get(partsOfKey(key).taskId)?.state);
      for (const key of decision.dependentsOf ?? []) evidence.set(dependentsKey(key), []);
    }
    if (decision.kind === 'tells') this.send(...decision.commands);
    if (decision.kind === 'answered') this.outcomes.set(command.answersTo ?? command.commandId, decision.outcome);
    if (decision.kind !== 'event') return;
    const previous = state === undefined ? null : domainDecider.lookup(state).status;
    const stored = nextEvent(head, previous, command, decision.event, position);
    const after = domainDecider.evolve(state, stored.event);
    this.streams.set(name, { state: after, head: headAfter(stored), events: [...events, stored.event] });
    const outcome = domainDecider.answer(stored.event, after);
    const asked = domainDecider.concludes(stored.event) ?? command;
    if (outcome.kind !== 'deferred') this.outcomes.set(asked.answersTo ?? asked.commandId, outcome);
    this.send(...domainDecider.join(domainDecider.react(stored.event, command)));
  }

  /** Decides until nothing is under way, or until so many decisions are made. */
  settle(pick: (busy: number) => number = () => 0, most = 10_000): this {
    for (let decided = 0; decided < most; decided++) {
      const busy = [...this.#queues].flatMap(([name, queue]) => (queue.length > 0 ? [name] : []));
      if (busy.length === 0) return this;
      this.decide(busy[pick(busy.length) % busy.length] as string);
    }
    return this;
  }

  /** Moves the time and wakes whoever is due. */
  pass(ms: number): this {
    this.now += ms;
    for (const [name, { state }] of this.streams) {
      const wakeAt = state === undefined ? null : domainDecider.lookup(state).wakeAt;
      if (wakeAt !== null && wakeAt <= this.now) this.send(wakeCommand('acme', name, wakeAt, null, this.now));
    }
    return this;
  }
}

/** A bulk as a door hands it in; its stream is found by its commandId. */
export const bulk = (
  type: 'BulkTrigger' | 'BulkReschedule',
  commandId: string,
  body: Omit<BulkBody, 'tasks'> & { tasks: (string | BulkBody['tasks'][number])[] },
  header: Partial<CommandHeader> = {},
): Command => ({
  ...{ commandId, tenantId: 'acme', taskId: bulkName(deriveBulkId(commandId)), actor: OWNER, roles: ['operator'], correlationId: 'corr' },
  ...{ fingerprint: { of: commandId }, ...header, type },
  body: { ...body, tasks: body.tasks.map((one) => (typeof one === 'string' ? { taskId: one } : one)) },
});

export const key = (name: string): string => taskKey('acme', name);
