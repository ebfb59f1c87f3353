import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@retrigger/test-cluster/installation.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'retrigger-ports-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

test('nobody is given a port that somebody else was given a moment ago', async () => {
  const ports: number[] = [];
  for (let n = 0; n < 100; n++) {
    const first = await freePorts(6);
    ports.push(...Array.from({ length: 6 }, (_, i) => first + i));
  }
  expect(new Set(ports).size).toBe(600);
});
