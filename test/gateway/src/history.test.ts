import { NO_HASH, type StoredEvent } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import { sealedForm } from '@retrigger/domain/privacy/sealed-form.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Door, startDoor } from './door.ts';

const TYPES = ['TaskCreated', 'TaskTriggered', 'TaskStarted', 'TaskCompleted', 'TaskTriggered', 'CommandRefused', 'TaskFailed'];
const EVENTS = '/api/v1/tasks/t/events';

describe('the history of a task', () => {
  let door: Door;
  const events = async (query = '') => (await door.ask(`${EVENTS}${query}`)).json.data;
  const types = async (query: string) => (await events(query)).events.map(({ eventType }: { eventType: string }) => eventType);

  beforeEach(() => {
    door = startDoor();
    door.seed('default', 't', TYPES);
    door.seed('other', 't', ['TaskCreated']);
  });

  test('is all of it, in order, as it was hashed', async () => {
    const page = await events();
    expect(page.events.map(({ sequence }: { sequence: number }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect([page.total, page.pageInfo]).toEqual([7, { hasMore: false, nextCursor: null }]);
    expect(firstBreak(page.events, 1, NO_HASH)).toBeUndefined();
  });

  test.each(['asc', 'desc'])('walking the cursor %s neither loses nor repeats one', async (order) => {
    const seen: number[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { events: { sequence: number }[]; pageInfo: { hasMore: boolean; nextCursor: string | null } } = await events(
        `?order=${order}&pageSize=3&cursor=${cursor}`,
      );
      seen.push(...page.events.map(({ sequence }) => sequence));
      expect(page.pageInfo.hasMore).toBe(page.pageInfo.nextCursor !== null);
      cursor = page.pageInfo.nextCursor;
    }
    expect(order === 'asc' ? seen : seen.reverse()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('filters by type, actor and time', async () => {
    expect(await types('?types=TaskFailed,TaskTriggered')).toEqual(['TaskTriggered', 'TaskTriggered', 'TaskFailed']);
    expect(await types('?types=TaskRescheduled')).toEqual([]);
    expect(await types('?actor=nobody')).toEqual([]);
    expect((await types('?actor=admin')).length).toBe(7);
    expect(await types('?from=2026-03-04T05:07:07.008Z&to=2026-03-04T05:08:07.008Z')).toEqual(['TaskTriggered', 'TaskStarted']);
    expect((await types('?from=2026-03-04&to=2026-03-04')).length).toBe(7);
    expect(await types('?to=2026-03-03')).toEqual([]);
    expect(await types('?from=2026-03-05')).toEqual([]);
    expect((await types('?from=0000-01-01&to=9999-12-31')).length).toBe(7);
  });

  test('a cursor is good for its query, task and tenant only (Q1)', async () => {
    const { nextCursor } = (await events('?pageSize=2')).pageInfo;
    door.seed('default', 'u', TYPES);
    const asked = async (path: string, as = 'admin') => (await door.ask(path, { as })).status;
    expect(await asked(`${EVENTS}?cursor=${nextCursor}`)).toBe(200);
    expect(await asked(`${EVENTS}?cursor=${nextCursor}&pageSize=5`)).toBe(200);
    for (const query of ['order=desc', 'types=TaskCreated', 'actor=admin', 'from=2026-03-04', 'to=2026-03-05'])
      expect([query, await asked(`${EVENTS}?cursor=${nextCursor}&${query}`)]).toEqual([query, 400]);
    expect(await asked(`/api/v1/tasks/u/events?cursor=${nextCursor}`)).toBe(400);
    expect(await asked(`${EVENTS}?cursor=${nextCursor}`, 'stranger')).toBe(400);
    const text = Buffer.from(nextCursor, 'base64url').toString();
    const altered = Buffer.from(text.replace(/^2/, '5')).toString('base64url');
    expect(await asked(`${EVENTS}?cursor=${altered}`)).toBe(400);
  });

  test('is verified from the first event to the last', async () => {
    const verify = async () => (await door.ask(`${EVENTS}/verify`)).json.data;
    expect(await verify()).toEqual({ valid: true, checked: 7 });
    const [all, third] = [[...door.events], door.events[2] as StoredEvent];
    const as = (json: string) => all.toSpliced(2, 1, { ...third, json });
    const put = (sequence: number, stored: StoredEvent) => ({ ...stored, event: { ...stored.event, sequence } });
    const inserted = [...all.slice(0, 3), put(4, third), ...all.slice(3).map((stored) => put(stored.event.sequence + 1, stored))];
    const faults: [string, StoredEvent[], object][] = [
      ['changed', as(third.json.replace('"type":"user"', '"type":"executor"')), { sequence: 3, reason: 'hash does not match the content' }],
      ['written otherwise', as(third.json.replace('{', '{ ')), { sequence: 3, reason: 'its bytes are not those that were written' }],
      ['no JSON any more', as(third.json.slice(1)), { sequence: 3, reason: 'it is not JSON' }],
      ['no object any more', as('[]'), { sequence: 3, reason: 'it is no object' }],
      ['put in', inserted, { sequence: 4, reason: 'expected sequence 4, found 3' }],
      [
        'exchanged',
        [...all.slice(0, 2), put(3, all[3] as StoredEvent), put(4, third), ...all.slice(4)],
        { sequence: 3, reason: 'expected sequence 3, found 4' },
      ],
      ['removed', all.toSpliced(2, 1), { sequence: 3, reason: 'expected sequence 3, found 4' }],
      ['cut off at the end', all.toSpliced(6, 1), { sequence: 7, reason: 'it ends here, but 7 were written' }],
      ['cut off at the beginning', all.toSpliced(0, 1), { sequence: 1, reason: 'expected sequence 1, found 2' }],
    ];
    for (const [what, events, firstBreak] of faults) {
      door.events.splice(0, door.events.length, ...events);
      const { sequence } = firstBreak as { sequence: number };
      expect([what, await verify()]).toEqual([what, { valid: false, checked: sequence - 1, firstBreak }]);
    }
  });

  test('a byte of it that has flipped, wherever it stands, is found (K1)', async () => {
    const all = [...door.events];
    const fourth = all[3] as StoredEvent;
    const bytes = Buffer.from(fourth.json);
    for (let i = 0; i < bytes.length; i++) {
      for (const bit of [0x01, 0x20]) {
        const flipped = Buffer.from(bytes);
        flipped[i] = (flipped[i] ?? 0) ^ bit;
        door.events.splice(0, door.events.length, ...all.toSpliced(3, 1, { ...fourth, json: flipped.toString('utf8') }));
        const { valid, firstBreak } = (await door.ask(`${EVENTS}/verify`)).json.data;
        expect([i, bit, valid, firstBreak?.sequence]).toEqual([i, bit, false, 4]);
      }
    }
  });

  test('an end that was written anew is found, though its chain is whole (K1)', async () => {
    const snapshot = door.snapshots.get('default/t');
    if (snapshot === undefined) throw new Error('not seeded');
    door.snapshots.set('default/t', { ...snapshot, head: { ...snapshot.head, hash: 'f'.repeat(64) } });
    expect((await door.ask(`${EVENTS}/verify`)).json.data).toMatchObject({ valid: false, firstBreak: { sequence: 7 } });
  });

  test('one event is found by its id, in its own task only', async () => {
    const { event } = door.events[3] as StoredEvent;
    const { status, json } = await door.ask(`${EVENTS}/${event.eventId}`);
    expect([status, sealedForm(json.data)]).toEqual([200, event]);
    expect(json.data.actor).toEqual({ id: 'admin', type: 'user' });
    expect((await door.ask(`${EVENTS}/${event.eventId}`, { as: 'stranger' })).status).toBe(404);
  });
});
