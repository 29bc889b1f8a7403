import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

type Finding = { code: string; count: number; weight: number; action: { text: string } };

let app: TestApp;
let token: string;
let admin: { id: string };
beforeAll(async () => {
  app = await startTestApp();
  const person = await app.buildAdmin();
  admin = person;
  token = (await app.signIn(person)).token;
});
afterAll(() => app.close());

async function overview() {
  const answer = await app.call('GET', '/api/security/overview', { token });
  expectSuccess(answer);
  const { score, findings } = answer.body.data as { score: number; findings: Finding[] };
  return { score, findings, counts: Object.fromEntries(findings.map(({ code, count }) => [code, count])) };
}

describe('The posture', () => {
  it('is what is left of 100 after all findings, the weightiest first', async () => {
    const { score, findings } = await overview();
    const lost = findings.reduce((sum, { weight }) => sum + weight, 0);
    expect(score).toBe(Math.max(0, 100 - lost));
    expect(findings.map(({ weight }) => weight)).toEqual(
      findings.map(({ weight }) => weight).toSorted((a, b) => b - a),
    );
    for (const { action } of findings) expect(action.text).toMatch(/\S{3}/);
  });

  it('finds each thing, and no longer once it is mended', async () => {
    const before = await overview();
    expect(before.counts).toMatchObject({
      admins_without_second_factor: 1,
      mfa_not_demanded: 1,
      single_super_admin: 1,
      no_admin_allow_list: 1,
      audit_not_anchored: 1,
    });
    const key = newId();
    await app.query(
      `insert into api_keys (id, name, prefix, secret_hash, scopes, allowed_networks, created_by_id, created_at, expires_at)
       values ($1, 'Old', 'aaaaaaaaaaaa', 'x', '{}', '{}', $2, now() - interval '80 days', now() + interval '3 days')`,
      [key, admin.id],
    );
    const event = newId();
    await app.query(
      `insert into security_events (id, type, severity, details) values ($1, 'KEY_MISUSE', 'HIGH', '{}'), ($2, 'NEW_DEVICE', 'LOW', '{}')`,
      [event, newId()],
    );
    await app.buildAdmin({ role: 'finance', status: 'PENDING' });
    const dormant = await app.buildAdmin({ role: 'finance' });
    await app.query(
      `update users set created_at = now() - interval '100 days' where type = 'ADMIN_USER' and id <> $1`,
      [admin.id],
    );
    await app.query(
      `insert into security_policies (type, value, updated_at) values ('PASSWORD', '{"minLength": 8}', now()), ('MFA', '{"requiredRoles": ["super_admin"]}', now())`,
    );
    await app.query(
      `insert into totp_credentials (user_id, sealed_secret, confirmed_at) values ($1, 'v1.oldkeyid.n.s', now())`,
      [admin.id],
    );
    await app.query(
      `insert into dead_letters (id, queue, job, job_id, payload, error, attempts, failed_at)
       values ($1, 'report', 'report.audit-verification', 'x', '{}', 'broken', 1, now())`,
      [newId()],
    );
    for (let index = 0; index < 3; index += 1) await app.buildAdmin();
    const after = await overview();
    expect(after.counts).toMatchObject({
      audit_trail_broken: 1,
      admins_without_second_factor: 4,
      open_high_events: 1,
      many_super_admins: 4,
      dormant_admins: 1,
      old_invites: 1,
      weak_password_policy: 1,
      unused_api_keys: 1,
      expiring_api_keys: 1,
      api_keys_from_everywhere: 1,
      sealed_with_old_key: 1,
    });
    expect(after.counts).not.toHaveProperty('mfa_not_demanded');
    expect(after.counts).not.toHaveProperty('single_super_admin');
    expect(after.score).toBeLessThan(before.score);

    await app.query(`update security_events set resolved_at = now() where id = $1`, [event]);
    await app.query(`update api_keys set revoked_at = now() where id = $1`, [key]);
    await app.query(`update users set last_login_at = now() where id = $1`, [dormant.id]);
    await app.query('delete from dead_letters');
    const mended = await overview();
    for (const code of [
      'open_high_events',
      'unused_api_keys',
      'expiring_api_keys',
      'dormant_admins',
      'audit_trail_broken',
    ]) {
      expect(mended.counts).not.toHaveProperty(code);
    }
  });

  it('is not asked for from within a tenant', async () => {
    const { id } = await app.buildTenant();
    const answer = await app.call('GET', '/api/security/overview', { token, headers: { 'x-tenant-id': id } });
    expectError(answer, 403, 'tenant_mismatch');
  });
});
