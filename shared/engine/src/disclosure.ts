import type { Event, StoredEvent } from '@retrigger/domain/event.ts';
import type { Json, JsonObject } from '@retrigger/domain/json.ts';
import { withValueAt } from '@retrigger/domain/json-pointer.ts';
import { NAME_TOKEN } from '@retrigger/domain/privacy/name-token.ts';
import { EVENT_FIELDS, type PersonalFields, type PersonalKind, TASK_FIELDS } from '@retrigger/domain/privacy/personal-fields.ts';
import { type OpenEvent, openForm } from '@retrigger/domain/privacy/sealed-form.ts';
import { openValue, sealedUnder } from '@retrigger/domain/privacy/sealed-value.ts';
import type { KeyRing } from './key-ring.ts';

/** A field that is sealed: what stands there, and the token of what opens it. */
type SealedField = { pointer: string; kind: PersonalKind; value: Json; token: string };
type Opened = Awaited<ReturnType<KeyRing['open']>>;

/**
 * Opens what is sealed for whoever may read it: the one place that does.
 * O1: what can't be opened, because its key was destroyed, is shown as it is stored. O2: only fields that are sealed by a door are looked at, so no text
 * of a user's can have another's name put in its place.
 */
export class Disclosure {
  readonly #ring: KeyRing;

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  /** Events of one tenant as they are shown. `json` is their text then, canonical but for its last members. */
  events(tenantId: string, stored: StoredEvent[]): Promise<StoredEvent[]> {
    return this.#events(tenantId, stored, EVENT_PARTS);
  }

  async #events(tenantId: string, stored: StoredEvent[], fields: FieldParts[]): Promise<StoredEvent[]> {
    const found = stored.map((one) => sealedFields(one.event as unknown as Json, mayHideMore(one) ? fields : ACTOR_PARTS));
    if (found.every((fields) => fields.length === 0)) return stored;
    const opened = await this.#ring.open(tenantId, tokensOf(found));
    return stored.map((one, i) => shown(one, found[i] ?? [], opened));
  }

  /**
   * Events of any tenant as they leave on the events topic: with the names of users, which nobody out there could find out otherwise. What sensitive tasks hold
   * stays sealed: what has left can't be erased.
   */
  async named(stored: StoredEvent[]): Promise<StoredEvent[]> {
    const byTenant = Map.groupBy(stored, ({ event }) => event.tenantId);
    const shownOnes = new Map<StoredEvent, StoredEvent>();
    for (const [tenantId, theirs] of byTenant) {
      const open = await this.#events(tenantId, theirs, NAME_PARTS);
      for (const [i, one] of theirs.entries()) shownOnes.set(one, open[i] ?? one);
    }
    return stored.map((one) => shownOnes.get(one) ?? one);
  }

  /** The same for events that nobody has stored. */
  async unstored(tenantId: string, events: Event[]): Promise<Event[]> {
    const position = { partition: 0, offset: 0, at: 0 };
    const opened = await this.events(
      tenantId,
      events.map((event) => ({ key: '', event, json: '', position })),
    );
    return opened.map(({ event }) => event);
  }

  /** Tasks as they are shown, and answers that may show one. */
  async tasks(tenantId: string, views: JsonObject[]): Promise<JsonObject[]> {
    const found = views.map((view) => sealedFields(view, TASK_PARTS));
    if (found.every((fields) => fields.length === 0)) return views;
    const opened = await this.#ring.open(tenantId, tokensOf(found));
    return views.map((view, i) => {
      const taskId = String(view.taskId);
      return [...openFields(found[i] ?? [], opened, tenantId, taskId)].reduce<Json>(
        (open, [pointer, { value }]) => withValueAt(open, pointer, value),
        view,
      ) as JsonObject;
    });
  }

  async task(tenantId: string, view: JsonObject): Promise<JsonObject> {
    return (await this.tasks(tenantId, [view]))[0] ?? view;
  }

  /** The context of an execution for whoever runs it; `erased`: there is none any more. */
  async context(
    tenantId: string,
    taskId: string,
    context: JsonObject,
  ): Promise<{ kind: 'context'; context: JsonObject } | { kind: 'erased' }> {
    if (sealedUnder(context) === undefined) return { kind: 'context', context };
    const opened = (await this.task(tenantId, { taskId, context })).context as JsonObject;
    return opened === context ? { kind: 'erased' } : { kind: 'context', context: opened };
  }
}

