import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiKeyRows } from '../../../src/services/api-keys.queries.ts';
import { impersonationRows } from '../../../src/services/impersonations.queries.ts';
import {
  lockoutRows,
  loginAttemptRows,
  securityEventRows,
  sessionRows,
} from '../../../src/services/security-lists.queries.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import type { Sql } from '../../../src/utils/sql.ts';

// Whether each filter of the long lists could be looked up in an index, once the table has grown: sequential scans are
// made expensive, so that what is left is what has no index.

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client(database.appUrl);
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

type Plan = { 'Node Type': string; 'Relation Name'?: string; 'Index Cond'?: string; Plans?: Plan[] };

async function planOf({ text, values }: Sql): Promise<Plan[]> {
  await client.query('begin');
  try {
    await client.query(`select set_config('role', 'studyspot_portal', true), set_config('enable_seqscan', 'off', true),
                               set_config('enable_bitmapscan', 'on', true)`);
    const { rows } = await client.query(`explain (format json) ${text}`, values);
    const nodes: Plan[] = [rows[0]['QUERY PLAN'][0].Plan];
    for (const node of nodes) nodes.push(...(node.Plans ?? []));
    return nodes;
  } finally {
    await client.query('rollback');
  }
}

const id = 'cm3k8v1x40000qp2h9d7f5a6b';
const page = { page: 1, limit: 20 };
const day = new Date('2026-08-11');
const cursor = { createdAt: '2026-08-11T06:30:00.000000Z', id };

describe('An index serves', () => {
  it.each([
    ['tries of a person', loginAttemptRows({ ...page, userId: id }), 'user_id'],
    ['tries in a library', loginAttemptRows({ ...page, tenantId: id }), 'tenant_id'],
    ['tries by outcome', loginAttemptRows({ ...page, outcome: 'LOCKED' }), 'outcome'],
    ['tries from an address', loginAttemptRows({ ...page, ip: '203.0.113.7' }), 'ip_address'],
    ['tries from a country', loginAttemptRows({ ...page, country: 'IN' }), 'country'],
    ['tries of a time', loginAttemptRows({ ...page, from: day, to: day }), 'created_at'],
    ['tries after a cursor', loginAttemptRows({ ...page, cursor }), 'created_at'],
    ['lock-outs that hold', lockoutRows(page), 'locked_until'],
    ['lock-outs of a person', lockoutRows({ ...page, userId: id, history: 'true' }), 'user_id'],
    ['events by type', securityEventRows({ ...page, type: 'NEW_DEVICE' }), 'type'],
    ['events by severity', securityEventRows({ ...page, severity: 'HIGH' }), 'severity'],
    ['events of a person', securityEventRows({ ...page, userId: id }), 'user_id'],
    ['events in a library', securityEventRows({ ...page, tenantId: id }), 'tenant_id'],
    ['events that are open', securityEventRows({ ...page, resolved: 'false' }), 'resolved_at'],
    ['events after a cursor', securityEventRows({ ...page, cursor }), 'created_at'],
    ['sessions of a person', sessionRows({ ...page, userId: id }, id), 'user_id'],
    ['sessions in a library', sessionRows({ ...page, tenantId: id }, id), 'tenant_id'],
    ['sessions of admins', sessionRows({ ...page, type: 'ADMIN' }, id), 'tenant_id'],
    ['sessions from an address', sessionRows({ ...page, ip: '203.0.113.7' }, id), 'ip_address'],
    ['sessions after a cursor', sessionRows({ ...page, cursor }, id), 'created_at'],
    ['keys of a person', apiKeyRows({ ...page, order: 'desc', createdById: id }), 'created_by_id'],
    ['impersonations by an admin', impersonationRows({ adminId: id }), 'admin_id'],
    ['impersonations of a person', impersonationRows({ userId: id }), 'user_id'],
    ['impersonations in a library', impersonationRows({ tenantId: id }), 'tenant_id'],
  ])('%s', async (_, { count, rows }, column) => {
    const counting = await planOf(count);
    expect(counting.filter((node) => node['Node Type'] === 'Seq Scan')).toEqual([]);
    expect(counting.map((node) => node['Index Cond'] ?? '').join(' ')).toContain(column);
    expect((await planOf(rows)).filter((node) => node['Node Type'] === 'Seq Scan')).toEqual([]);
  });
});
