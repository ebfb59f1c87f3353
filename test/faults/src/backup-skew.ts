import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TOPICS, WORKER_GROUP } from '@retrigger/ports/log.ts';

/** Decided by one event of their own, so that their receipt is stored with it. */
const DECIDED_AT_ONCE = ['CreateTask', 'TriggerTask', 'RescheduleTask'];

/**
 * How the log in one folder and the store in another do not fit. `ahead`: the store holds an event whose command the log does not have, so that what follows from
 * it is lost. `behind`: the log has passed a command whose outcome the store does not have, so that nobody decides it any more.
 */
export function skewOf(logFolder: string, storeFolder: string): { ahead: string[]; behind: string[] } {
  const log = new DatabaseSync(join(logFolder, 'log.db'));
  const store = new DatabaseSync(join(storeFolder, 'store.db'));
  try {
    const firstLane = Number(log.prepare('SELECT first_lane FROM topics WHERE topic = ?').get(TOPICS.work)?.first_lane);
    const record = log.prepare('SELECT 1 FROM records WHERE lane = ? AND offset = ?');
    const events = store.prepare('SELECT key, sequence, partition, offset FROM events').all();
    const ahead = events.flatMap(({ key, sequence, partition, offset }) =>
      record.get(firstLane + Number(partition), Number(offset)) === undefined ? [`${key}/${sequence}`] : [],
    );
    const passed = log
      .prepare(
        `SELECT value FROM records JOIN offsets ON offsets.lane = records.lane AND offset < next
         JOIN groups ON groups.group_id = offsets.group_id AND groups.topic = ? AND groups.name = ? WHERE length(value) > 0`,
      )
      .all(TOPICS.work, WORKER_GROUP);
    const receipt = store.prepare('SELECT 1 FROM receipts WHERE command_id = ?');
    const behind = passed.flatMap(({ value }) => {
      const { commandId, type, fingerprint } = JSON.parse(Buffer.from(value as Uint8Array).toString());
      const isOurs = fingerprint !== undefined && DECIDED_AT_ONCE.includes(type);
      return isOurs && receipt.get(commandId) === undefined ? [`${type} ${commandId}`] : [];
    });
    return { ahead, behind };
  } finally {
    log.close();
    store.close();
  }
}
