import type { BulkCommandBody } from '../bulk/commands.ts';
import type { CommandHeader } from '../command.ts';
import { derive, taskKey } from '../identifiers.ts';
import type { TaskCommandBody } from './commands.ts';

/** Who acts when nobody asked just now: a due time, a condition that came true. */
const SCHEDULER = { id: 'scheduler', type: 'system' } as const;

/** The cluster's own command to a task or a bulk. `about` makes its id: the same cause gives the same command. */
export function ownCommand<B extends TaskCommandBody | BulkCommandBody>(
  tenantId: string,
  taskId: string,
  about: (string | number)[],
  correlationId: string,
  body: B,
  traceparent?: string,
): CommandHeader & B {
  const commandId = derive(body.type, taskKey(tenantId, taskId), ...about);
  return {
    commandId,
    tenantId,
    taskId,
    actor: SCHEDULER,
    roles: [],
    correlationId,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...body,
  };
}
