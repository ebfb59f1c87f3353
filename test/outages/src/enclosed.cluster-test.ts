import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, kill, startChild } from '@retrigger/test-faults/child.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterEach, expect, test } from 'vitest';

const OWNER = join(import.meta.dirname, 'enclosed-owner.ts');
const TOKEN = randomUUID();

let owner: Child | undefined;
afterEach(async () => {
  if (owner !== undefined) await kill(owner);
});

/** How many processes have inherited the token. */
const bearers = (): number =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(TOKEN);
    } catch {
      return false; // it has ended
    }
  }).length;

test('a run that is killed leaves none of its processes, daemons neither', async () => {
  owner = startChild(OWNER, [], { TOKEN }, /the daemon runs/);
  await owner.ready;
  expect(bearers()).toBeGreaterThanOrEqual(4); // it, who made the namespaces, the shell, the daemon
  await kill(owner);
  await eventually('nobody is left', async () => bearers() === 0);
});
