import type { OpenAPIHono } from '@hono/zod-openapi';
import { CommandAdmission } from '@retrigger/engine/admit-command.ts';
import { Api } from './api.ts';
import { Claims } from './claims.ts';
import type { GatewayDeps } from './deps.ts';
import type { Problem } from './problem.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { bulkRoutes } from './routes/bulk.ts';
import { claimRoutes } from './routes/claims.ts';
import { commandRoutes } from './routes/commands.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { docsRoutes } from './routes/docs.ts';
import { erasureRoutes } from './routes/erasures.ts';
import { eventStreamRoutes } from './routes/event-stream.ts';
import { eventRoutes } from './routes/events.ts';
import { executionRoutes } from './routes/executions.ts';
import { historyRoutes } from './routes/history.ts';
import { runRoutes } from './routes/runs.ts';
import { serviceRoutes } from './routes/service.ts';
import { subscriptionRoutes } from './routes/subscriptions.ts';
import { taskListRoutes } from './routes/task-list.ts';
import { taskRoutes } from './routes/tasks.ts';
import { tenantEventRoutes } from './routes/tenant-events.ts';
import { tenantSettingsRoutes } from './routes/tenant-settings.ts';
import { Totals } from './totals.ts';

/** The law of one process's doors: what is in flight, charged and known holds for all of them together. */
export function createAdmission(deps: GatewayDeps): CommandAdmission<Problem> {
  const { limitsFor, config, leases, ...ports } = deps;
  const { maxInFlight, maxUndecided } = config;
  return new CommandAdmission<Problem>(
    { ...ports, ...(config.isOnlyDoor ? {} : { leases }), seal: (command) => deps.privacy.sealing.seal(command) },
    { limitsFor, maxInFlight, maxUndecided },
  );
}

/** The HTTP door over the given ports. It holds nothing that must be closed; whoever made the ports closes them. */
export function createGateway(deps: GatewayDeps, admission = createAdmission(deps)): OpenAPIHono {
  const claims = new Claims(deps, admission);
  const api = new Api(deps, admission);
  api.accepted = (command) => {
    claims.hint(command.tenantId);
    deps.privacy.sealing.accepted(command);
  };
  bulkRoutes(api); // before the tasks by id, of which `bulk` is none
  taskRoutes(api);
  taskListRoutes(api);
  runRoutes(api);
  historyRoutes(api); // before the events by id, of which `verify` is none
  const totals = new Totals();
  eventRoutes(api, totals);
  tenantEventRoutes(api, totals);
  eventStreamRoutes(api);
  claimRoutes(api, claims); // before the reports by id, of which `claim` is none
  executionRoutes(api);
  apiKeyRoutes(api);
  tenantSettingsRoutes(api);
  erasureRoutes(api);
  commandRoutes(api);
  subscriptionRoutes(api);
  deadLetterRoutes(api);
  serviceRoutes(api);
  docsRoutes(api);
  return api.app;
}
