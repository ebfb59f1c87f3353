import { Slots } from '@retrigger/notifier/slots.ts';
import { expect, test } from 'vitest';

test('never more are taken than there are, and whoever waits longest is told first', () => {
  const slots = new Slots(1);
  const told: string[] = [];
  const wait = (name: string) =>
    slots.wait(() => {
      if (slots.take()) told.push(name);
    });
  expect([slots.take(), slots.take()]).toEqual([true, false]);
  for (const name of ['a', 'b']) wait(name);
  slots.release();
  expect(told).toEqual(['a']);
  slots.release();
  expect(told).toEqual(['a', 'b']);
});

test('one that is told and needs none leaves it to the next', () => {
  const slots = new Slots(1);
  slots.take();
  let told = 0;
  slots.wait(() => {});
  slots.wait(() => {
    if (slots.take()) told++;
  });
  slots.release();
  expect(told).toBe(1);
});
