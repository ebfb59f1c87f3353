import type { GatewayDeps } from './deps.ts';

/** Whoever dies in the middle of a claim keeps its repeats waiting for so long. */
const LEASE_MS = 10_000;
const RENEW_MS = 3_000;

/**
 * The right to try candidates for a claim, over all doors (M6). Undefined: another door has it.
 * While the leases can't be asked everybody has it; then M5 alone keeps a claim from being handed out twice.
 */
export async function leaseOf(
  commandId: string,
  { leases, clock, observer, freshId }: Pick<GatewayDeps, 'leases' | 'clock' | 'observer' | 'freshId'>,
): Promise<{ release(): Promise<void>; leave(): void } | undefined> {
  const [name, holder] = [`claim:${commandId}`, freshId()];
  const take = () =>
    leases.take(name, holder, LEASE_MS).catch((error: unknown) => {
      observer.log('warn', 'the lease of a claim could not be taken', { error: String(error) });
      return holder;
    });
  if ((await take()) !== holder) return undefined;
  let cancel: () => void = () => {};
  const renewLater = () => {
    cancel = clock.timer(clock.now() + RENEW_MS, () => {
      void take();
      renewLater();
    });
  };
  renewLater();
  return {
    async release() {
      cancel();
      await leases.end(name, holder).catch(() => {});
    },
    /** It ends by itself in `LEASE_MS`. */
    leave: () => cancel(),
  };
}
