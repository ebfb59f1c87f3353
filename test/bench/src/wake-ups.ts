// npm run bench:wake-ups [-- --count 100000 --spread 60 --pending 1000000]
// Timers of the embedded profile: lateness by the log's clock, what a kill -9 half-way does, and the memory that pending ones take.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    spread: { type: 'string', default: '60' },
    lead: { type: 'string' },
    pending: { type: 'string', default: '0' },
  },
});
const [count, spreadMs, pending] = [Number(values.count), Number(values.spread) * 1_000, Number(values.pending)];
/** Enough to create them all before the first is due. */
const leadMs = Number(values.lead ?? Math.max(5, count / 2_000)) * 1_000;

type Line = { fired?: number; done?: boolean; checked?: boolean; [more: string]: unknown };

/** Runs the child until it ends, or until `stopWhen` says so, which kills it. */
async function child(args: string[], stopWhen: (line: Line) => boolean = () => false): Promise<Line[]> {
  const running = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'wake-ups-child.ts'), ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines: Line[] = [];
  for await (const text of createInterface(running.stdout)) {
    const line: Line = JSON.parse(text);
    lines.push(line);
    if (stopWhen(line)) running.kill('SIGKILL');
  }
  return lines.filter((line) => line.fired === undefined || line.done === true);
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-timers-'));
  await run(folder);
  rmSync(folder, { recursive: true, force: true });
}

const print = (title: string, lines: Line[]): void => {
  process.stdout.write(`\n${title}\n`);
  for (const line of lines) process.stdout.write(`  ${JSON.stringify(line)}\n`);
};

await inFolder(async (folder) => {
  print(`${count} timers over ${spreadMs / 1_000} s`, await child([folder, 'fill', String(count), String(spreadMs), String(leadMs)]));
});
await inFolder(async (folder) => {
  const before = await child([folder, 'fill', String(count), String(spreadMs), String(leadMs)], (line) => (line.fired ?? 0) > count / 2);
  print(`${count} timers, killed with SIGKILL half-way`, before);
  print('… and started again (lateness includes the time that nothing ran)', await child([folder, 'resume', String(count), '0', '0']));
});
if (pending > 0) {
  await inFolder(async (folder) => {
    const fill = [folder, 'fill', String(count), String(spreadMs), String(leadMs), String(pending)];
    print(`${count} timers over ${spreadMs / 1_000} s while ${pending} wait that are due in a day`, await child(fill));
  });
}
