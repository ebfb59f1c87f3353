import type { ExportVerdict } from './verify-export.ts';

/** What a verdict means, and where it ends, for people. */
export function reportOf(file: string, verdict: ExportVerdict, isFiltered: boolean): string {
  if (verdict.kind === 'broken') {
    const { line, task, sequence, reason } = verdict;
    const where = task === null ? '' : ` task ${task}, sequence ${sequence}:`;
    const hint = !isFiltered && reason.startsWith('expected sequence') ? `\n${HINT}` : '';
    return `BROKEN ${file}:${line}:${where} ${reason}${hint}`;
  }
  const { events, tasks, gaps } = verdict;
  const counted = `${events} ${events === 1 ? 'event' : 'events'} of ${tasks} ${tasks === 1 ? 'task' : 'tasks'}`;
  return isFiltered
    ? `OK ${file}: ${counted}, each as it was written, and linked to the one before where that is here.\nGaps (${gaps}) can't be checked: a filter makes them, and so does whoever takes events out.`
    : `OK ${file}: ${counted}, every chain whole from the task's first event to its last here.\nWhether others followed is not in a file: GET …/tasks/{taskId}/events/verify knows how far a chain went.`;
}

const HINT = 'If it was exported with a filter (types, from, to, actor), check it with --filtered. With order=desc it can not be checked.';
