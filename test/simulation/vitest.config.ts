import { defineConfig } from 'vitest/config';

// Seeds are computed one after the other; a test holds some hundred of them.
export default defineConfig({ test: { testTimeout: 300_000, maxWorkers: 1 } });
