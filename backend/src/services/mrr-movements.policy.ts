import type { MrrMovement } from '../generated/prisma/enums.ts';
import { decimal, rupees, sumOf, ZERO, type Amount, type Decimal } from '../utils/money.ts';
import type { Retention } from './revenue-rates.policy.ts';

// How the MRR came from what it was to what it is (rule 28): opening and all movements are the closing, always.

/** What one kind of movement came to from a day on, within a bucket. */
export type MovementRow = { start: string; movement: MrrMovement; amount: string; changes: number };

const KINDS = {
  new: 'NEW',
  expansion: 'EXPANSION',
  contraction: 'CONTRACTION',
  churn: 'CHURN',
  reactivation: 'REACTIVATION',
} as const satisfies Record<string, MrrMovement>;

type Kind = keyof typeof KINDS;

/** Rupees as text; contraction and churn are negative. */
export type Movements = Record<Kind | 'opening' | 'net' | 'closing', string>;

/** The movements of one period. @param opening what the MRR was before it */
export function movementsOf(opening: Amount, rows: readonly Pick<MovementRow, 'movement' | 'amount'>[]): Movements {
  const of = (movement: MrrMovement): Decimal =>
    sumOf(rows.filter((row) => row.movement === movement).map(({ amount }) => amount));
  const net = sumOf(rows.map(({ amount }) => amount));
  return {
    opening: rupees(opening),
    new: rupees(of(KINDS.new)),
    expansion: rupees(of(KINDS.expansion)),
    contraction: rupees(of(KINDS.contraction)),
    churn: rupees(of(KINDS.churn)),
    reactivation: rupees(of(KINDS.reactivation)),
    net: rupees(net),
    closing: rupees(net.plus(opening)),
  };
}

/** The movements of periods that follow each other: the closing of one is the opening of the next. */
export function runningMovements<Period extends { from: string }>(
  opening: Amount,
  periods: readonly Period[],
  rows: readonly MovementRow[],
): (Period & Movements)[] {
  let before: Amount = opening;
  return periods.map((period) => {
    const moved = movementsOf(
      before,
      rows.filter(({ start }) => start === period.from),
    );
    before = moved.closing;
    return { ...period, ...moved };
  });
}

/** What changed for tenants in one month, summed up over them. */
export type MonthOfTenants = {
  month: string;
  /** What their MRR at the end is more than at the start. */
  moved: string;
  /** The same of those who paid at the start. */
  movedOfPaying: string;
  /** What each of them had less at the end, summed up. */
  lost: string;
  /** Tenants that pay at the end and did not at the start, and the other way round. */
  won: number;
  churned: number;
};

/**
 * What became, in each of these months, of the tenants that paid at its start.
 * @param rows every month in which something changed, from the first of all on
 */
export function retentionByMonth(
  rows: readonly MonthOfTenants[],
  months: readonly string[],
): ({ month: string } & Retention)[] {
  return months.map((month) => {
    const before = rows.filter((row) => row.month < month);
    const within = rows.find((row) => row.month === month);
    return {
      month,
      startMrr: sumOf(before.map(({ moved }) => moved)),
      payingAtStart: before.reduce((paying, { won, churned }) => paying + won - churned, 0),
      churned: within?.churned ?? 0,
      lost: within ? decimal(within.lost) : ZERO,
      moved: within ? decimal(within.movedOfPaying) : ZERO,
    };
  });
}
