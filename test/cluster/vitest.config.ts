import { defineConfig } from 'vitest/config';

// One file at a time: some of them stop the broker.
export default defineConfig({
  test: { globalSetup: './src/cluster-up.ts', fileParallelism: false, testTimeout: 240_000, hookTimeout: 240_000 },
});
