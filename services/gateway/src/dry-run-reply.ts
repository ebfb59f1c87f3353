import type { Command } from '@retrigger/domain/command.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { dryRun } from '@retrigger/engine/dry-run.ts';
import type { GatewayDeps } from './deps.ts';
import { type Problem, problemBody, problemReply, refusalProblem } from './problem.ts';
import { type Reply, success } from './reply.ts';

/**
 * What would come of a command if it were decided now: the very decider, on what is stored, and nothing is written.
 * R1: it costs nothing and leaves nothing behind, neither in the log nor in the limits nor under an idempotency key.
 * The ids in it are derived from a commandId that no command will have.
 */
export async function dryRunReply(
  command: Command,
  check: () => Promise<Problem | undefined>,
  deps: Pick<GatewayDeps, 'snapshots' | 'clock' | 'privacy'>,
  path: string,
): Promise<Reply> {
  const wrong = await check();
  if (wrong !== undefined) return problemReply(wrong, path);
  const { verdict, answer, refusal, events } = await dryRun(deps, taskDecider as AnyDecider, command, deps.clock.now());
  const { tenantId } = command;
  const { disclosure } = deps.privacy;
  return success(200, {
    verdict,
    ...(answer === undefined ? {} : { answer: await disclosure.task(tenantId, answer) }),
    ...(refusal === undefined ? {} : { problem: problemBody(refusalProblem(refusal), path) }),
    events: await disclosure.unstored(tenantId, events),
  });
}
