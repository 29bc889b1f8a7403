import { vi } from 'vitest';

// Runs before each test file. Files share a process; modules that read the environment once, and what an earlier file
// put into it, must not leak from one to the next.
const shared = globalThis as { environmentOfWorker?: NodeJS.ProcessEnv };
shared.environmentOfWorker ??= { ...process.env };
for (const name of Object.keys(process.env)) if (!(name in shared.environmentOfWorker)) delete process.env[name];
Object.assign(process.env, shared.environmentOfWorker);
vi.resetModules();
