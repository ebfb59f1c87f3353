// One system at one work, in a process of its own, so that nothing of another is left in it: peers-child.ts SYSTEM WORK SIZES. Tells its parent what came of it.
import { watchMachine } from './machine.ts';
import { SYSTEMS } from './systems/registry.ts';
import type { System } from './systems/system.ts';
import { type Sizes, WORKS } from './works/registry.ts';

const [, , name = '', work = '', sizes = '{}'] = process.argv;

let system: System | undefined;
async function end(code: number): Promise<never> {
  await system?.stop().catch(() => {});
  process.exit(code);
}
process.on('SIGTERM', () => end(3));
process.on('disconnect', () => end(3));

const [start, run] = [SYSTEMS[name]?.start, WORKS[work]];
if (start === undefined || run === undefined) throw new Error(`no system ${name} or no work ${work}`);
system = await start();
const watched = watchMachine();
const figures = await run(system, JSON.parse(sizes) as Sizes);
process.send?.({ about: system.about, figures, machine: watched() }, () => end(0));
