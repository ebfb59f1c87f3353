import { fingerprint } from '@retrigger/domain/idempotency.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import { describe, expect, test } from 'vitest';
import { Story } from './story.ts';
import { everyEventWasTold, lookupsAreOfStates, oneOutcome, timeGoesOn } from './telling-checkers.ts';

const KEY = 'acme/deploy';
const BODY = fingerprint({ n: 1 });
const OTHER = fingerprint({ n: 2 });

const story = () =>
  new Story()
    .send('deploy', 0, { type: 'CreateTask', body: { type: 'job' } })
    .send('deploy', 1_000, { type: 'RescheduleTask', body: { schedule: { strategy: 'delayed', delay: '5s' } } });

const accepted = (answer: object, body = BODY) => ({ key: KEY, commandId: 'c1', kind: 'accepted' as const, answer, fingerprint: body });
const reused = (body: typeof BODY) => ({ ...accepted({ code: 'idempotency_key_reused' }, body), kind: 'refused' as const });

describe('the checkers of what was told', () => {
  test('find an event that was never told', () => {
    const { recorded } = story();
    const told = (recorded.streams.get(KEY) ?? []).map((event) => JSON.stringify(event));
    expect(everyEventWasTold(recorded, [...told, ...told])).toEqual([]);
    expect(everyEventWasTold(recorded, told.slice(0, 1))).toHaveLength(1);
  });

  test('find an event that was told and is not stored', () => {
    const { recorded } = story();
    const told = (recorded.streams.get(KEY) ?? []).map((event) => JSON.stringify(event));
    recorded.streams.get(KEY)?.pop();
    expect(everyEventWasTold(recorded, told)).toHaveLength(1);
  });

  test('find a command with two outcomes', () => {
    const first = () => BODY;
    expect(oneOutcome([accepted({ a: 1 }), accepted({ a: 1 })], first)).toEqual([]);
    expect(oneOutcome([accepted({ a: 1 }), accepted({ a: 2 })], first)).toHaveLength(1);
    expect(oneOutcome([accepted({ a: 1 }), { ...accepted({ a: 1 }), kind: 'refused' }], first)).toHaveLength(1);
  });

  test('find another request under the same id that got the first one’s outcome, and a repeat that did not', () => {
    const first = () => BODY;
    expect(oneOutcome([accepted({ a: 1 }), reused(OTHER)], first)).toEqual([]);
    expect(oneOutcome([accepted({ a: 1 }), accepted({ a: 1 }, OTHER)], first)).toHaveLength(1);
    expect(oneOutcome([accepted({ a: 1 }), reused(BODY)], first)).toHaveLength(1);
    expect(oneOutcome([accepted({ a: 1 })], () => undefined)).toHaveLength(1);
  });

  test('find a snapshot whose columns are not what its state says', () => {
    const told = story();
    const { dueAt: _, ...row } = taskDecider.lookup(told.state('deploy'));
    expect(lookupsAreOfStates(told.recorded, new Map([[KEY, row]]))).toEqual([]);
    expect(lookupsAreOfStates(told.recorded, new Map([[KEY, { ...row, wakeAt: null }]]))).toHaveLength(1);
    expect(lookupsAreOfStates(told.recorded, new Map())).toHaveLength(1);
  });

  test('find time that goes back', () => {
    const { recorded } = story();
    expect(timeGoesOn(recorded)).toEqual([]);
    recorded.streams.get(KEY)?.reverse();
    expect(timeGoesOn(recorded)).toHaveLength(1);
  });
});
