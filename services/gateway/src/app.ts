import type { OpenAPIHono } from '@hono/zod-openapi';
import { CommandAdmission } from '@retrigger/engine/admit-command.ts';
import { Api } from './api.ts';
import type { GatewayDeps } from './deps.ts';
import type { Problem } from './problem.ts';
import { commandRoutes } from './routes/commands.ts';
import { docsRoutes } from './routes/docs.ts';
import { eventStreamRoutes } from './routes/event-stream.ts';
import { eventRoutes } from './routes/events.ts';
import { executionRoutes } from './routes/executions.ts';
import { historyRoutes } from './routes/history.ts';
import { runRoutes } from './routes/runs.ts';
import { serviceRoutes } from './routes/service.ts';
import { taskListRoutes } from './routes/task-list.ts';
import { taskRoutes } from './routes/tasks.ts';
import { tenantEventRoutes } from './routes/tenant-events.ts';
import { Totals } from './totals.ts';

/** The HTTP door over the given ports. It holds nothing that must be closed; whoever made the ports closes them. */
export function createGateway(deps: GatewayDeps): OpenAPIHono {
  const admission = new CommandAdmission<Problem>(deps, { limits: deps.config.limits, maxInFlight: deps.config.maxInFlight });
  const api = new Api(deps, admission);
  taskRoutes(api);
  taskListRoutes(api);
  runRoutes(api);
  historyRoutes(api); // before the events by id, of which `verify` is none
  const totals = new Totals();
  eventRoutes(api, totals);
  tenantEventRoutes(api, totals);
  eventStreamRoutes(api);
  executionRoutes(api);
  commandRoutes(api);
  serviceRoutes(api);
  docsRoutes(api);
  return api.app;
}
