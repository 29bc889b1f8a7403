import { describe, expect, it } from 'vitest';
import { impersonationBars } from '../../src/middleware/impersonation.policy.ts';
import { modules } from '../../src/routes/index.ts';
import type { Endpoint } from '../../src/routes/endpoint.ts';

const all = modules.flatMap(({ endpoints }) => endpoints);
const like = (changes: Partial<Endpoint>): Endpoint => ({
  ...(all.find(({ operationId }) => operationId === 'updateTenant') as Endpoint),
  ...changes,
});

describe('What is barred to whoever acts in the name of another', () => {
  it.each(all.filter(({ access }) => access !== 'public'))(
    'is every write but the way out, where it may only read: $operationId',
    (one) => {
      if (one.method !== 'get') expect(impersonationBars(one, 'READ_ONLY')).toBe(one.operationId !== 'logout');
    },
  );

  it.each(all.filter(({ access, method }) => access === 'authenticated' && method !== 'get'))(
    'is what changes the own account: $operationId',
    (one) => {
      expect(impersonationBars(one, 'READ_WRITE')).toBe(one.operationId !== 'logout');
    },
  );

  it('is money, what needs a step-up, and data by the file, also where it is only read', () => {
    expect(impersonationBars(like({}), 'READ_WRITE')).toBe(false);
    expect(impersonationBars(like({ idempotency: 'required' }), 'READ_WRITE')).toBe(true);
    const pay = like({ access: { permission: 'revenue.pay', tenant: 'own' } });
    expect(impersonationBars(pay, 'READ_WRITE')).toBe(true);
    expect(impersonationBars(like({ stepUp: true }), 'READ_WRITE')).toBe(true);
    expect(impersonationBars(like({ method: 'get', stepUp: true }), 'READ_WRITE')).toBe(true);
    for (const mode of ['READ_ONLY', 'READ_WRITE'] as const) {
      expect(impersonationBars(like({ method: 'get', access: { permission: 'audit.export' } }), mode)).toBe(true);
      expect(impersonationBars(like({ method: 'get' }), mode)).toBe(false);
    }
  });
});
