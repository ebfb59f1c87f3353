import { type Log, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import type { World } from './ports.ts';
import type { Process } from './process.ts';

/** The log as one process sees it: L1 to L5, with records that a retrying producer may append twice. */
export function logOf({ scheduler, log, group, appended }: World, process: Process): Log {
  const one = (topic: string, record: NewRecord) => log.append(topic, record, scheduler.now, scheduler.steps);
  return {
    append(topic, records) {
      const all = () => {
        for (const record of records) one(topic, record);
      };
      const what =
        topic === TOPICS.work ? records.map(({ key, value }) => `${key} ${typeOf(value)}`).join(', ') : `${records.length} records`;
      return scheduler.operation(process, {
        label: `appends to ${topic}: ${what}`,
        steps: records.map((record) => () => one(topic, record)),
        finish: () => appended(all),
        isOrdered: true,
      });
    },
    partitionOf: (_topic, key) => log.partitionOf(key),
    partitionCount: () => log.partitions,
    consume: (_topic, _group, handler) => Promise.resolve(group.join(process, handler)),
    lag: () => Promise.resolve(0),
    progress: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
}

function typeOf(value: Uint8Array): string {
  const found = /"type":"([A-Z]\w+)","body"/.exec(Buffer.from(value).toString());
  return found?.[1] ?? '?';
}