/** The fields with their pointers in parts: every event of every page is looked at. */
type FieldParts = [pointer: string, parts: string[], kind: PersonalKind];

const inParts = (fields: PersonalFields): FieldParts[] =>
  Object.entries(fields).map(([pointer, kind]) => [pointer, pointer.split('/').slice(1), kind]);

const EVENT_PARTS = inParts(EVENT_FIELDS);
const ACTOR_PARTS = EVENT_PARTS.filter(([pointer]) => pointer === '/actor/id');
const NAME_PARTS = EVENT_PARTS.filter(([, , kind]) => kind === 'name');
const TASK_PARTS = inParts(TASK_FIELDS);

function sealedFields(document: Json, fields: FieldParts[]): SealedField[] {
  const found: SealedField[] = [];
  for (const [pointer, parts, kind] of fields) {
    const value = parts.reduce<Json | undefined>(memberOf, document);
    const token = kind === 'name' ? nameIn(value) : sealedUnder(value);
    if (value !== undefined && token !== undefined) found.push({ pointer, kind, value, token });
  }
  return found;
}

/** Most events hide their actor and nothing else, and a look at the text behind that tells: a second token, or something sealed. */
const mayHideMore = ({ json }: StoredEvent): boolean =>
  !json.startsWith(START) || json.includes(TOKEN, START.length) || json.includes('$sealed');

const START = '{"actor":{"id":"';
const TOKEN = '"u_';

const memberOf = (value: Json | undefined, name: string): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const nameIn = (value: Json | undefined): string | undefined => (typeof value === 'string' && NAME_TOKEN.test(value) ? value : undefined);

function* tokensOf(found: SealedField[][]): Generator<string, void> {
  for (const fields of found) for (const { token } of fields) yield token;
}

function openFields(fields: SealedField[], { names, keys }: Opened, tenantId: string, taskId: string) {
  const opened = new Map<string, { value: Json; salt: string }>();
  for (const { pointer, kind, value, token } of fields) {
    const name = names.get(token);
    if (kind === 'name' && name !== undefined) opened.set(pointer, { value: name.name, salt: name.salt });
    const key = keys.get(token);
    const open = kind === 'name' || key === undefined ? undefined : openValue(key, { tenantId, taskId, kind }, value);
    if (open !== undefined) opened.set(pointer, open);
  }
  return opened; // O1
}

function shown(stored: StoredEvent, fields: SealedField[], opened: Opened): StoredEvent {
  const { tenantId, taskId } = stored.event;
  const values = openFields(fields, opened, tenantId, taskId);
  if (values.size === 0) return stored;
  const actor = values.size === 1 ? values.get(ACTOR) : undefined;
  if (actor !== undefined) return withActor(stored, actor);
  const event = openForm(stored.event, values);
  return { ...stored, event, json: JSON.stringify(event) };
}

/** The same for the many events that hide their actor's name and nothing else: neither they nor their texts are made anew. */
function withActor(stored: StoredEvent, { value, salt }: { value: Json; salt: string }): StoredEvent {
  const { event, json } = stored;
  const sealed = { [ACTOR]: { value: event.actor.id, salt } };
  const open: OpenEvent = { ...event, actor: { ...event.actor, id: String(value) }, sealed };
  const start = `{"actor":{"id":"${event.actor.id}"`;
  if (!json.startsWith(start)) return { ...stored, event: open, json: JSON.stringify(open) };
  const text = `{"actor":{"id":${JSON.stringify(value)}${json.slice(start.length, -1)},"sealed":${JSON.stringify(sealed)}}`;
  return { ...stored, event: open, json: text };
}

const ACTOR = '/actor/id';
