import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: './src/cluster-setup.ts',
    // Some files take a server down that the others use.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 240_000,
  },
});
