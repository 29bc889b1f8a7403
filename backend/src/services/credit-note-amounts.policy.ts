import { AppError } from '../utils/errors.ts';
import { Decimal, decimal, roundPaisa, rupees, sumOf, ZERO, type Amount } from '../utils/money.ts';

// What a credit note takes back of an invoice (rule 21). Rupees.

const TAXES = ['cgst', 'sgst', 'igst'] as const;
type Sums = { taxable: Decimal; cgst: Decimal; sgst: Decimal; igst: Decimal };
type Taxed = Record<keyof Sums, Amount>;

/** A line, or an invoice, and what standing credit notes have taken back of it. */
export type Creditable = Taxed & { credited: Taxed };
export type CreditableInvoice = Taxed & {
  roundOff: Amount;
  creditedRoundOff: Amount;
  items: readonly (Creditable & { id: string })[];
};

export type CreditedLine = Sums & { invoiceItemId: string; total: Decimal };
export type CreditNoteAmounts = Sums & {
  lines: CreditedLine[];
  roundOff: Decimal;
  total: Decimal;
  /** Whether nothing of the invoice is left then. */
  takesRest: boolean;
};

type Line = { id: string; whole: Sums; rest: Sums };

/**
 * What taking back so much of these lines comes to. The tax of a line goes in proportion; the note that takes the rest of
 * it takes exactly the rest of its tax, and the one that takes the rest of the invoice its round-off too. Of an invoice
 * with credits of its own no more can be taken back than its net, of the lines that are charged.
 * @param asked taxable rupees by line; `FULL`: all that is left
 * @throws AppError conflict for more than is left, with the line and what is; for nothing
 */
export function creditNoteAmounts(
  invoice: CreditableInvoice,
  asked: ReadonlyMap<string, Decimal> | 'FULL',
): CreditNoteAmounts {
  const charged = invoice.items.map(lineOf).filter(({ whole }) => whole.taxable.gt(ZERO));
  const left = restOf({ ...invoice, credited: creditedOf(invoice) });
  const taken = asked === 'FULL' ? everything(charged, left.taxable) : asked;
  const lines = charged.flatMap((line) => {
    const taxable = taken.get(line.id) ?? ZERO;
    return taxable.gt(ZERO) ? [creditedLine(line, taxable)] : [];
  });
  const taxable = sumOf(lines.map((line) => line.taxable));
  assertLeft(taxable, left.taxable, 'the invoice');
  const takesRest = taxable.equals(left.taxable);
  if (takesRest) giveRemainders(lines, left);
  const [cgst, sgst, igst] = TAXES.map((tax) => sumOf(lines.map((line) => line[tax]))) as [Decimal, Decimal, Decimal];
  const roundOff = takesRest ? decimal(invoice.roundOff).minus(invoice.creditedRoundOff) : ZERO;
  const total = sumOf([taxable, cgst, sgst, igst, roundOff]);
  if (lines.length === 0 || total.lte(ZERO)) {
    throw new AppError('conflict', 'There is nothing left of the invoice that could be credited.');
  }
  return { lines: lines.map(withTotal), taxable, cgst, sgst, igst, roundOff, total, takesRest };
}

const sums = (of: Taxed): Sums => ({
  taxable: decimal(of.taxable),
  cgst: decimal(of.cgst),
  sgst: decimal(of.sgst),
  igst: decimal(of.igst),
});

function restOf({ credited, ...whole }: Creditable): Sums {
  const [all, gone] = [sums(whole), sums(credited)];
  return {
    taxable: all.taxable.minus(gone.taxable),
    cgst: all.cgst.minus(gone.cgst),
    sgst: all.sgst.minus(gone.sgst),
    igst: all.igst.minus(gone.igst),
  };
}

const lineOf = (item: Creditable & { id: string }): Line => ({ id: item.id, whole: sums(item), rest: restOf(item) });

