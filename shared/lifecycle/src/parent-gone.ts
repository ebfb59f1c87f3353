import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 200;

/**
 * Resolves when the process that started this one, or the one that started that, has ended, as far as the system tells: a process whose parent ends gets another
 * one. (Windows tells nothing, and only Linux tells of the second.)
 * npm starts a shell, and that the service: whoever ends npm or its shell would leave the service behind, still holding its port and its data folder.
 */
export function parentGone(): Promise<void> {
  const parents = ancestors();
  return new Promise((resolve) => {
    const look = setInterval(() => {
      if (ancestors() === parents) return;
      clearInterval(look);
      resolve();
    }, LOOK_EVERY_MS);
    look.unref();
  });
}

const ancestors = (): string => `${process.ppid} ${parentOf(process.ppid)}`;

/** Empty where nothing tells it. */
function parentOf(pid: number): string {
  try {
    return /\) \S+ (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}
