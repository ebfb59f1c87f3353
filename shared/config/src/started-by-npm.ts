import type { Environment } from './environment.ts';

/** npm says so to what it starts, and that to what it starts in turn. */
export const isStartedByNpm = (environment: Environment): boolean => environment.npm_lifecycle_event !== undefined;