const creditedOf = ({ items }: CreditableInvoice): Sums => ({
  taxable: sumOf(items.map(({ credited }) => credited.taxable)),
  cgst: sumOf(items.map(({ credited }) => credited.cgst)),
  sgst: sumOf(items.map(({ credited }) => credited.sgst)),
  igst: sumOf(items.map(({ credited }) => credited.igst)),
});

/** All that is left of each line, in their order, until the net of the invoice is reached. */
function everything(lines: readonly Line[], net: Decimal): ReadonlyMap<string, Decimal> {
  let left = net;
  return new Map(
    lines.map(({ id, rest }) => {
      const taken = Decimal.min(rest.taxable, left);
      left = left.minus(taken);
      return [id, taken];
    }),
  );
}

function creditedLine({ id, whole, rest }: Line, taxable: Decimal): CreditedLine {
  assertLeft(taxable, rest.taxable, 'the line', id);
  const isRest = taxable.equals(rest.taxable);
  const share = (tax: (typeof TAXES)[number]): Decimal =>
    isRest ? rest[tax] : Decimal.min(roundPaisa(whole[tax].times(taxable).dividedBy(whole.taxable)), rest[tax]);
  return { invoiceItemId: id, taxable, cgst: share('cgst'), sgst: share('sgst'), igst: share('igst'), total: ZERO };
}

/**
 * Where the invoice has credits of its own its lines are not taken back whole: the tax that proportion leaves over goes to
 * the line of which most is taken. Otherwise nothing is left over.
 */
function giveRemainders(lines: CreditedLine[], left: Sums): void {
  const largest = lines.toSorted((a, b) => b.taxable.comparedTo(a.taxable))[0];
  if (!largest) return;
  for (const tax of TAXES) {
    largest[tax] = largest[tax].plus(left[tax].minus(sumOf(lines.map((line) => line[tax]))));
  }
}

const withTotal = (line: CreditedLine): CreditedLine => ({
  ...line,
  total: sumOf([line.taxable, line.cgst, line.sgst, line.igst]),
});

function assertLeft(asked: Decimal, left: Decimal, what: string, invoiceItemId?: string): void {
  if (asked.lte(left)) return;
  const told = `Only ${rupees(left)} rupees without tax are left of ${what}, and ${rupees(asked)} were to be taken back.`;
  throw new AppError('conflict', told, { left: rupees(left), ...(invoiceItemId && { invoiceItemId }) });
}

export type Disposition = { credit: Decimal; refund: Decimal; offset: Decimal };

/** Against what is due, and the rest to the credit balance, which is then no more than was paid. */
export function usualDisposition(total: Decimal, amountDue: Amount): Disposition {
  const offset = Decimal.min(total, amountDue);
  return { credit: total.minus(offset), refund: ZERO, offset };
}

/**
 * Credit, refund and offset are the total; nothing is set off that is not due, and nothing given back that was not paid.
 * @param invoice `givenBack`: to the credit balance or the payer, by standing credit notes
 * @throws AppError validation_failed for another sum; conflict
 */
export function assertDisposition(
  { credit, refund, offset }: Disposition,
  total: Decimal,
  invoice: { amountPaid: Amount; amountDue: Amount; givenBack: Amount },
): void {
  const sum = sumOf([credit, refund, offset]);
  if (!sum.equals(total)) {
    const message = `must come to the total, ${rupees(total)} rupees, and comes to ${rupees(sum)}`;
    throw new AppError('validation_failed', `The body is not valid: disposition ${message}`, {
      issues: [{ in: 'body', field: 'disposition', message }],
      total: rupees(total),
    });
  }
  if (offset.gt(invoice.amountDue)) {
    const told = `Only ${rupees(invoice.amountDue)} rupees are due of the invoice: no more can be set off.`;
    throw new AppError('conflict', told, { amountDue: rupees(invoice.amountDue) });
  }
  const paid = decimal(invoice.amountPaid).minus(invoice.givenBack);
  if (credit.plus(refund).gt(paid)) {
    const told = `Only ${rupees(paid)} rupees that were paid are left to be given back. Set off (offset) what is still due.`;
    throw new AppError('conflict', told, { paid: rupees(paid) });
  }
}
