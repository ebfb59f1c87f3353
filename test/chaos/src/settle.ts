import { DISPATCHER_GROUP } from '@retrigger/dispatcher/dispatcher.ts';
import { NOTIFIER_GROUP } from '@retrigger/notifier/notifier.ts';
import { TOPICS, WORKER_GROUP } from '@retrigger/ports/log.ts';
import { PARTITIONS } from '@retrigger/test-cluster/installation.ts';
import { logOptions, openLog } from '@retrigger/test-cluster/open-log.ts';
import type { Violation } from '@retrigger/test-history/recorded.ts';
import type { Outside } from './outside.ts';
import type { Reader } from './reader.ts';
import type { Recorder } from './recorder.ts';
import type { System } from './system.ts';
import { AFTER_SILENCE_MS, SETTLED_WITHIN_MS, stillness, tasksToRun, waitForAll } from './wait.ts';

/** Waits until everything that was begun has ended, and says when. */
export async function settle(
  system: System,
  recorder: Recorder,
  reader: Reader,
  { news }: Outside,
): Promise<{ wrong: Violation[]; took: string[] }> {
  const topics = { [TOPICS.work]: PARTITIONS, [TOPICS.events]: PARTITIONS };
  const log = await openLog(await logOptions(topics, { prefix: system.settings.RETRIGGER_KAFKA_PREFIX }));
  const behind = (topic: string, group: string) => async () => {
    const lag = await log.lag(topic, group);
    return lag === 0 ? [] : [`${group} is ${lag} behind`];
  };
  const [deciding, calling, noting] = [
    behind(TOPICS.work, WORKER_GROUP),
    behind(TOPICS.events, DISPATCHER_GROUP),
    behind(TOPICS.events, NOTIFIER_GROUP),
  ];
  const underWay = async () => [...(await calling()), ...(await deciding()), ...(await noting())];
  const withinMs = SETTLED_WITHIN_MS;
  try {
    return await waitForAll(
      [
        { what: 'every process is ready', left: () => system.unready(), withinMs },
        { what: 'the workers have decided all', left: deciding, withinMs },
        { what: 'the dispatcher has called all', left: calling, withinMs },
        { what: 'the notifier has noted all', left: noting, withinMs },
        ...tasksToRun(recorder, reader),
        { what: 'nothing is under way', left: stillness(underWay, news), withinMs: AFTER_SILENCE_MS + SETTLED_WITHIN_MS },
      ],
      recorder.wholeSince ?? performance.now(),
    );
  } finally {
    await log.close();
  }
}
