import type { StoredEvent } from '@retrigger/domain/event.ts';
import { canonicalJson } from '@retrigger/domain/event-hash.ts';
import { archivedPart } from './archived-part.ts';
import type { Caller } from './credentials.ts';
import { makeCursor, NOT_ITS_CURSOR, readCursor } from './cursor.ts';
import type { GatewayDeps } from './deps.ts';
import { exportReply } from './event-export.ts';
import type { EventQuery } from './event-query.ts';
import type { History } from './histories.ts';
import { invalid, type Problem } from './problem.ts';
import type { Reply } from './reply.ts';
import { inChunks } from './stored-history.ts';
import type { Totals } from './totals.ts';

/** A page ends before the event that would make it longer, however many it may have. */
const PAGE_CHARACTERS = 4 * 1_048_576;

/** What a query asks of a history: a page, or all of it as a file. */
export function eventReply(
  deps: Pick<GatewayDeps, 'secrets' | 'observer'>,
  totals: Totals,
  caller: Caller,
  history: History,
  query: EventQuery,
): Promise<Reply | Problem> {
  return query.format === null
    ? page(deps, totals, caller, history, query)
    : exportReply(query.format, history.name, inChunks(history.page, history.placeOf), deps.observer);
}

async function page(
  { secrets }: Pick<GatewayDeps, 'secrets'>,
  totals: Totals,
  { tenantId }: Caller,
  history: History,
  { cursor, pageSize }: EventQuery,
): Promise<Reply | Problem> {
  const { question } = history;
  const place = cursor === null ? null : readCursor(secrets, tenantId, question, cursor);
  if (place === undefined) return invalid('cursor', NOT_ITS_CURSOR);
  const found = await history.page(place, pageSize + 1, PAGE_CHARACTERS);
  const upTo = history.upTo(found);
  const total = await (history.totals === null ? history.count(0, upTo) : totals.of(history.totals, upTo, history.count));
  const shown = found.slice(0, isLong(found) ? Math.min(pageSize, found.length - 1) : pageSize);
  const last = shown.at(-1);
  const hasMore = found.length > shown.length && last !== undefined;
  const nextCursor = hasMore ? makeCursor(secrets, tenantId, question, history.placeOf(last)) : null;
  const page = `"events":[${textOf(shown)}],"pageInfo":${canonicalJson({ hasMore, nextCursor })},"total":${total}`;
  const older = history.archived.last === 0 ? '' : `${canonicalJson(archivedPart(history.archived)).slice(1, -1)},`;
  return rawReply(`{"data":{${older}${page}},"status":200}`);
}

/** Several events that are as long as a page may be: it ended with the last of them, of which then only that it is there is used. */
const isLong = (events: StoredEvent[]): boolean =>
  events.length > 1 && events.reduce((sum, { json }) => sum + json.length, 0) >= PAGE_CHARACTERS;

const textOf = (events: StoredEvent[]): string => events.map(({ json }) => json).join(',');

/** Events are shown as they are stored, but for what could be opened: that stands beside its sealed form, so that the hash can be checked. */
export const rawReply = (body: string): Reply => ({
  status: 200,
  body,
  headers: { 'content-type': 'application/json' },
});
