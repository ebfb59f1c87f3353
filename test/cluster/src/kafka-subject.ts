import type { KafkaLogOptions } from '@retrigger/kafka/kafka-log.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { silent } from '@retrigger/ports/observer.ts';
import type { Reached } from '@retrigger/ports/reached.ts';
import { openLog } from './open-log.ts';

/** The part of the options that goes from one process to another. */
export type LogPlace = Pick<KafkaLogOptions, 'connection' | 'topics' | 'prefix'>;

/** The contract's crash module. */
export async function open(place: unknown, reached: Reached) {
  const log = await openLog({ ...(place as LogPlace), clock: systemClock, observer: silent, reached });
  return { log, close: () => log.close() };
}
