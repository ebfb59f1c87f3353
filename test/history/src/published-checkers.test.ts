import type { Event } from '@retrigger/domain/event.ts';
import { expect, test } from 'vitest';
import { acknowledgedOnce } from './checkers.ts';
import { publishedAs } from './published-checkers.ts';
import { Story, TENANT } from './story.ts';

const KEY = `${TENANT}/a`;

/** A command that its sender calls `mine`, and what was told of it. */
function told() {
  const { recorded } = new Story().send('a', 0, { type: 'CreateTask', body: { type: 'job' } });
  const [event] = recorded.streams.get(KEY) ?? [];
  const [acknowledged] = recorded.acknowledged;
  if (event === undefined || acknowledged === undefined) throw new Error('the story has one event and its answer');
  const sent: Event = { ...event, correlationId: 'mine' };
  return { recorded, sent, published: [{ ...acknowledged, commandId: 'mine' }] };
}

test('a published command is found under the id that it had inside', () => {
  const { recorded, sent, published } = told();
  const found = publishedAs(new Map([[KEY, [sent]]]), published);
  expect(found).toEqual({ acknowledged: recorded.acknowledged, wrong: [] });
});

test('one that was taken as two commands is found, and so is one that was told and is nowhere', () => {
  const { recorded, sent, published } = told();
  expect(publishedAs(new Map([[KEY, [sent, { ...sent, commandId: 'another' }]]]), published).wrong).toHaveLength(1);
  const { acknowledged } = publishedAs(new Map([[KEY, []]]), published);
  expect(acknowledgedOnce({ ...recorded, acknowledged })).toHaveLength(1);
});
