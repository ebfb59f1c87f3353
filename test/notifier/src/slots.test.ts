import { Slots } from '@retrigger/notifier/slots.ts';
import { expect, test } from 'vitest';

test('never more are taken than there are, and whoever waits longest is told first', () => {
  const slots = new Slots(1);
  const told: string[] = [];
  const wait = (name: string) =>
    slots.wait(() => {
      if (slots.take('a')) told.push(name);
    });
  expect([slots.take('a'), slots.take('a')]).toEqual([true, false]);
  for (const name of ['a', 'b']) wait(name);
  slots.release('a');
  expect(told).toEqual(['a']);
  slots.release('a');
  expect(told).toEqual(['a', 'b']);
});

test('one that is told and needs none leaves it to the next', () => {
  const slots = new Slots(1);
  slots.take('a');
  let told = 0;
  slots.wait(() => {});
  slots.wait(() => {
    if (slots.take('a')) told++;
  });
  slots.release('a');
  expect(told).toBe(1);
});

test('a tenant whose subscribers are slow leaves slots to the next, and that one to a third (O1)', () => {
  const slots = new Slots(64);
  const all = (tenantId: string) => {
    let taken = 0;
    while (slots.take(tenantId)) taken++;
    return taken;
  };
  expect([all('a'), all('b'), all('c')]).toEqual([48, 12, 3]);
  const told: string[] = [];
  const asks = (tenantId: string) => () => {
    if (slots.take(tenantId)) told.push(tenantId);
    else slots.wait(asks(tenantId));
  };
  for (const tenantId of ['a', 'a', 'b', 'd', 'a']) asks(tenantId)();
  expect(told).toEqual(['d']);
  slots.release('d');
  expect(told).toEqual(['d']);
  for (let i = 0; i < 4; i++) slots.release('a');
  expect(told).toEqual(['d', 'b']);
  for (let i = 0; i < 40; i++) slots.release('a');
  expect(told).toEqual(['d', 'b', 'a', 'a', 'a']);
});
