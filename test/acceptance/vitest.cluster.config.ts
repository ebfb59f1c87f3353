import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    env: { RETRIGGER_TEST_PROFILE: 'cluster' },
    globalSetup: fileURLToPath(import.meta.resolve('@retrigger/test-cluster/cluster-up.ts')),
    testTimeout: 180_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
  },
});
