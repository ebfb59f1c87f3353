import type { Command } from '@retrigger/domain/command.ts';

/** A command that was completed at the door: what it says now, and the tasks that it triggers, for which it is charged instead of for its `cost`. */
export type Ready = { ready: { body: Command['body']; charged: string[] } };

/** What makes a command complete, among what may be wrong with it. */
export const readyOf = (found: unknown): Ready['ready'] | undefined =>
  typeof found === 'object' && found !== null && 'ready' in found ? (found as Ready).ready : undefined;

export const completed = (command: Command, ready: Ready['ready'] | undefined): Command =>
  ready === undefined ? command : ({ ...command, body: ready.body } as Command);
