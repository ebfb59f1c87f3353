import type { Command } from '@retrigger/domain/command.ts';
import { dependentsKey, type Evidence } from '@retrigger/domain/decider.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import { wakeCommand } from '@retrigger/domain/task/react.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { type History, MORNING, NO_HISTORY, step } from './task-history.ts';

/**
 * Several tasks and the commands under way between them: the domain with the least engine that it needs, one decision at a time. Each task's commands are
 * decided in order; `pick` chooses which task goes next, so a property test tries orders. What is decided is saved at once.
 */
export class Cluster {
  readonly histories = new Map<string, History>();
  readonly #queues = new Map<string, Command[]>();
  #looks = 0;
  now = MORNING;

  send(...commands: Command[]): void {
    for (const command of commands) {
      const queue = this.#queues.get(command.taskId) ?? [];
      queue.push(command);
      this.#queues.set(command.taskId, queue);
    }
  }

  /** The commands that are under way to a task; they are held back until somebody sends them again. */
  take(taskId: string): Command[] {
    const queue = this.#queues.get(taskId) ?? [];
    this.#queues.delete(taskId);
    return queue;
  }

  state(taskId: string): TaskState | undefined {
    return this.histories.get(taskId)?.state;
  }

  events(taskId: string): TaskEvent[] {
    return this.histories.get(taskId)?.events.map(({ event }) => event) ?? [];
  }

  /** The tasks that have commands to decide. */
  get busy(): string[] {
    return [...this.#queues].flatMap(([taskId, queue]) => (queue.length > 0 ? [taskId] : []));
  }

  /** The commands that a task has to decide. */
  waiting(taskId: string): Command[] {
    return this.#queues.get(taskId) ?? [];
  }

  /** A look that a waiting task takes by itself. */
  look(taskId: string): Command {
    const commandId = `look-${++this.#looks}`;
    const actor = { id: 'scheduler', type: 'system' } as const;
    return { ...{ commandId, taskId, actor, tenantId: 'acme', roles: [], correlationId: commandId }, type: 'Check', body: {} };
  }

  /** Decides the next command of a task, at `now`. */
  decide(taskId: string): TaskEvent | undefined {
    const command = this.#queues.get(taskId)?.shift();
    if (command === undefined) return undefined;
    this.now += 1;
    const before = this.histories.get(taskId) ?? NO_HISTORY;
    const evidence = new Map<string, unknown>();
    let taken = step(before, command, this.now, evidence);
    for (let round = 0; taken.decision.kind === 'needs'; round++) {
      if (round > 1_000) throw new Error(`${command.type} on ${taskId} asks for ever`);
      for (const key of taken.decision.keys) evidence.set(key, this.state(key.split('/')[1] ?? ''));
      for (const key of taken.decision.dependentsOf ?? []) evidence.set(dependentsKey(key), this.#waitingFor(key.split('/')[1] ?? ''));
      taken = step(before, command, this.now, evidence as Evidence);
    }
    const event = taken.stored?.event;
    if (event === undefined) return undefined;
    this.histories.set(taskId, taken.history);
    this.send(...taskDecider.react(event, command));
    const announced = taskDecider.announce(event);
    if (announced !== undefined) this.send(...this.#waitingFor(taskId).map(announced));
    return event;
  }

  /** Decides until nothing is under way; `pick` chooses among so many busy tasks. */
  settle(pick: (busy: number) => number = () => 0): void {
    for (let decided = 0; this.busy.length > 0; decided++) {
      if (decided > 10_000) throw new Error('the tasks keep sending each other commands');
      const busy = this.busy;
      this.decide(busy[pick(busy.length) % busy.length] as string);
    }
  }

  /** Moves to the time and wakes whoever is due, until nobody is. */
  advance(toMs: number, pick?: (busy: number) => number): void {
    this.settle(pick);
    for (;;) {
      const next = this.#nextDue();
      if (next === undefined || next.wakeAt > toMs) break;
      this.now = Math.max(this.now, next.wakeAt);
      const before = this.histories.get(next.taskId)?.head.sequence;
      this.send(wakeCommand('acme', next.taskId, next.wakeAt, null, next.wakeAt));
      this.settle(pick);
      if (this.histories.get(next.taskId)?.head.sequence === before) throw new Error(`${next.taskId} was due and nothing happened`);
    }
    this.now = Math.max(this.now, toMs);
  }

  /** Waiting tasks look again from time to time; that they need not is what tests show, so it is left out. */
  #nextDue(): { taskId: string; wakeAt: number } | undefined {
    let first: { taskId: string; wakeAt: number } | undefined;
    for (const [taskId, { state }] of this.histories) {
      if (state === undefined) continue;
      const { wakeAt, wakeKind } = taskDecider.lookup(state);
      if (wakeAt !== null && wakeKind !== 'check' && (first === undefined || wakeAt < first.wakeAt)) first = { taskId, wakeAt };
    }
    return first;
  }

  #waitingFor(taskId: string): string[] {
    const waiting: string[] = [];
    for (const [id, { state }] of this.histories)
      if (state !== undefined && taskDecider.lookup(state).waitsFor.includes(taskId)) waiting.push(id);
    return waiting.sort();
  }
}
