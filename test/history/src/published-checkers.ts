import type { Event } from '@retrigger/domain/event.ts';
import type { Acknowledged, Violation } from './recorded.ts';

/**
 * What came of commands that were published under ids of their senders, which events carry as their `correlationId`: each has been one command. What was refused
 * as invalid is in no history. Returns them under the ids that the commands had inside, for the other checkers.
 */
export function publishedAs(
  streams: Map<string, Event[]>,
  published: Acknowledged[],
): { acknowledged: Acknowledged[]; wrong: Violation[] } {
  const wrong: Violation[] = [];
  const acknowledged = published.map(({ key, commandId: sentId, ...told }) => {
    const own = (streams.get(key) ?? []).filter(({ correlationId, actor }) => correlationId === sentId && actor.type === 'user');
    const ids = [...new Set(own.map(({ commandId }) => commandId))];
    if (ids.length > 1) wrong.push(`${key}: published ${sentId} was taken as ${ids.length} commands`);
    return { key, commandId: ids[0] ?? sentId, ...told };
  });
  return { acknowledged, wrong };
}
