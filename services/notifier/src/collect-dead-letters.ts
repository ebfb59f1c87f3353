import { deadLettersIn } from '@retrigger/engine/dead-letter-store.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { RecordHandler } from '@retrigger/ports/log.ts';

const AT_ONCE = 50;

/** Keeps every dead letter where people can list it. One that comes again, by a crash of whoever gave it up or of this, is the same dead letter. */
export function collectDeadLetters(documents: DocumentStore): RecordHandler {
  const store = deadLettersIn(documents);
  return {
    async assigned() {},
    async revoked() {},
    async batch(_partition, records, commit) {
      for (let from = 0; from < records.length; from += AT_ONCE)
        await Promise.all(records.slice(from, from + AT_ONCE).map((record) => store.collect(record)));
      const last = records.at(-1);
      if (last !== undefined) await commit(last.offset + 1);
    },
  };
}
