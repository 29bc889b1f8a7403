import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noon, runJob, setClock } from '../../support/billing.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import { dataOf, deskOf, subscribe } from './support.ts';

let app: FinanceApp;
beforeAll(async () => {
  app = await startFinanceApp();
});
afterAll(() => app.close());

/** The mails that went to an address, as they are read. */
async function mailsTo(address: string) {
  const folder = path.join(process.env.DATA_DIR as string, 'outbox');
  const files = readdirSync(folder).filter((name) => name.endsWith('.eml'));
  const mails = await Promise.all(files.map((name) => simpleParser(readFileSync(path.join(folder, name)))));
  return mails.filter(({ to }) => to && !Array.isArray(to) && to.value[0]?.address === address);
}

const { subscriptions } = deskOf(() => app);

describe('The mail about the end of a trial', () => {
  it.each([
    [true, 'It goes on by itself from that day, for ₹999.00 plus GST'],
    [false, 'add a payment method before that day'],
  ])('goes to every owner once, with what happens then (somebody can be charged: %s)', async (method, told) => {
    setClock(noon('2027-01-10'));
    const { id, tenantId, plan, owner } = await subscribe(app, subscriptions(), { method, body: { trialDays: 14 } });
    const second = await app.buildOwner({ tenantId });
    await runJob('email.trial-ending', { subscriptionId: id }, tenantId);
    for (const { email } of [owner, second]) {
      const mails = await mailsTo(email ?? '');
      expect(mails).toHaveLength(1);
      expect(mails[0]?.subject).toContain('ends on 24 January 2027');
      expect(mails[0]?.text).toContain(`The trial of ${plan.name} for`);
      expect(mails[0]?.text).toContain(told);
      expect(mails[0]?.html).toContain(told);
    }
  });

  it('goes to the address of the library where no owner can be written to', async () => {
    setClock(noon('2027-01-10'));
    const { id, tenantId, owner } = await subscribe(app, subscriptions(), { body: { trialDays: 14 } });
    await app.query(`update users set status = 'INACTIVE' where id = $1`, [owner.id]);
    await runJob('email.trial-ending', { subscriptionId: id }, tenantId);
    const [tenant] = await app.query<{ email: string }>(`select email from tenants where id = $1`, [tenantId]);
    expect(await mailsTo(tenant?.email ?? '')).toHaveLength(1);
  });

  it('is not sent where the trial is over, or was cancelled', async () => {
    setClock(noon('2027-01-10'));
    const { id, tenantId, owner } = await subscribe(app, subscriptions(), { body: { trialDays: 14 } });
    const body = { at: 'PERIOD_END', reason: 'They are closing' };
    dataOf(await subscriptions().post(`/${id}/cancel`, body));
    await runJob('email.trial-ending', { subscriptionId: id }, tenantId);
    expect(await mailsTo(owner.email ?? '')).toEqual([]);
  });
});
