import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { queryString } from '../../support/calls.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { broken, buildChain, intact, integrityOf, recompute, rowsOfChain, type AuditRow } from './support.ts';

let app: TestApp;
let check: ReturnType<typeof integrityOf>;
beforeAll(async () => {
  app = await startTestApp();
  check = integrityOf(app);
});
afterAll(() => app.close());

const verdictOf = async (query: Record<string, string | number> = {}) => (await check(queryString(query))).body.data;

describe('GET /api/audit/integrity finds', () => {
  const LENGTH = 6;
  /** Changes the table as somebody with all rights to it could, looks, and puts everything back. */
  async function afterTampering(
    chain: string,
    tamper: string | (() => Promise<unknown>),
    query: Record<string, string | number> = { chain },
  ) {
    await app.query(
      'create table saved_logs as select * from audit_logs; create table saved_chains as select * from audit_chains',
    );
    if (typeof tamper === 'string') await app.query(tamper.replaceAll(':chain', `'${chain}'`));
    else await tamper();
    const answer = await check(queryString(query));
    await app.query(`truncate audit_logs; truncate audit_chains;
                     insert into audit_logs select * from saved_logs; insert into audit_chains select * from saved_chains;
                     drop table saved_logs; drop table saved_chains`);
    return answer.body.data ?? answer.body.error;
  }
  const row = (sequence: number) => `chain = :chain and sequence = ${sequence}`;

  const columns: Record<string, { set: string; reason?: string }> = {
    id: { set: `'${newId()}'` },
    sequence: { set: '100', reason: 'missing' },
    actor_type: { set: `'SYSTEM'` },
    actor_id: { set: 'null' },
    actor_name: { set: `actor_name || ' '` },
    on_behalf_of_id: { set: `'${newId()}'` },
    on_behalf_of_name: { set: `'Somebody else'` },
    action: { set: `'tenants.read'` },
    resource: { set: `''` },
    resource_id: { set: `'${newId()}'` },
    outcome: { set: `'FAILURE'` },
    changes: { set: `jsonb_set(changes, '{nested,a,0}', 'false')` },
    ip_address: { set: `'203.0.113.8'` },
    user_agent: { set: 'upper(user_agent)' },
    request_id: { set: 'null' },
    created_at: { set: `created_at + interval '1 microsecond'` },
    previous_hash: { set: `repeat('0', 64)`, reason: 'unlinked' },
    hash: { set: `upper(hash)` },
  };

  it.each(Object.entries(columns))('a change of %s', async (column, { set, reason = 'altered' }) => {
    const chain = await buildChain(app, LENGTH);
    expect(await verdictOf({ chain })).toEqual(intact(LENGTH));
    const found = await afterTampering(chain, `update audit_logs set ${column} = ${set} where ${row(4)}`);
    expect(found).toEqual({ ...broken(chain, 4, reason), rows: 3 });
    expect(await verdictOf({ chain })).toEqual(intact(LENGTH));
  });

  it('a change of each column that there is', async () => {
    const inTable = await app.query<{ column_name: string }>(
      `select column_name from information_schema.columns where table_name = 'audit_logs'`,
    );
    expect([...Object.keys(columns), 'chain', 'tenant_id'].toSorted()).toEqual(
      inTable.map(({ column_name }) => column_name).toSorted(),
    );
  });

  it('a row that was moved to another chain, in both', async () => {
    const chain = await buildChain(app, LENGTH);
    const other = await buildChain(app, 2);
    const move = `update audit_logs set chain = '${other}', tenant_id = '${other}' where ${row(4)}`;
    expect(await afterTampering(chain, move)).toEqual(broken(chain, 4, 'missing'));
    expect(await afterTampering(chain, move, { chain: other })).toEqual(broken(other, 3, 'missing'));
  });

  it.each([
    ['the first row gone', 'delete from audit_logs where chain = :chain and sequence = 1', 1, 'missing'],
    ['a row in the middle gone', 'delete from audit_logs where chain = :chain and sequence = 3', 3, 'missing'],
    ['several in the middle gone', 'delete from audit_logs where chain = :chain and sequence in (3, 4)', 3, 'missing'],
    ['the last row gone', 'delete from audit_logs where chain = :chain and sequence = 6', 6, 'truncated'],
    ['the end cut off', 'delete from audit_logs where chain = :chain and sequence > 3', 4, 'truncated'],
    ['every row gone', 'delete from audit_logs where chain = :chain', 1, 'truncated'],
    ['the head gone', 'delete from audit_chains where chain = :chain', 6, 'head'],
    ['another hash in the head', `update audit_chains set hash = repeat('a', 64) where chain = :chain`, 6, 'head'],
    ['a head that stops before the end', 'update audit_chains set sequence = 5 where chain = :chain', 6, 'head'],
    ['a head that goes on after the end', 'update audit_chains set sequence = 7 where chain = :chain', 7, 'truncated'],
  ])('%s', async (_what, tamper, sequence, reason) => {
    const chain = await buildChain(app, LENGTH);
    expect(await afterTampering(chain, tamper)).toEqual(broken(chain, sequence, reason));
  });

  it('two rows that changed places', async () => {
    const chain = await buildChain(app, LENGTH);
    const swap = `update audit_logs set sequence = -1 where ${row(3)}; update audit_logs set sequence = 3 where ${row(4)};
                  update audit_logs set sequence = 4 where chain = :chain and sequence = -1`;
    expect(await afterTampering(chain, swap)).toEqual(broken(chain, 3, 'unlinked'));
  });

  it('a forged row: in the middle, before the first, after the last', async () => {
    const chain = await buildChain(app, LENGTH);
    /** A row that follows the one before it as it should, made by somebody who knows how hashes are made. */
    const forge = async (after: number, sequence: number) => {
      const before = (await rowsOfChain(app, chain)).find((link) => link.sequence === after);
      const previousHash = before?.hash ?? '0'.repeat(64);
      const [copy] = await rowsOfChain(app, chain);
      const forged = { ...(copy as AuditRow), id: newId(), sequence, previous_hash: previousHash };
      const hash = recompute(previousHash, forged);
      await app.query(`insert into audit_logs select (jsonb_populate_record(null::audit_logs, $1::jsonb)).*`, [
        JSON.stringify({ ...forged, hash }),
      ]);
    };
    const inMiddle = async () => {
      await app.query(`update audit_logs set sequence = -sequence where chain = $1 and sequence > 3`, [chain]);
      await app.query(`update audit_logs set sequence = 1 - sequence where chain = $1 and sequence < 0`, [chain]);
      await app.query(`update audit_chains set sequence = 7 where chain = $1`, [chain]);
      await forge(3, 4);
    };
    expect(await afterTampering(chain, inMiddle)).toEqual(broken(chain, 5, 'unlinked'));
    expect(await afterTampering(chain, () => forge(0, 0))).toEqual(broken(chain, 0, 'unlinked'));
    expect(await afterTampering(chain, () => forge(6, 7))).toEqual(broken(chain, 7, 'head'));
    expect(await afterTampering(chain, () => forge(6, 8))).toEqual(broken(chain, 7, 'missing'));
  });

  it('a change that was made to fit its row, for the next one does not follow it', async () => {
    const chain = await buildChain(app, LENGTH);
    const found = await afterTampering(chain, async () => {
      await app.query(`update audit_logs set action = 'forged' where chain = $1 and sequence = 4`, [chain]);
      const link = (await rowsOfChain(app, chain))[3] as AuditRow;
      await app.query(`update audit_logs set hash = $2 where id = $1`, [link.id, recompute(link.previous_hash, link)]);
    });
    expect(found).toEqual(broken(chain, 5, 'unlinked'));
  });

  it('every chain that is broken, the first place in each, and leaves the others alone', async () => {
    const [one, two, three] = [
      await buildChain(app, LENGTH),
      await buildChain(app, LENGTH),
      await buildChain(app, LENGTH),
    ];
    const tamper = `update audit_logs set action = 'x' where chain = '${one}' and sequence in (2, 5);
                    delete from audit_logs where chain = '${three}' and sequence > 4`;
    const found = await afterTampering(one, tamper, {});
    expect(found).toMatchObject({ intact: false, complete: true });
    expect(found.chains).toBe((await app.query(`select 1 from audit_chains`)).length);
    expect(found.breaks).toEqual(
      [
        { chain: one, sequence: 2, reason: 'altered' },
        { chain: three, sequence: 5, reason: 'truncated' },
      ].toSorted((a, b) => (a.chain < b.chain ? -1 : 1)),
    );
    expect(found.breaks).not.toContainEqual(expect.objectContaining({ chain: two }));
  });

  it('a chain that is not there any more: it is not said to be whole', async () => {
    const chain = await buildChain(app, LENGTH);
    const gone = `delete from audit_logs where chain = :chain; delete from audit_chains where chain = :chain`;
    expect(await afterTampering(chain, gone)).toMatchObject({ code: 'not_found' });
    expect(await check(`?chain=${newId()}`)).toMatchObject({
      status: 404,
      body: { error: { message: 'There is no such audit chain.' } },
    });
  });

  describe('in a part of a chain', () => {
    const change = `update audit_logs set action = 'x' where ${row(4)}`;
    const cut = `delete from audit_logs where ${row(4)}`;

    it.each([
      [change, { from: 1, to: 3 }, null, 3],
      [change, { from: 1, to: 4 }, { sequence: 4, reason: 'altered' }, 3],
      [change, { from: 4, to: 4 }, { sequence: 4, reason: 'altered' }, 0],
      [change, { from: 4 }, { sequence: 4, reason: 'altered' }, 0],
      // The row before is taken as it says it is: its own hash is checked with its own range.
      [change, { from: 5 }, null, 2],
      [cut, { from: 1, to: 3 }, null, 3],
      [cut, { from: 1, to: 4 }, { sequence: 4, reason: 'missing' }, 3],
      [cut, { from: 4, to: 4 }, { sequence: 4, reason: 'missing' }, 0],
      [cut, { from: 5 }, { sequence: 4, reason: 'missing' }, 0],
      [cut, { from: 6 }, null, 1],
      [
        'delete from audit_logs where chain = :chain and sequence > 3',
        { from: 6 },
        { sequence: 5, reason: 'truncated' },
        0,
      ],
      ['select 1', { from: 6, to: 6 }, null, 1],
      ['select 1', { from: 2, to: 100 }, null, 5],
      ['select 1', { from: 7 }, null, 0],
      ['select 1', { from: 8 }, null, 0],
      ['select 1', { from: 3_000_000_000, to: 9_000_000_000 }, null, 0],
    ])('%s %j', async (tamper, range, place, rows) => {
      const chain = await buildChain(app, LENGTH);
      const found = await afterTampering(chain, tamper, { chain, ...range });
      const breaks = place ? [{ chain, ...place }] : [];
      expect(found).toEqual({ intact: !place, complete: true, nextCursor: null, chains: 1, rows, breaks });
    });

    it.each([
      [{ chain: 'platform', from: '0' }, 'from', /1/],
      [{ chain: 'platform', from: 'one' }, 'from', /number/],
      [{ chain: 'platform', from: '5', to: '4' }, 'to', /must not be before from/],
      [{ chain: 'platform', to: '0' }, 'to', /1/],
      [{ from: '2' }, 'chain', /need a chain/],
      [{ to: '2' }, 'chain', /need a chain/],
      [{ chain: 'everything' }, 'chain', /platform.*tenant/],
      [{ chain: '' }, 'chain', /platform.*tenant/],
    ])('refuses %j', async (query, field, message) => {
      const answer = await check(queryString(query));
      expect(answer.status).toBe(400);
      const issue = { in: 'query', field, message: expect.stringMatching(message) };
      expect(answer.body.error.details.issues).toContainEqual(issue);
    });
  });

  it('what is broken in a chain of thousands, batch after batch', async () => {
    const chain = await buildChain(app, 3_000);
    expect(await verdictOf({ chain })).toEqual(intact(3_000));
    expect(await verdictOf({ chain, from: 990, to: 2_010 })).toEqual(intact(1_021));
    for (const sequence of [1_000, 1_001, 2_500, 3_000]) {
      const found = await afterTampering(
        chain,
        `update audit_logs set outcome = 'DENIED' where chain = :chain and sequence = ${sequence}`,
      );
      expect(found).toEqual({ ...broken(chain, sequence, 'altered'), rows: sequence - 1 });
    }
    const hole = await afterTampering(
      chain,
      `delete from audit_logs where chain = :chain and sequence between 900 and 2100`,
    );
    expect(hole).toEqual({ ...broken(chain, 900, 'missing'), rows: 899 });
  });
});
