import { type Client, createClient } from '@retrigger/client/client.ts';
import { KEY } from '../subject.ts';
import type { WorkerHooks } from './system.ts';

/** The client of shared/client that counts a completion when the report of it was answered. */
export function countingClient(url: string, hooks: WorkerHooks): Client {
  const client = createClient({ url, key: KEY });
  return {
    ...client,
    async completed(...report) {
      const outcome = await client.completed(...report);
      if (outcome.ok) hooks.completed(1);
      return outcome;
    },
  };
}
