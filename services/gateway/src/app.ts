import type { OpenAPIHono } from '@hono/zod-openapi';
import { CommandAdmission } from '@retrigger/engine/admit-command.ts';
import { Api } from './api.ts';
import type { GatewayDeps } from './deps.ts';
import { commandRoutes } from './routes/commands.ts';
import { docsRoutes } from './routes/docs.ts';
import { eventRoutes } from './routes/events.ts';
import { executionRoutes } from './routes/executions.ts';
import { serviceRoutes } from './routes/service.ts';
import { taskRoutes } from './routes/tasks.ts';

/** The HTTP door over the given ports. It holds nothing that must be closed; whoever made the ports closes them. */
export function createGateway(deps: GatewayDeps): OpenAPIHono {
  const admission = new CommandAdmission(deps, { limits: deps.config.limits, maxInFlight: deps.config.maxInFlight });
  const api = new Api(deps, admission);
  taskRoutes(api);
  eventRoutes(api);
  executionRoutes(api);
  commandRoutes(api);
  serviceRoutes(api);
  docsRoutes(api);
  return api.app;
}
