import type { z } from 'zod';
import type { Actor, ReadContext } from '../types/context.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { page } from '../utils/page.ts';
import type { invoiceListItem } from '../validators/invoices.validator.ts';
import type { payment } from '../validators/payments.validator.ts';
import type { invoicesOfTenantQuery, paymentsOfTenantQuery } from '../validators/tenant-billing.validator.ts';
import { invoiceRows } from './invoices.queries.ts';
import { paymentRows } from './payments.queries.ts';
import { tenantExists } from './tenants.queries.ts';

const parent = (tenantId: string) => ({ of: tenantExists(tenantId), what: 'tenant' });

/** Its invoices; people of the tenant see those that were issued. @throws AppError not_found */
export const listInvoicesOfTenant = (
  ctx: ReadContext<Actor>,
  tenantId: string,
  filter: z.output<typeof invoicesOfTenantQuery>,
) =>
  page<z.input<typeof invoiceListItem>>(ctx, filter, {
    ...invoiceRows({ ...filter, tenantId }, { drafts: ctx.actor.type === 'ADMIN_USER', today: dayInIndia(ctx.now) }),
    parent: parent(tenantId),
  });

/** What it has paid, and tried to. @throws AppError not_found */
export const listPaymentsOfTenant = (
  ctx: ReadContext<Actor>,
  tenantId: string,
  filter: z.output<typeof paymentsOfTenantQuery>,
) => page<z.input<typeof payment>>(ctx, filter, { ...paymentRows({ ...filter, tenantId }), parent: parent(tenantId) });
