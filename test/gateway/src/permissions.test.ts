import { isGranted, ROLES } from '@retrigger/domain/permissions.ts';
import { describe, expect, test } from 'vitest';
import { CONTRACT, pathOf } from './contract-calls.ts';
import { type Door, keyOf, startDoor } from './door.ts';

/** All calls that are served, as method and path. */
const served = (door: Door): string[] => door.app.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);

/** Only the status: a stream’s body has no end. */
async function statusOf(door: Door, call: string, key: string | null): Promise<number> {
  const { body } = CONTRACT[call] ?? {};
  const asked = door.app.request(`http://gateway${pathOf(call)}`, {
    method: call.split(' ')[0] ?? '',
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const due = setInterval(() => door.clock.advance(0), 1); // who waits for nothing is answered by a timer
  const response = await asked;
  clearInterval(due);
  await response.body?.cancel();
  return response.status;
}

describe('who may call what (AC-04)', () => {
  const all = served(startDoor());

  test('every call that is served has its permission in the contract', () => {
    expect(all.filter((call) => CONTRACT[call] === undefined)).toEqual([]);
  });

  describe.each(all.filter((call) => CONTRACT[call]?.needs !== 'open'))('%s', (call) => {
    const needs = CONTRACT[call]?.needs ?? 'any';

    test.each(ROLES.map((role) => ({ role, isAllowed: needs === 'any' || (needs !== 'open' && isGranted([role], needs)) })))(
      'as $role: allowed is $isAllowed',
      async ({ role, isAllowed }) => {
        const door = startDoor();
        door.seed('default', 't', ['TaskCreated']);
        const status = await statusOf(door, call, keyOf(role));
        expect(status === 403).toBe(!isAllowed);
        expect([400, 401, 413, 415, 429, 500]).not.toContain(status);
      },
    );

    test('without credentials, or with bad ones, nobody is let in', async () => {
      const door = startDoor();
      const keys = [null, 'nobody’s key'.replace('’', ''), `${keyOf('admin')}x`, keyOf('admin').slice(0, -1), 'eyJhbGciOiJub25lIn0.e30.'];
      expect(await Promise.all(keys.map((key) => statusOf(door, call, key)))).toEqual(keys.map(() => 401));
      expect([door.commands, door.receipts.size]).toEqual([[], 0]);
    });
  });

  test.each(all.filter((call) => CONTRACT[call]?.needs === 'open'))('%s needs no credentials', async (call) => {
    expect(await statusOf(startDoor(), call, null)).toBe(200);
  });
});
