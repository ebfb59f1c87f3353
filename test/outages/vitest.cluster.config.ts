import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// One file, one fault at a time: the servers are everybody's.
export default defineConfig({
  test: {
    include: ['src/*.cluster-test.ts'],
    globalSetup: fileURLToPath(import.meta.resolve('@retrigger/test-cluster/cluster-up.ts')),
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 240_000,
  },
});
