// The limit of HTTP with validation on this machine: the trigger's route on bare Hono, body parsed and validated by the product's own schema, answered at once.
import { serve } from '@hono/node-server';
import { triggerTask } from '@retrigger/contract/task-bodies.ts';
import { Hono } from 'hono';

const app = new Hono();
app.post('/api/v1/tasks/:taskId/trigger', async (c) => {
  const body = triggerTask.safeParse(await c.req.json());
  return body.success ? c.json({ status: 202, data: { taskId: c.req.param('taskId') } }, 202) : c.json({ status: 400 }, 400);
});

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
  process.stdout.write(`listening on http://127.0.0.1:${port}\n`),
);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
