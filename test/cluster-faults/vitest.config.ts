import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// One file at a time: some of them restart servers that the others use.
export default defineConfig({
  test: {
    globalSetup: fileURLToPath(import.meta.resolve('@retrigger/test-cluster/cluster-up.ts')),
    fileParallelism: false,
    maxConcurrency: 4,
    testTimeout: 300_000,
    hookTimeout: 240_000,
  },
});
