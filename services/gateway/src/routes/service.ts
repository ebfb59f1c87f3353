import { z } from 'zod';
import type { Api } from '../api.ts';
import { problemReply } from '../problem.ts';
import { success } from '../reply.ts';

const state = z.enum(['ready', 'degraded']).meta({ description: '`degraded`: above 80 % of what the door takes before it sheds load' });
const dependencies = z.record(z.string(), z.enum(['up', 'down']));
const DEGRADED_ABOVE = 0.8;

/** What monitoring asks; nothing here needs credentials. */
export function serviceRoutes(api: Api): void {
  const { deps } = api;
  api.open(
    '/healthz',
    {
      summary: 'Whether the process answers',
      tag: 'Service',
      success: { 200: { description: 'It does', data: z.strictObject({ state: z.literal('alive') }) } },
    },
    async () => success(200, { state: 'alive' }),
  );
  api.open(
    '/readyz',
    {
      summary: 'Whether requests can be served, and what each dependency says',
      tag: 'Service',
      success: { 200: { description: 'They can', data: z.strictObject({ state, dependencies }) } },
      problems: ['unavailable'],
    },
    async (c) => {
      const found = await deps.readiness();
      const down = Object.keys(found).filter((name) => found[name] === 'down');
      if (down.length === 0) return success(200, { state: api.load > DEGRADED_ABOVE ? 'degraded' : 'ready', dependencies: { ...found } });
      return problemReply({ code: 'unavailable', detail: `Down: ${down.join(', ')}`, more: { dependencies: { ...found } } }, c.req.path);
    },
  );
  api.open(
    '/metrics',
    {
      summary: 'Metrics',
      tag: 'Service',
      success: { 200: { description: 'In Prometheus’ text format', text: 'text/plain' } },
      problems: ['unavailable'],
    },
    async () => ({
      status: 200,
      body: await deps.metrics(),
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    }),
  );
}
