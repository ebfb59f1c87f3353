import { startBullMq } from './bullmq.ts';
import { startBullMqBehindHono } from './bullmq-behind-hono.ts';
import { startGraphileWorker } from './graphile-worker.ts';
import { startPgBoss } from './pg-boss.ts';
import { startRetrigger } from './retrigger.ts';
import type { System } from './system.ts';

/** The systems that can be measured, by the name that the command line has for them, and the server that each needs on this machine. */
export const SYSTEMS: { [name: string]: { needs?: 'redis' | 'postgres'; start(): Promise<System> } } = {
  retrigger: { start: startRetrigger },
  'bullmq-always': { needs: 'redis', start: () => startBullMq('always') },
  'bullmq-everysec': { needs: 'redis', start: () => startBullMq('everysec') },
  'hono-bullmq-always': { needs: 'redis', start: () => startBullMqBehindHono('always') },
  'hono-bullmq-everysec': { needs: 'redis', start: () => startBullMqBehindHono('everysec') },
  'pg-boss-notify': { needs: 'postgres', start: () => startPgBoss('notify') },
  'pg-boss-poll': { needs: 'postgres', start: () => startPgBoss('poll') },
  'graphile-worker': { needs: 'postgres', start: startGraphileWorker },
};
