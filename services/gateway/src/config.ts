import type { CommandLimits } from '@retrigger/engine/command-limits.ts';

/** Commands that one gateway may have in flight before it sheds load; twice the 5,000 that must be possible at once. */
export const DEFAULT_MAX_IN_FLIGHT = 10_000;

export type GatewayConfig = {
  limits: CommandLimits;
  /** Undecided commands of this process; past it callers are told `overloaded`. */
  maxInFlight: number;
  /** Whether a target may be on a private, loopback or link-local address. */
  allowPrivateTargets: boolean;
};

/** The gateway's part of what the environment says. */
export const gatewayConfig = (settings: CommandLimits & { allowPrivateTargets: boolean }): GatewayConfig => ({
  limits: {
    userPerHour: settings.userPerHour,
    taskPerHour: settings.taskPerHour,
    systemPerMinute: settings.systemPerMinute,
    tenantPerMinute: settings.tenantPerMinute,
  },
  maxInFlight: DEFAULT_MAX_IN_FLIGHT,
  allowPrivateTargets: settings.allowPrivateTargets,
});
