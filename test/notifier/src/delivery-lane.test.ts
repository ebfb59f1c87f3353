import type { StoredDelivery } from '@retrigger/engine/deliveries.ts';
import { DeliveryLane } from '@retrigger/notifier/delivery-lane.ts';
import { Slots } from '@retrigger/notifier/slots.ts';
import { expect, test } from 'vitest';

test('Q4: what a clock that was ahead put off is attempted at the first look after it was set back', async () => {
  let now = 1_000_000;
  let look = () => {};
  const attempted: number[] = [];
  const lane: DeliveryLane = new DeliveryLane({
    clock: {
      now: () => now,
      timer(_, fire) {
        look = fire;
        return () => {};
      },
    },
    async attempt(delivery) {
      attempted.push(now);
      return attempted.length === 1 ? { kind: 'later', delivery: { ...delivery, dueAt: now + 1_000 } } : { kind: 'over' };
    },
    slots: { healthy: new Slots(1), failing: new Slots(1) },
    emptied() {},
  });
  const delivery = { line: 'task', dueAt: 0, event: null } as Partial<StoredDelivery> as StoredDelivery;
  lane.add({ delivery, owner: lane, over() {} });
  now += 300_000;
  lane.pump();
  await new Promise(setImmediate);
  expect(attempted).toEqual([1_300_000]);
  now -= 299_000; // a second has passed, and somebody has set the clock right
  look();
  await new Promise(setImmediate);
  expect(attempted).toEqual([1_300_000, 1_001_000]);
  await lane.stop();
});
