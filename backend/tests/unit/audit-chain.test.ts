import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auditHash, changedFields, GENESIS_HASH, type AuditRecord } from '../../src/services/audit-chain.service.ts';
import { breakAt } from '../../src/services/audit-integrity.service.ts';

const record: AuditRecord = {
  id: 'cm3k8v1x40000qp2h9d7f5a6b',
  chain: 'platform',
  sequence: 1,
  tenantId: null,
  actorType: 'USER',
  actorId: 'cm3k8v1x40001qp2h9d7f5a6b',
  actorName: 'आशा मेनन',
  action: 'tenants.suspend',
  resource: 'tenant',
  resourceId: 'cm3k8v1x40002qp2h9d7f5a6b',
  outcome: 'SUCCESS',
  changes: { status: { from: 'ACTIVE', to: 'SUSPENDED' }, reason: 'Unpaid' },
  ipAddress: '203.0.113.7',
  userAgent: 'curl/8.5.0',
  requestId: 'b7e7c1b0-6a1e-4f3a-9d1c-2f4b8a6d5e30',
  createdAt: '2026-08-11T06:30:00.123456Z',
};

describe('The hash of an audit row', () => {
  it('is SHA-256 over the hash before it and the row as canonical JSON', () => {
    const text =
      '{"action":"tenants.suspend","actorId":"cm3k8v1x40001qp2h9d7f5a6b","actorName":"आशा मेनन","actorType":"USER",' +
      '"chain":"platform","changes":{"reason":"Unpaid","status":{"from":"ACTIVE","to":"SUSPENDED"}},' +
      '"createdAt":"2026-08-11T06:30:00.123456Z","id":"cm3k8v1x40000qp2h9d7f5a6b","ipAddress":"203.0.113.7",' +
      '"outcome":"SUCCESS","requestId":"b7e7c1b0-6a1e-4f3a-9d1c-2f4b8a6d5e30","resource":"tenant",' +
      '"resourceId":"cm3k8v1x40002qp2h9d7f5a6b","sequence":1,"tenantId":null,"userAgent":"curl/8.5.0"}';
    const expected = createHash('sha256')
      .update(`${'0'.repeat(64)}${text}`, 'utf8')
      .digest('hex');
    expect(auditHash(GENESIS_HASH, record)).toBe(expected);
  });

  it('does not depend on the order of keys', () => {
    const shuffled = Object.fromEntries(Object.entries(record).toReversed()) as AuditRecord;
    expect(auditHash(GENESIS_HASH, shuffled)).toBe(auditHash(GENESIS_HASH, record));
  });

  it('changes with every field and with the hash before it', () => {
    const original = auditHash(GENESIS_HASH, record);
    const hashes = (Object.keys(record) as (keyof AuditRecord)[]).map((field) =>
      auditHash(GENESIS_HASH, { ...record, [field]: field === 'sequence' ? 2 : 'forged' }),
    );
    hashes.push(auditHash('f'.repeat(64), record), original);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('Looking at one link', () => {
  const previousHash = GENESIS_HASH;
  const link = { ...record, previousHash, hash: auditHash(previousHash, record) };

  it('finds nothing where it holds', () => {
    expect(breakAt(link, { sequence: 1, previousHash })).toBeUndefined();
  });

  it.each([
    ['altered', 1, { ...link, action: 'tenants.activate' }, 1, previousHash],
    ['altered', 1, { ...link, hash: 'f'.repeat(64) }, 1, previousHash],
    ['unlinked', 1, { ...link, previousHash: 'f'.repeat(64) }, 1, previousHash],
    ['unlinked', 1, link, 1, 'f'.repeat(64)],
    ['unlinked', 0, { ...link, sequence: 0 }, 1, previousHash],
    ['missing', 1, { ...link, sequence: 2 }, 1, previousHash],
    ['missing', 7, { ...link, sequence: 12 }, 7, previousHash],
  ] as const)('finds it %s at %i', (reason, sequence, given, expected, before) => {
    expect(breakAt(given, { sequence: expected, previousHash: before })).toEqual({ sequence, reason });
  });
});

describe('What an update changed', () => {
  it('is told with the value before and after, for the fields that were given and differ', () => {
    const before = { name: 'Old', city: 'Kota', phone: '+919829012345', version: 3, kept: 1 };
    expect(changedFields(before, { name: 'New', city: 'Kota', phone: null, pincode: '324005' })).toEqual({
      name: { from: 'Old', to: 'New' },
      phone: { from: '+919829012345', to: null },
      pincode: { from: null, to: '324005' },
    });
  });

  it('is nothing between null and absent, or between a date and its text', () => {
    const at = new Date('2026-08-11T06:30:00Z');
    expect(changedFields({ phone: null, at }, { phone: undefined, gstin: null, at: at.toISOString() })).toEqual({});
  });

  it('looks into what is nested, whatever the order of its keys', () => {
    expect(changedFields({ a: { x: 1, y: [1, 2] } }, { a: { y: [1, 2], x: 1 } })).toEqual({});
    expect(changedFields({ a: { y: [1, 2] } }, { a: { y: [2, 1] } })).toEqual({
      a: { from: { y: [1, 2] }, to: { y: [2, 1] } },
    });
  });

  it('is empty for the same, and brings the old to the new otherwise', () => {
    const row = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(row, row, (before, after) => {
        expect(changedFields(after, after)).toEqual({});
        const changes = changedFields(before, after);
        const patched = { ...before, ...Object.fromEntries(Object.entries(changes).map(([k, v]) => [k, v.to])) };
        expect(changedFields(patched, after)).toEqual({});
        for (const [field, { from }] of Object.entries(changes)) {
          expect(from).toEqual(JSON.parse(JSON.stringify((before as Record<string, unknown>)[field] ?? null)));
        }
      }),
    );
  });
});
