import { logContract } from '@retrigger/test-contract/log-contract.ts';
import { CRASH_TOPIC } from '@retrigger/test-contract/log-crash-tests.ts';
import { logOptions, openLog } from './open-log.ts';

logContract('Kafka', {
  timeoutMs: 60_000,
  deviations: {},
  async open(topics) {
    const options = await logOptions(topics);
    let log = await openLog(options);
    return {
      log,
      async reopen() {
        await log.close();
        log = await openLog(options);
        return log;
      },
      close: () => log.close(),
    };
  },
  crash: {
    module: new URL('./kafka-subject.ts', import.meta.url),
    async place() {
      const { connection, topics, prefix } = await logOptions({ [CRASH_TOPIC]: 4 });
      return { connection, topics, prefix };
    },
  },
});
