import { z } from 'zod';
import { day, isoDate, money } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';

const MOST_MONTHS = 36;

const amount = (description: string, example = '249900.00') => money.meta({ description, example });
const count = (description: string, example = 12) => z.number().int().meta({ description, example });
const rate = (description: string, example: number | null = 0.0312) =>
  z
    .number()
    .nullable()
    .meta({ description: `${description}; null where there is nothing to divide by`, example });

/** A month in India in a request. */
export const month = z
  .string()
  .max(7)
  .regex(/^2\d{3}-(0[1-9]|1[0-2])$/, 'must be a month such as 2026-08')
  .meta({ description: 'A month in India', example: '2026-08' });

const refresh = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .optional()
  .meta({ description: 'Computes anew what would else be up to an hour old', example: 'false' });

export const dashboardQuery = z.strictObject({ refresh });

export const metricsQuery = z
  .strictObject({
    month: month.optional().meta({ description: 'Of a month; this one, unless a day is named', example: '2026-08' }),
    day: day.optional().meta({ description: 'Of a day', example: '2026-08-11' }),
    refresh,
  })
  .refine((query) => query.month === undefined || query.day === undefined, {
    message: 'is either a day or a month: leave one out',
    path: ['day'],
  });

export const monthsQuery = z.strictObject({
  from: month
    .optional()
    .meta({ description: 'The first month; eleven before the last one without', example: '2025-12' }),
  to: month.optional().meta({ description: 'The last month; this one without', example: '2026-11' }),
  refresh,
});

export const cohortsQuery = z.strictObject({
  months: z.coerce
    .number()
    .int()
    .min(1)
    .max(MOST_MONTHS)
    .default(12)
    .meta({ description: 'How many cohorts, up to the one of this month', example: 12 }),
  refresh,
});

export const analyticsQuery = z.strictObject({
  from: day.optional().meta({ description: 'The first day; eleven months before the last one without' }),
  to: day.optional().meta({ description: 'The last day; today without' }),
  bucket: z
    .enum(['day', 'week', 'month'])
    .default('month')
    .meta({ description: 'Whole days, weeks from Monday, or months; 120 of them at most', example: 'month' }),
  refresh,
});

const asOf = isoDate.meta({ description: 'When this was computed: at most an hour ago' });
const complete = z
  .boolean()
  .meta({ description: 'Whether the period is over; one that goes on is told as far as it has come', example: true });
const monthName = z.string().meta({ description: 'Month in India', example: '2026-08' });
const firstDay = z.string().meta({ description: 'Its first day in India', example: '2026-08-01' });
const lastDay = z.string().meta({ description: 'Its last day, or today', example: '2026-08-31' });

const withAndWithoutTax = (what: string) =>
  z.object({
    taxable: amount(`${what}, without tax`, '310400.00'),
    total: amount(`${what}, with tax`, '366272.00'),
  });

const movementFields = {
  opening: amount('MRR before it', '241000.00'),
  new: amount('Of tenants that had never brought anything', '9996.00'),
  expansion: amount('What others brought more', '1500.00'),
  contraction: amount('What others brought less: negative', '-999.00'),
  churn: amount('Of those that bring nothing any more: negative; pauses as well', '-2499.00'),
  reactivation: amount('Of those that bring something again', '902.00'),
  net: amount('All movements together', '8900.00'),
  closing: amount('MRR at its end: opening and all movements', '249900.00'),
};

const movements = z.object(movementFields).meta({ description: 'How the MRR came from its opening to its closing' });

const retentionFields = {
  startMrr: amount('MRR at its start', '241000.00'),
  payingAtStart: count('Tenants that paid at its start', 96),
  churned: count('Of those, the ones that pay nothing at its end', 3),
  logoChurn: rate('Those that left, of those that paid at the start'),
  grossRevenueRetention: rate(
    'GRR: what is left of the MRR at the start, no tenant counted for more than it had',
    0.9712,
  ),
  netRevenueRetention: rate('NRR: the same with what these tenants took on since', 1.0234),
};

const arpa = money.nullable().meta({ description: 'MRR by paying tenant; null without any', example: '2499.00' });

const figures = z.object({
  from: firstDay,
  to: lastDay,
  complete,
  mrr: amount('Monthly recurring revenue at its end, without tax'),
  arr: amount('Annual: twelve times the MRR', '2998800.00'),
  arpa,
  ltv: money
    .nullable()
    .meta({ description: 'ARPA by the logo churn of a month; null while nobody has left', example: '79968.00' }),
  payingTenants: count('Tenants that bring something', 100),
  movements,
  retention: z
    .object({ from: firstDay, to: lastDay, ...retentionFields })
    .meta({ description: 'Over the month, or over the month that ends with the day' }),
  invoiced: withAndWithoutTax('Invoiced in it, credit notes not taken off'),
  credited: withAndWithoutTax('Credited in it'),
  collected: amount('Money that came in it', '351200.00'),
  deferredRevenue: amount('Invoiced by its end and earned after it, without tax', '154300.00'),
});

export const revenueMetrics = z
  .object({
    asOf,
    current: figures,
    previous: figures.meta({ description: 'The month or the day before' }),
    change: z
      .object({
        mrr: amount('MRR at its end', '8900.00'),
        mrrRate: rate('The same, of the MRR before', 0.0369),
        payingTenants: count('Paying tenants', 1),
        invoiced: amount('Invoiced, without tax', '-1200.00'),
        collected: amount('Money that came', '4300.00'),
      })
      .meta({ description: 'What is more than before; negative where it is less' }),
  })
  .meta({ id: 'RevenueMetrics' });

