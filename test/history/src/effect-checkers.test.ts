import { expect, test } from 'vitest';
import { bulksKeptTheirWord, givenOnce, heardWhatIsStored, newestSeesAll, tenantsAreApart } from './effect-checkers.ts';
import { Story, TENANT } from './story.ts';

const CREATE = { type: 'CreateTask', body: { type: 'job', context: { tenant: TENANT } } } as const;
const KEY = `${TENANT}/a`;

const told = () =>
  new Story()
    .send('a', 0, CREATE)
    .send('a', 10, { type: 'TriggerTask', body: { triggerReason: 'bulk-1' } })
    .send('b', 20, CREATE);

test('a run that is given twice, or that nothing triggered, is found', () => {
  const story = told();
  const run = { key: KEY, executionId: story.execution('a'), by: 'one' };
  expect(givenOnce(story.recorded, [run])).toEqual([]);
  expect(givenOnce(story.recorded, [run, { ...run, by: 'two' }])).toHaveLength(1);
  expect(givenOnce(story.recorded, [{ ...run, executionId: 'made-up' }])).toHaveLength(1);
});

test('a bulk that triggered half, or something that it refused, or nothing that it accepted, is found', () => {
  const { recorded } = told();
  const bulk = { tenantId: TENANT, taskIds: ['a', 'b'], reason: 'bulk-1', allOrNothing: false, accepted: ['a'] };
  expect(bulksKeptTheirWord(recorded, [bulk])).toEqual([]);
  expect(bulksKeptTheirWord(recorded, [{ ...bulk, allOrNothing: true }])).toHaveLength(1);
  expect(bulksKeptTheirWord(recorded, [{ ...bulk, accepted: [] }])).toHaveLength(1);
  expect(bulksKeptTheirWord(recorded, [{ ...bulk, accepted: ['a', 'b'] }])).toHaveLength(1);
});

test('news that steps back are fine; a gap, a wrong order and a missing end are found', () => {
  const { recorded } = told();
  const [one, two] = recorded.streams.get(KEY) ?? [];
  const [other] = recorded.streams.get(`${TENANT}/b`) ?? [];
  if (one === undefined || two === undefined || other === undefined) throw new Error('the story has three events');
  expect(newestSeesAll(recorded, [one, two, other, one, two], 'the topic')).toEqual([]);
  expect(newestSeesAll(recorded, [two, one, other], 'the topic')).toHaveLength(1);
  expect(newestSeesAll(recorded, [one, other], 'the topic')).toHaveLength(1);
  expect(newestSeesAll(recorded, [one, two], 'the topic')).toHaveLength(1);
});

test("an event in another tenant's history, and a context of another's task, is found", () => {
  const { recorded } = told();
  expect(tenantsAreApart(recorded)).toEqual([]);
  const events = recorded.streams.get(KEY) ?? [];
  expect(tenantsAreApart({ ...recorded, streams: new Map([['other/a', events]]) })).toHaveLength(2);
  const foreign = { ...recorded, streams: new Map([[KEY, [{ ...events[0], metadata: { context: { tenant: 'other' } } }]]]) };
  expect(tenantsAreApart(foreign as typeof recorded)).toHaveLength(1);
});

test("news that are another tenant's, or are not what is stored, are found", () => {
  const { recorded } = told();
  const [one, two] = recorded.streams.get(KEY) ?? [];
  if (one === undefined || two === undefined) throw new Error('the story has two events');
  expect(heardWhatIsStored(recorded, TENANT, [one, two, one, { ...one, taskId: 'unknown' }])).toEqual([]);
  expect(heardWhatIsStored(recorded, 'other', [one])).toHaveLength(1);
  expect(heardWhatIsStored(recorded, TENANT, [{ ...one, eventId: two.eventId }])).toHaveLength(1);
  expect(heardWhatIsStored(recorded, TENANT, [{ ...one, sequence: 9 }])).toHaveLength(1);
});
