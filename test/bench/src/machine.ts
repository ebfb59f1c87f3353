import { readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { DatabaseSync } from 'node:sqlite';

/** What figures are from. */
export function machine() {
  const db = new DatabaseSync(':memory:');
  const sqlite = String(db.prepare('select sqlite_version() version').get()?.version);
  db.close();
  return { cpu: cpus()[0]?.model, cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version, sqlite };
}

/** Processor time that a process and its threads have had, in milliseconds, where Linux tells it: that is what a busy machine does not change much. */
export function processorMs(pid: number): number {
  const fields = linux(`/proc/${pid}/stat`)?.split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The same of a process and everything that it has started, so far as it still runs. */
export function processorMsOfTree(root: number): number {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), Number(linux(`/proc/${name}/stat`)?.split(') ')[1]?.split(' ')[1])]),
  );
  const belongs = (pid: number | undefined): boolean => pid === root || (pid !== undefined && pid > 1 && belongs(parents.get(pid)));
  return [...parents.keys()].filter(belongs).reduce((sum, pid) => sum + processorMs(pid), 0);
}

/** Share of all cores that was used by anybody between two calls, and the load average. Figures of a machine that does other things too are rough. */
export function watchMachine(): () => { busyPercent: number; load1: number } {
  const before = cpuTimes();
  return () => {
    const after = cpuTimes();
    const busy = (100 * (after.busy - before.busy)) / Math.max(1, after.all - before.all);
    return { busyPercent: Math.round(busy), load1: Math.round(10 * (loadavg()[0] ?? 0)) / 10 };
  };
}

function cpuTimes(): { busy: number; all: number } {
  const times = cpus().map(({ times }) => times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all };
}

function linux(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
