import { writeSync } from 'node:fs';
import type { CrashModule, CrashSubject, CrashTask } from './crash-target.ts';
import { crashDecided, crashEvents, crashRecords, WRITES } from './crash-writes.ts';

/** A process that writes until it has reached its place to die. Each acknowledged write's number goes to stdout. */
const task: CrashTask = JSON.parse(process.argv[2] ?? '{}');
let times = 0;
const { open }: CrashModule = await import(task.module);
const subject = await open(task.place, (point) => {
  if (point === task.point && ++times === task.time) process.kill(process.pid, 'SIGKILL');
});
for (let number = 1; number <= WRITES; number++) {
  await write(subject, number);
  writeSync(1, `${number}\n`);
}
throw new Error(`${task.point} was not reached ${task.time} times`);

async function write({ events, decisions, log }: CrashSubject, number: number): Promise<unknown> {
  if (task.scenario === 'events') return events?.append(crashEvents(task.name, number));
  if (task.scenario === 'decisions') return decisions?.write(crashDecided(task.name, number));
  return log?.append(task.name, crashRecords(number));
}
