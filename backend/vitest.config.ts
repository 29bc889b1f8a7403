import { defineConfig } from 'vitest/config';

const schemaEngineTests = 'tests/integration/database/drift.test.ts';

export default defineConfig({
  test: {
    // One process runs many files, which is three times faster than one for each; setupFiles gives each file modules
    // and environment variables as if it were the first.
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    setupFiles: ['tests/support/fresh-state.ts'],
    // The order of files depends on their sizes then, and not on how long they took the last time.
    cache: false,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    teardownTimeout: 30_000,
    env: { NODE_ENV: 'test', TZ: 'UTC' },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], testTimeout: 10_000 },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts', 'tests/e2e/**/*.test.ts'],
          exclude: [schemaEngineTests],
          globalSetup: ['tests/support/global-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        // The schema engine is WebAssembly that keeps state in its module: a process of its own, every time.
        extends: true,
        test: {
          name: 'schema',
          include: [schemaEngineTests],
          isolate: true,
          globalSetup: ['tests/support/global-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
