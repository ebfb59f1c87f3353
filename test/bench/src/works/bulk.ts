import { now, type Percentiles, percentiles } from '../load.ts';
import type { BrokenBulk, System } from '../systems/system.ts';

const SIZE = 100;
const WARM_UP = 10;

/** W3: bulks of 100, one after the other, in each way that the system has; and what becomes of one of which the server refuses the 51st. */
export async function bulk(system: System, { calls }: { calls: number }) {
  const callMs: { [way: string]: Percentiles } = {};
  const broken: { [way: string]: BrokenBulk } = {};
  let total = 0;
  for (const [way, trigger] of Object.entries(system.bulks)) {
    const name = way.replaceAll(' ', '-');
    const tasks = (call: number) => Array.from({ length: SIZE }, (_, i) => `${name}-${call * SIZE + i}`);
    await system.register(name, (calls + WARM_UP) * SIZE);
    const times: number[] = [];
    for (let call = 0; call < calls + WARM_UP; call++) {
      const from = now();
      await trigger(tasks(call));
      if (call >= WARM_UP) times.push(now() - from);
    }
    callMs[way] = percentiles(times);
    total += (calls + WARM_UP) * SIZE;
  }
  await system.completed(total);
  for (const [way, attempt] of Object.entries(system.brokenBulks)) {
    const name = `broken-${way.replaceAll(' ', '-')}`;
    await system.register(name, SIZE);
    broken[way] = await attempt(Array.from({ length: SIZE }, (_, i) => `${name}-${i}`));
  }
  return { callMs, broken };
}
