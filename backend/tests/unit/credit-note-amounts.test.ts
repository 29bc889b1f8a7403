import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assertDisposition,
  creditNoteAmounts,
  usualDisposition,
  type CreditableInvoice,
  type CreditNoteAmounts,
} from '../../src/services/credit-note-amounts.policy.ts';
import { taxInvoice } from '../../src/services/gst.policy.ts';
import { AppError } from '../../src/utils/errors.ts';
import { decimal, fromPaise, rupees, sumOf, ZERO, type Decimal } from '../../src/utils/money.ts';

const NAMES = ['taxable', 'cgst', 'sgst', 'igst'] as const;
const nothing = { taxable: '0', cgst: '0', sgst: '0', igst: '0' };

type Line = { taxable: Decimal; taxRate: Decimal };

/** An invoice of these lines, and what credit notes have taken back of it. */
function invoiceOf(lines: Line[], supply: 'INTRA_STATE' | 'INTER_STATE', notes: CreditNoteAmounts[] = []) {
  const tax = taxInvoice(lines, supply, 'RUPEE');
  const items = lines.map(({ taxable }, index) => {
    const id = String(index);
    const of = notes.flatMap((note) => note.lines.filter(({ invoiceItemId }) => invoiceItemId === id));
    const credited = Object.fromEntries(NAMES.map((name) => [name, sumOf(of.map((one) => one[name]))]));
    return { id, taxable, ...(tax.lines[index] ?? nothing), credited: { ...nothing, ...credited } };
  });
  const { taxable, cgst, sgst, igst, roundOff, payable } = tax;
  const creditedRoundOff = sumOf(notes.map((note) => note.roundOff));
  const invoice: CreditableInvoice = { taxable, cgst, sgst, igst, roundOff, creditedRoundOff, items };
  return { invoice, payable };
}

const line = fc.record({
  taxable: fc.integer({ min: 1, max: 5_000_000 }).map(fromPaise),
  taxRate: fc.constantFrom('0', '5', '12', '18', '28').map(decimal),
});
const supply = fc.constantFrom('INTRA_STATE' as const, 'INTER_STATE' as const);
/** Which part of the rest of which line is taken, in thousandths. */
const cut = fc.record({ line: fc.nat({ max: 5 }), share: fc.integer({ min: 1, max: 1000 }) });

/** Credit notes over parts of lines, one after the other; what takes the rest of the invoice is left out. */
function cutUp(lines: Line[], kind: 'INTRA_STATE' | 'INTER_STATE', cuts: { line: number; share: number }[]) {
  const notes: CreditNoteAmounts[] = [];
  for (const { line: place, share } of cuts) {
    const { invoice } = invoiceOf(lines, kind, notes);
    const rests = invoice.items.map(({ taxable, credited }) => decimal(taxable).minus(credited.taxable));
    const index = place % lines.length;
    const amount = (rests[index] ?? ZERO).times(share).dividedBy(1000).toDecimalPlaces(2);
    if (amount.isZero() || amount.equals(sumOf(rests))) continue;
    notes.push(creditNoteAmounts(invoice, new Map([[String(index), amount]])));
  }
  return notes;
}

describe('Credit notes of an invoice', () => {
  it('rule 21: come to its lines, taxes, round-off and total exactly, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 6 }),
        supply,
        fc.array(cut, { maxLength: 8 }),
        (lines, kind, cuts) => {
          const notes = cutUp(lines, kind, cuts);
          const { invoice, payable } = invoiceOf(lines, kind, notes);
          const restOfAll = payable.minus(sumOf(notes.map((note) => note.total)));
          if (restOfAll.lte(ZERO)) {
            expect(() => creditNoteAmounts(invoice, 'FULL')).toThrow(AppError);
            return;
          }
          const rest = creditNoteAmounts(invoice, 'FULL');
          notes.push(rest);
          expect(rest.takesRest).toBe(true);
          for (const name of NAMES) expect(rupees(sumOf(notes.map((note) => note[name])))).toBe(rupees(invoice[name]));
          expect(rupees(sumOf(notes.map((note) => note.total)))).toBe(rupees(payable));
          for (const note of notes) {
            expect(rupees(sumOf([note.taxable, note.cgst, note.sgst, note.igst, note.roundOff]))).toBe(
              rupees(note.total),
            );
            for (const one of note.lines) for (const name of NAMES) expect(one[name].gte(ZERO)).toBe(true);
          }
        },
      ),
    );
  });

  it('rule 21: take no more of a line than is left, and say what is', () => {
    const { invoice } = invoiceOf([{ taxable: decimal('100.00'), taxRate: decimal(18) }], 'INTER_STATE');
    const over = () => creditNoteAmounts(invoice, new Map([['0', decimal('100.01')]]));
    expect(over).toThrow('Only 100.00 rupees without tax are left of the line');
  });

  it('rule 21: of an invoice with a credit of its own come to its net', () => {
    const lines = [
      { taxable: decimal('-676.74'), taxRate: decimal(18) },
      { taxable: decimal('1692.87'), taxRate: decimal(18) },
    ];
    const { invoice } = invoiceOf(lines, 'INTER_STATE');
    const first = creditNoteAmounts(invoice, new Map([['1', decimal('16.13')]]));
    expect([first.igst, first.takesRest].map(String)).toEqual(['2.9', 'false']);
    const rest = creditNoteAmounts(invoiceOf(lines, 'INTER_STATE', [first]).invoice, 'FULL');
    expect([rest.taxable, rest.igst].map(String)).toEqual(['1000', '180']);
    expect(() => creditNoteAmounts(invoice, new Map([['1', decimal('1016.14')]]))).toThrow('left of the invoice');
  });
});

describe('Where the total of a credit note goes', () => {
  const texts = ({ credit, refund, offset }: ReturnType<typeof usualDisposition>) =>
    [credit, refund, offset].map(rupees);
  const part = (credit: number, refund: number, offset: number) => ({
    credit: decimal(credit),
    refund: decimal(refund),
    offset: decimal(offset),
  });

  it('is by default what is due, and the credit balance for the rest', () => {
    expect(texts(usualDisposition(decimal(100), '30'))).toEqual(['70.00', '0.00', '30.00']);
    expect(texts(usualDisposition(decimal(100), '300'))).toEqual(['0.00', '0.00', '100.00']);
    expect(texts(usualDisposition(decimal(100), '0'))).toEqual(['100.00', '0.00', '0.00']);
  });

  it.each([
    [part(50, 0, 40), 'must come to the total'],
    [part(0, 0, 100), 'no more can be set off'],
    [part(100, 0, 0), 'left to be given back'],
    [part(0, 100, 0), 'left to be given back'],
  ])('%# is refused', (disposition, message) => {
    const invoice = { amountPaid: '80', amountDue: '90', givenBack: '10' };
    expect(() => assertDisposition(disposition, decimal(100), invoice)).toThrow(message);
    expect(() => assertDisposition(part(40, 30, 30), decimal(100), invoice)).not.toThrow();
  });
});
