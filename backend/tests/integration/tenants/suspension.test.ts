import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { permissionDefinition } from '../../../src/config/permissions.ts';
import type { Endpoint } from '../../../src/routes/endpoint.ts';
import { modules } from '../../../src/routes/index.ts';
import { exampleOf } from '../../../src/routes/openapi-examples.ts';
import { neededHeaders } from '../../support/example-request.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { runOutbox } from './support.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-suspension-'));

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: directory });
});
afterAll(async () => {
  await app.close();
  rmSync(directory, { recursive: true, force: true });
});

/** What the people of a tenant may call, and whether while it is shut out. */
const ofTenants = modules.flatMap(({ prefix, endpoints }) =>
  endpoints.flatMap((endpoint) => {
    const { access } = endpoint;
    const isOpen = typeof access === 'object' && 'permission' in access && access.tenant !== undefined;
    return isOpen
      ? [{ prefix, endpoint, whenSuspended: permissionDefinition(access.permission).whenSuspended === true }]
      : [];
  }),
);

const send = (prefix: string, endpoint: Endpoint, token: string, tenantId: string) =>
  app.call(endpoint.method.toUpperCase(), `/api${prefix}${endpoint.path.replace(/:\w+/g, tenantId)}`, {
    token,
    ...(endpoint.body && { body: exampleOf(endpoint.body, 'input') }),
    headers: neededHeaders(endpoint),
  });

describe.each(['SUSPENDED', 'INACTIVE', 'OFFBOARDING'])('While a tenant is %s', (status) => {
  it('its people sign in, see who they are and why they are shut out, and export', async () => {
    const owner = await app.buildOwner({ tenantId: (await app.buildTenant({ status })).id });
    const id = owner.tenantId as string;
    const { token } = await app.signInElevated(owner);
    const me = await app.call('GET', '/api/auth/me', { token });
    expect(me.body.data, me.text).toMatchObject({ tenant: { id, status } });
    const { id: exportId } = (await app.call('POST', `/api/tenants/${id}/exports`, { token })).body.data;
    expect(await runOutbox(app, 'report.tenant-export', id)).toBe(1);
    const ready = await app.call('GET', `/api/tenants/${id}/exports/${exportId}`, { token });
    expect(ready.body.data, ready.text).toMatchObject({ status: 'READY' });
    expect((await app.call('GET', `/api/tenants/${id}/exports/${exportId}/download`, { token })).status).toBe(200);
  });

  it('everything else is closed to them', async () => {
    const owner = await app.buildOwner({ tenantId: (await app.buildTenant({ status })).id });
    const { token } = await app.signInElevated(owner);
    for (const { prefix, endpoint, whenSuspended } of ofTenants) {
      const answer = await send(prefix, endpoint, token, owner.tenantId as string);
      if (whenSuspended)
        expect(['tenant_suspended', 'forbidden'], endpoint.operationId).not.toContain(answer.body.error?.code);
      else expect(answer.body.error?.code, endpoint.operationId).toBe('tenant_suspended');
    }
  });
});

it('What stays open to a tenant that is shut out is paying, with what that takes, and export (rule 11)', () => {
  const open = ofTenants.filter(({ whenSuspended }) => whenSuspended).map(({ endpoint }) => endpoint);
  expect(open.map(({ operationId }) => operationId)).toEqual(
    expect.arrayContaining([
      'createTenantExport',
      'getTenantExport',
      'downloadTenantExport',
      'setBillingProfile',
      'listTenantInvoices',
      'listTenantPayments',
      'createPaymentMethod',
      'collectInvoice',
      'createPaymentLink',
    ]),
  );
  const permissions = open.map(({ access }) =>
    typeof access === 'object' && 'permission' in access ? access.permission : '',
  );
  expect(new Set(permissions)).toEqual(
    new Set([
      'tenants.export',
      'users.export',
      'revenue.read',
      'revenue.update',
      'revenue.pay',
      'plans.read',
      'subscriptions.read',
      'subscriptions.update',
      'payments.read',
    ]),
  );
});

it('Suspending ends sessions at once; activating does not bring them back', async () => {
  const { token, tenantId } = await app.ownerWithToken();
  const admin = await app.adminToken();
  const body = { reason: 'Unpaid since June' };
  await app.call('POST', `/api/tenants/${tenantId}/suspend`, { token: admin, body });
  expectError(await app.call('GET', '/api/auth/me', { token }), 401, 'unauthenticated');
  await app.call('POST', `/api/tenants/${tenantId}/activate`, { token: admin, body: {} });
  expectError(await app.call('GET', '/api/auth/me', { token }), 401, 'unauthenticated');
});
