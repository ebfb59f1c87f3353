import { isGranted, isPermitted, mayChange, type Permission, ROLES, type Role } from '@retrigger/domain/permissions.ts';
import { describe, expect, test } from 'vitest';
import { cancel, create, heartbeat, trigger } from './command-samples.ts';

const TABLE: [Permission, Role[]][] = [
  ['task:read', ['viewer', 'operator', 'admin']],
  ['task:read-events', ['viewer', 'operator', 'admin']],
  ['task:create', ['operator', 'admin']],
  ['task:trigger', ['operator', 'admin']],
  ['task:reschedule', ['operator', 'admin']],
  ['task:cancel', ['operator', 'admin']],
  ['subscription:manage', ['operator', 'admin']],
  ['execution:claim', ['executor', 'admin']],
  ['execution:report', ['executor', 'admin']],
  ['tenant:administer', ['admin']],
];

describe('permissions', () => {
  test.each(TABLE)('%s is granted to %j and nobody else', (permission, granted) => {
    expect(ROLES.filter((role) => isGranted([role], permission))).toEqual(granted);
  });

  test('no role grants nothing; several grant what any of them does', () => {
    expect(isGranted([], 'task:read')).toBe(false);
    expect(isGranted(['viewer', 'executor'], 'execution:report')).toBe(true);
    expect(isGranted(['viewer', 'executor'], 'task:trigger')).toBe(false);
  });

  test('a command from a door needs its permission; what the cluster sends itself does not (P2)', () => {
    const fingerprint = {};
    for (const make of [create, trigger, cancel]) {
      expect(isPermitted(make({ roles: ['operator'], fingerprint }))).toBe(true);
      for (const roles of [[], ['viewer' as const], ['executor' as const]]) expect(isPermitted(make({ roles, fingerprint }))).toBe(false);
    }
    expect(isPermitted({ ...heartbeat('e'), roles: ['operator'], fingerprint })).toBe(false);
    expect(isPermitted({ ...heartbeat('e'), roles: [] })).toBe(true);
  });

  test('what a door has denied is not permitted, whoever sends it (P3)', () => {
    expect(isPermitted(trigger({ roles: ['admin'], fingerprint: {}, denied: 'not yours' }))).toBe(false);
    expect(isPermitted(trigger({ roles: [], denied: 'not yours' }))).toBe(false);
  });

  test('a task is changed by its owner, by an admin and by the cluster (P1)', () => {
    expect(mayChange({ id: 'ada', type: 'user' }, ['operator'], 'ada')).toBe(true);
    expect(mayChange({ id: 'eve', type: 'user' }, ['operator'], 'ada')).toBe(false);
    expect(mayChange({ id: 'eve', type: 'user' }, ['admin'], 'ada')).toBe(true);
    expect(mayChange({ id: 'retrigger', type: 'system' }, [], 'ada')).toBe(true);
  });
});