export const mrrMovements = z
  .object({
    asOf,
    months: z
      .array(z.object({ month: monthName, complete, ...movementFields }))
      .meta({ description: 'The oldest first' }),
  })
  .meta({ id: 'MrrMovements' });

export const revenueChurn = z
  .object({
    asOf,
    months: z
      .array(z.object({ month: monthName, complete, ...retentionFields }))
      .meta({ description: 'The oldest first' }),
    lastTwelveMonths: z
      .object({ from: firstDay, to: lastDay, complete, ...retentionFields })
      .meta({ description: 'Of the tenants that paid twelve months before the end of the last month' }),
  })
  .meta({ id: 'RevenueChurn' });

export const revenueCohorts = z
  .object({
    asOf,
    cohorts: z
      .array(
        z.object({
          cohort: monthName.meta({ description: 'In which these tenants first brought something', example: '2026-06' }),
          complete,
          tenants: count('How many began', 9),
          mrr: amount('What they began with', '22491.00'),
          months: z
            .array(
              z.object({
                after: z.number().int().meta({ description: 'Months later; 0 is the first', example: 2 }),
                month: monthName,
                complete,
                tenants: count('Of them that pay at the end of the month', 8),
                tenantShare: rate('Of those who began', 0.8889),
                mrr: amount('What they bring at the end of the month', '21992.00'),
                mrrShare: rate('Of what they began with; above 1 where they took on more', 0.9778),
              }),
            )
            .meta({ description: 'From the first month to this one' }),
        }),
      )
      .meta({ description: 'The oldest first' }),
  })
  .meta({ id: 'RevenueCohorts' });

export const revenueAnalytics = z
  .object({
    asOf,
    bucket: z.enum(['day', 'week', 'month']).meta({ example: 'month' }),
    from: firstDay,
    to: lastDay,
    series: z
      .array(
        z.object({
          from: firstDay,
          to: lastDay,
          complete,
          mrr: amount('MRR at its end'),
          invoiced: withAndWithoutTax('Invoiced in it, credit notes not taken off'),
          credited: withAndWithoutTax('Credited in it'),
          collected: amount('Money that came in it', '351200.00'),
          newSubscriptions: count('That began to bring something, or did so again', 5),
          lostSubscriptions: count('That bring nothing any more', 1),
        }),
      )
      .meta({ description: 'The oldest first' }),
    byPlan: z
      .array(
        z.object({
          planId: id,
          name: z.string().meta({ example: 'Growth' }),
          openingMrr: amount('What it brought before the first day', '96000.00'),
          closingMrr: amount('What it brings at the end of the last one', '104500.00'),
          newSubscriptions: count('That began to bring something with it, or did so again', 5),
          lostSubscriptions: count('That bring nothing any more', 1),
        }),
      )
      .meta({ description: 'The fifty plans that bring most, over the whole range' }),
  })
  .meta({ id: 'RevenueAnalytics' });

const due = (what: string) =>
  z.object({ amount: amount(what, '48300.00'), invoices: count('Invoices', 21) }).meta({ description: what });

export const revenueDashboard = z
  .object({
    asOf,
    day: z.string().meta({ description: 'The day in India that this is of', example: '2026-08-11' }),
    mrr: amount('Monthly recurring revenue, without tax'),
    arr: amount('Annual: twelve times the MRR', '2998800.00'),
    arpa,
    payingTenants: count('Tenants that bring something', 100),
    subscriptions: z.object({
      trial: count('In their trial', 14),
      active: count('Active', 96),
      pastDue: count('Whose last invoice could not be collected', 4),
      paused: count('Paused', 2),
    }),
    thisMonth: z.object({
      month: monthName,
      complete: complete.meta({ description: 'Never: the month goes on', example: false }),
      movements,
      invoiced: withAndWithoutTax('Invoiced in it, less what was credited in it'),
      credited: withAndWithoutTax('Credited in it'),
      collected: amount('Money that came in it', '351200.00'),
    }),
    outstanding: due('To be paid, whenever it is due'),
    overdue: due('Of that, what should have been paid before today')
      .extend({
        days0To30: due('Due up to 30 days ago'),
        days31To60: due('Due 31 to 60 days ago'),
        days61To90: due('Due 61 to 90 days ago'),
        daysOver90: due('Due more than 90 days ago'),
      })
      .meta({ description: 'What should have been paid before today, by how long ago it was due' }),
    months: z
      .array(
        z.object({
          month: monthName,
          complete,
          mrr: amount('MRR at its end'),
          invoiced: withAndWithoutTax('Invoiced in it, less what was credited in it'),
          collected: amount('Money that came in it', '351200.00'),
        }),
      )
      .meta({ description: 'The last twelve months, the oldest first' }),
    topPlans: z
      .array(
        z.object({
          planId: id,
          name: z.string().meta({ example: 'Growth' }),
          mrr: amount('What it brings', '104500.00'),
          subscriptions: count('Subscriptions that bring something', 42),
        }),
      )
      .meta({ description: 'The ten plans that bring most' }),
    dunning: z
      .object({ runs: count('Runs that go on', 6), amount: amount('What is due of their invoices', '15430.00') })
      .meta({ description: 'What is being collected' }),
  })
  .meta({ id: 'RevenueDashboard' });
