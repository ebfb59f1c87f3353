// What people write in front of BullMQ: a Hono route for each call, its body validated, the queue behind it. Started with REDIS_PORT and BENCH_PEERS.
import { serve } from '@hono/node-server';
import { triggerTask } from '@retrigger/contract/task-bodies.ts';
import { Hono } from 'hono';
import { z } from 'zod';
import { changeDelay, jobOf, openQueue } from './bullmq.ts';

const queue = await openQueue(Number(process.env.REDIS_PORT));
const delayed = z.object({ delayMs: z.int().min(0) });
const bulk = z.object({ tasks: z.array(z.object({ taskId: z.string().min(1) })).min(1) });
const app = new Hono();

app.post('/tasks/:taskId/trigger', async (c) => {
  const body = triggerTask.safeParse(await c.req.json());
  if (!body.success) return c.json({ status: 400 }, 400);
  const { name, data, opts } = jobOf(c.req.param('taskId'));
  await queue.add(name, data, { ...opts, jobId: c.req.header('idempotency-key') });
  return c.json({ status: 202, data: { taskId: data.task } }, 202);
});
app.post('/tasks/:taskId/schedule', async (c) => {
  const body = delayed.parse(await c.req.json());
  const { name, data, opts } = jobOf(c.req.param('taskId'), body.delayMs);
  await queue.add(name, data, opts);
  return c.json({ status: 202, data: { taskId: data.task } }, 202);
});
app.put('/tasks/:taskId/reschedule', async (c) => {
  const body = delayed.parse(await c.req.json());
  await changeDelay(queue, c.req.param('taskId'), body.delayMs);
  return c.json({ status: 200, data: { taskId: c.req.param('taskId') } }, 200);
});
app.post('/bulk', async (c) => {
  const { tasks } = bulk.parse(await c.req.json());
  await queue.addBulk(tasks.map(({ taskId }) => jobOf(taskId)));
  return c.json({ status: 202, data: { accepted: tasks.length } }, 202);
});

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
  process.stdout.write(`listening on http://127.0.0.1:${port}\n`),
);
process.on('SIGTERM', async () => {
  server.close();
  await queue.close();
  process.exit(0);
});
