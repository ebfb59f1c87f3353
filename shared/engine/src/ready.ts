import type { Command } from '@retrigger/domain/command.ts';

/** A command that was completed at the door: what it says now, and the tasks that it triggers, for which it is charged instead of for its `cost`. */
export type Ready = { ready: { body: Command['body']; charged: string[] } };

/** Asks what is wrong with a command, or what completes it. */
export async function checked<P>({
  check,
}: {
  check?(): Promise<P | Ready | undefined>;
}): Promise<{ problem?: P; ready?: Ready['ready'] }> {
  const found = await check?.();
  if (found === undefined) return {};
  return isReady(found) ? found : { problem: found };
}

const isReady = (found: unknown): found is Ready => typeof found === 'object' && found !== null && 'ready' in found;

export const completed = (command: Command, ready: Ready['ready'] | undefined): Command =>
  ready === undefined ? command : ({ ...command, body: ready.body } as Command);
