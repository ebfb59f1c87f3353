import { isGranted, mayChange, type Permission, ROLES, type Role } from '@retrigger/domain/permissions.ts';
import { describe, expect, test } from 'vitest';

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

  test('a task is changed by its owner, by an admin and by the cluster (P1)', () => {
    expect(mayChange({ id: 'ada', type: 'user' }, ['operator'], 'ada')).toBe(true);
    expect(mayChange({ id: 'eve', type: 'user' }, ['operator'], 'ada')).toBe(false);
    expect(mayChange({ id: 'eve', type: 'user' }, ['admin'], 'ada')).toBe(true);
    expect(mayChange({ id: 'retrigger', type: 'system' }, [], 'ada')).toBe(true);
  });
});
