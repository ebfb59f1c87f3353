import type { CommandLimits } from '@retrigger/engine/command-limits.ts';

/** Commands that one gateway may have in flight before it sheds load; twice the 5,000 that must be possible at once. */
const MAX_IN_FLIGHT = 10_000;
/** Bodies that one gateway holds at once: 64 of the largest. What they are parsed into takes a small multiple of that. */
const MAX_BODY_BYTES_IN_MEMORY = 64 * 1_048_576;

export type GatewayConfig = {
  /** What holds for a tenant that has set nothing else. */
  limits: CommandLimits;
  /** Undecided commands of this process; past it callers are told `overloaded`. */
  maxInFlight: number;
  /** Undecided commands of this process that one tenant may have on one partition; past it `rate_limited`. 0 = no bound. */
  maxUndecided: number;
  /** Bytes of bodies of this process; past it callers are told `overloaded`. */
  maxBodyBytes: number;
  /** No other process is a door. */
  isOnlyDoor: boolean;
  /** Whether a target may be on a private, loopback or link-local address. */
  allowPrivateTargets: boolean;
};

/** The gateway's part of what the environment says. */
export const gatewayConfig = (
  settings: CommandLimits & { tenantUndecided: number; allowPrivateTargets: boolean },
  isOnlyDoor: boolean,
): GatewayConfig => ({
  limits: {
    userPerHour: settings.userPerHour,
    taskPerHour: settings.taskPerHour,
    systemPerMinute: settings.systemPerMinute,
    tenantPerMinute: settings.tenantPerMinute,
  },
  maxInFlight: MAX_IN_FLIGHT,
  maxUndecided: settings.tenantUndecided,
  maxBodyBytes: MAX_BODY_BYTES_IN_MEMORY,
  isOnlyDoor,
  allowPrivateTargets: settings.allowPrivateTargets,
});
