import { afterAll, afterEach, beforeAll } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { failureContract } from './contract-failures.ts';
import { handoverContract } from './contract-handover.ts';
import { tenantContract } from './contract-tenants.ts';
import { workerContract } from './contract-workers.ts';
import { fixtureOn, type JobFixture } from './support.ts';

/** What must hold wherever the queues live. */
export function jobContract(placeOfQueues: () => { redisUrl?: string } | Promise<{ redisUrl?: string }>): void {
  const fixture = {} as JobFixture;
  beforeAll(async () => {
    Object.assign(fixture, fixtureOn(await createTestDatabase(), await placeOfQueues()));
  });
  afterEach(() => fixture.jobs.stopWorkers());
  afterAll(() => fixture.jobs.close());
  handoverContract(fixture);
  failureContract(fixture);
  workerContract(fixture);
  tenantContract(fixture);
}
