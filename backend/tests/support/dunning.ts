import { logWith } from '../../src/config/logger.ts';
import { runInTransaction } from '../../src/services/context.service.ts';
import { startDunning } from '../../src/services/dunning-start.service.ts';
import { issueInvoice } from '../../src/services/invoice-issue.service.ts';
import { lockedInvoice } from '../../src/services/invoice-settlement.service.ts';
import { clockNow } from '../../src/config/clock.ts';
import type { WriteContext } from '../../src/types/context.ts';
import { dayInIndia } from '../../src/utils/india-time.ts';
import { buildBilledTenant } from './billing.ts';
import type { TestApp } from './server.ts';

/** A transaction as a job of the platform would have it. */
export const asSystem = <Result>(work: (tx: WriteContext) => Promise<Result>): Promise<Result> =>
  runInTransaction<null, Result>(
    {
      scope: { role: 'portal' },
      tenantId: null,
      requestId: 'test',
      log: logWith({}),
      now: clockNow(),
      client: { ip: '203.0.113.7', userAgent: null },
      cookies: { get: () => undefined, set: () => undefined, clear: () => undefined },
      actor: null,
      system: true,
    },
    { action: 'revenue.invoice_finalize' },
    (tx) => work(tx),
  );

/** An invoice of a tenant over some services, issued now. */
export const issuedInvoice = (tenantId: string, unitPrice = '1000.00') =>
  asSystem((tx) =>
    issueInvoice(tx, {
      tenantId,
      subscriptionId: null,
      reason: 'MANUAL',
      collectionMethod: 'AUTOMATIC',
      period: null,
      lines: [{ kind: 'MANUAL', description: 'Set-up', sacCode: '997331', quantity: '1', unitPrice }],
    }),
  );

/** An invoice that could not be collected today, and the dunning that began with that. */
export async function buildDunningRun(app: TestApp, { hardDeclined = false } = {}) {
  const built = await buildBilledTenant(app);
  const invoice = await issuedInvoice(built.tenantId);
  const runId = await asSystem(async (tx) =>
    startDunning(tx, await lockedInvoice(tx, invoice.id), { failedOn: dayInIndia(tx.now), hardDeclined }),
  );
  return { ...built, invoice, runId: runId as string };
}
