import type { LogAdapter } from './log-adapter.ts';
import { logAppendTests } from './log-append-tests.ts';
import { logConsumeTests } from './log-consume-tests.ts';
import { logCrashTests } from './log-crash-tests.ts';
import { logGroupTests } from './log-group-tests.ts';

/** The log port's definition, L1 to L5: every adapter passes it, but for the deviations that it lists. */
export function logContract(name: string, adapter: LogAdapter): void {
  logAppendTests(name, adapter);
  logConsumeTests(name, adapter);
  logGroupTests(name, adapter);
  if (adapter.crash !== undefined) logCrashTests(name, adapter, adapter.crash);
}
