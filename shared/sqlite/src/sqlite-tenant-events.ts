import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { TenantCursor, TenantFilter } from '@retrigger/ports/event-store.ts';
import { EventLadders } from './event-ladders.ts';

/**
 * The tenant is a column of its own: SQLite takes no index with a computed one for covering.
 * Both indexes end in time, so what is written together stands together, and they cost less than a busy machine's noise: 97 µs of processor time a decision with
 * them, 101 without, 114 with one more that begins with the task (medians of three runs of 40,000, ±10 %). One with the time right behind the tenant would be a third
 * for nothing: all types together are a merge of each one's range, which is already in order.
 */
export const TENANT_EVENTS_SCHEMA = `
  ALTER TABLE events DROP COLUMN tenant_id;
  ALTER TABLE events DROP COLUMN task_id;
  ALTER TABLE events ADD COLUMN tenant_id TEXT NOT NULL DEFAULT '';
  ALTER TABLE events ADD COLUMN event_id TEXT NOT NULL DEFAULT '';
  UPDATE events SET tenant_id = json_extract(json, '$.tenantId'), event_id = json_extract(json, '$.eventId');
  CREATE INDEX events_by_type ON events (tenant_id, type, at, event_id);
  CREATE INDEX events_by_actor ON events (tenant_id, actor_id, type, at, event_id);`;

/** E5: of a bulk's events the tenant is empty, which none is; no other key has this in it. */
export const BULK_EVENTS_SCHEMA = "UPDATE events SET tenant_id = '' WHERE key LIKE '%/bulk/%'";

/** The places of a tenant's events in the file: which, in what order, and how many. */
export class SqliteTenantEvents {
  readonly #statements = new Map<string, StatementSync>();
  readonly ladders = new EventLadders();
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Row ids of the events that match, in order. */
  find(filter: TenantFilter, { after, limit, order }: TenantCursor): number[] {
    const { types, from, before } = filter;
    if (types.length === 0 || limit === 0) return [];
    const [lowest, end] = [from === undefined ? Number.MIN_SAFE_INTEGER : Date.parse(from), Date.parse(before)];
    const edge = order === 'asc' ? [lowest, ''] : [end, ''];
    const isInside = after !== null && (order === 'asc' ? Date.parse(after.timestamp) >= lowest : Date.parse(after.timestamp) < end);
    const start = after !== null && isInside ? [Date.parse(after.timestamp), after.eventId] : edge;
    const bounds = [...start, order === 'asc' ? end : lowest];
    const values = types.flatMap((type) => [...scopeOf(filter, type), ...bounds]);
    return this.#prepared(findStatement(types.length, order, filter.actorId !== undefined))
      .all(...values, limit)
      .map(({ id }) => Number(id));
  }

  async count(filter: TenantFilter): Promise<number> {
    const byActor = filter.actorId !== undefined;
    const statements = { step: this.#prepared(stepStatement(byActor)), count: this.#prepared(countStatement(byActor)) };
    const [from, before] = [filter.from === undefined ? Number.MIN_SAFE_INTEGER : Date.parse(filter.from), Date.parse(filter.before)];
    let total = 0;
    for (const type of filter.types) total += await this.ladders.count(statements, scopeOf(filter, type), from, before);
    return total;
  }

  /** How the queries find their rows, in SQLite's words. */
  plan(types: number, order: 'asc' | 'desc', byActor: boolean): { find: string[]; count: string[] } {
    const explain = (sql: string): string[] =>
      this.#prepared(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail));
    return {
      find: explain(findStatement(types, order, byActor)),
      count: [stepStatement(byActor), countStatement(byActor)].flatMap(explain),
    };
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

const scopeOf = ({ tenantId, actorId }: TenantFilter, type: string): SQLInputValue[] =>
  actorId === undefined ? [tenantId, type] : [tenantId, actorId, type];

const scope = (byActor: boolean): string => (byActor ? 'tenant_id = ? AND actor_id = ? AND type = ?' : 'tenant_id = ? AND type = ?');

/** Each type's range of the index is in order; SQLite merges them without sorting. */
function findStatement(types: number, order: 'asc' | 'desc', byActor: boolean): string {
  const range = order === 'asc' ? '(at, event_id) > (?, ?) AND at < ?' : '(at, event_id) < (?, ?) AND at >= ?';
  const one = `SELECT id, at, event_id FROM events WHERE ${scope(byActor)} AND ${range}`;
  return `${Array.from({ length: types }, () => one).join(' UNION ALL ')} ORDER BY at ${order}, event_id ${order} LIMIT ?`;
}

const RANGE = '(at, event_id) > (?, ?) AND at < ?';

const stepStatement = (byActor: boolean): string =>
  `SELECT at, event_id FROM events WHERE ${scope(byActor)} AND ${RANGE} ORDER BY at, event_id LIMIT 1 OFFSET ?`;

const countStatement = (byActor: boolean): string => `SELECT count(*) AS total FROM events WHERE ${scope(byActor)} AND ${RANGE}`;
