import { defineConfig } from 'vitest/config';

// One file at a time: some of them stop the broker.
export default defineConfig({
  test: { globalSetup: './src/cluster-up.ts', fileParallelism: false, testTimeout: 90_000, hookTimeout: 120_000 },
});
