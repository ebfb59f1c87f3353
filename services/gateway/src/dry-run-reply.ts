import type { Command } from '@retrigger/domain/command.ts';
import { domainDecider } from '@retrigger/domain/domain-decider.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { dryRun } from '@retrigger/engine/dry-run.ts';
import { dryRunBulk } from '@retrigger/engine/dry-run-bulk.ts';
import { completed, type Ready } from '@retrigger/engine/ready.ts';
import type { GatewayDeps } from './deps.ts';
import { isProblem } from './exchange.ts';
import { type Problem, problemBody, problemReply, refusalProblem } from './problem.ts';
import { type Reply, success } from './reply.ts';

/**
 * What would come of a command if it were decided now: the very decider, on what is stored, and nothing is written.
 * R1: it costs nothing and leaves nothing behind, neither in the log nor in the limits nor under an idempotency key.
 * The ids in it are derived from a commandId that no command will have.
 */
export async function dryRunReply(
  command: Command,
  check: () => Promise<Problem | Ready | undefined>,
  deps: Pick<GatewayDeps, 'snapshots' | 'clock' | 'privacy'>,
  path: string,
): Promise<Reply> {
  const found = await check();
  if (found !== undefined && isProblem(found)) return problemReply(found, path);
  const asked = completed(command, found?.ready);
  const [decider, now] = [domainDecider as AnyDecider, deps.clock.now()];
  const isBulk = asked.type === 'BulkTrigger' || asked.type === 'BulkReschedule';
  const { verdict, answer, refusal, events } = await (isBulk ? dryRunBulk(deps, decider, asked, now) : dryRun(deps, decider, asked, now));
  const { tenantId } = command;
  const { disclosure } = deps.privacy;
  return success(200, {
    verdict,
    ...(answer === undefined ? {} : { answer: await disclosure.task(tenantId, answer) }),
    ...(refusal === undefined ? {} : { problem: problemBody(refusalProblem(refusal), path) }),
    events: await disclosure.unstored(tenantId, events),
  });
}
