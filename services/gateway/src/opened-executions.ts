import { derive } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { CommandAdmission } from '@retrigger/engine/admit-command.ts';
import type { AskedClaim } from './claims.ts';
import type { GatewayDeps } from './deps.ts';
import type { Problem } from './problem.ts';

type Asked = Pick<AskedClaim, 'caller' | 'fingerprint' | 'correlationId'>;

/**
 * Claimed executions as their executor is given them, what was sealed opened. One whose context was erased has nothing that could be run: it fails, in the name of
 * whoever claimed it, and is left out.
 */
export async function openedExecutions(
  asked: Asked,
  executions: JsonObject[],
  { privacy }: Pick<GatewayDeps, 'privacy'>,
  admission: CommandAdmission<Problem>,
): Promise<JsonObject[]> {
  const { tenantId } = asked.caller;
  const opened = await Promise.all(
    executions.map(async (execution) => {
      const found = await privacy.disclosure.context(tenantId, String(execution.taskId), execution.context as JsonObject);
      if (found.kind === 'context') return [{ ...execution, context: found.context }];
      const { waitMs, command } = failure(asked, String(execution.executionId), String(execution.taskId));
      await admission.admit({ command: await privacy.sealing.seal(command), isRepeatable: false, cost: 0, waitMs });
      return [];
    }),
  );
  return opened.flat();
}

const failure = ({ caller, fingerprint, correlationId }: Asked, executionId: string, taskId: string) => ({
  waitMs: 0,
  command: {
    commandId: derive('erased', executionId),
    ...{ tenantId: caller.tenantId, taskId, roles: caller.roles, correlationId, fingerprint },
    actor: { id: caller.userId, type: 'executor' as const },
    type: 'FailExecution' as const,
    body: { executionId, error: { code: 'data_erased', message: 'Its context was erased' }, retryable: false },
  },
});
