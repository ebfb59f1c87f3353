import type { Event } from '@retrigger/domain/event.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import type { Client } from './client.ts';

/** Lets each task have events, one after the other, all tasks at once: as fast as they are answered. Returns the task's ids. */
export async function happenings(admin: Client, names: string[], rounds: number): Promise<void> {
  await Promise.all(
    names.map(async (taskId) => {
      await admin.create(taskId);
      await admin.trigger(taskId);
      for (let round = 2; round < rounds; round++) await admin.post(`/tasks/${taskId}/trigger`, { triggerReason: `refused ${round}` });
    }),
  );
}

/**
 * Walks the cursor over all tasks until `isDone` and nothing has come for a while, asking again for the last page where it ends: what was shown must stay, and only
 * grow at its end. Returns the events in the order in which they were shown.
 */
export async function walkWhile(admin: Client, query: string, isDone: () => boolean): Promise<Event[]> {
  const seen: Event[] = [];
  let last: Event[] = [];
  let quietSince: number | null = null;
  for (let cursor = ''; ; ) {
    const { events, pageInfo } = await admin.page(`${query}&cursor=${cursor}`);
    const kept = events.slice(0, last.length).map(({ eventId }) => eventId);
    if (kept.join() !== last.map(({ eventId }) => eventId).join()) throw new Error('a page was not the beginning of what it was before');
    const fresh = events.slice(last.length);
    seen.push(...fresh);
    last = pageInfo.nextCursor === null ? events : [];
    cursor = pageInfo.nextCursor ?? cursor;
    if (!isDone() || fresh.length > 0) quietSince = null;
    else quietSince ??= performance.now();
    if (quietSince !== null && performance.now() - quietSince > 2_000) return seen;
  }
}

/** The events of some tasks by time and id, each read from its own history. */
export async function historiesOf(admin: Client, taskIds: string[]): Promise<Event[]> {
  const all = (await Promise.all(taskIds.map((taskId) => admin.events(taskId)))).flat();
  return all.sort((a, b) => (a.timestamp + a.eventId < b.timestamp + b.eventId ? -1 : 1));
}

/** Waits until the tenant's history has got as far as an event. */
export const trailsTo = (admin: Client, { timestamp, eventId }: Event): Promise<void> =>
  eventually(`${eventId} is in the tenant's history`, async () =>
    (await admin.page(`from=${timestamp}&to=${timestamp}&pageSize=1000`)).events.some((event) => event.eventId === eventId),
  );
