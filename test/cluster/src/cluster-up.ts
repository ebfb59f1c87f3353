import { cluster } from './servers.ts';

/** Brings the cluster up, and down again unless it was up before. A server that can't be started fails the run. */
export default async function clusterUp(): Promise<() => Promise<void>> {
  const wasUp = await cluster('status').then(
    () => true,
    () => false,
  );
  await cluster('up');
  return async () => {
    if (!wasUp) await cluster('down');
  };
}
