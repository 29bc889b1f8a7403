import { decimal } from '../utils/money.ts';
import { addTaxes, isHsnApart, isNothing, NO_TAXES, seriesOf, type TaxedPart, type Taxes } from './gstr1.policy.ts';

// What of a return is summed up over documents. Each document is read once, and everything in the file follows from that:
// its sections agree with each other to the paisa, whatever is done to documents meanwhile.

export type DocumentKind = 'INVOICE' | 'CREDIT_NOTE';

/** What is told of small supplies to unregistered buyers. */
export type SmallSupplies = { supply: 'INTRA' | 'INTER'; pos: string; rate: string; taxes: Taxes };
/** What is told of a service accounting code. `buyers`: all of them, up to April 2025. */
export type CodeSum = { buyers: 'all' | 'b2b' | 'b2c'; sac: string; rate: string; taxes: Taxes };
/** What is told of the documents of one series. */
export type Series = {
  kind: DocumentKind;
  from: string;
  to: string;
  first: number;
  last: number;
  count: number;
  cancelled: number;
};

type Counted = { kind: DocumentKind; number: string; serial: number; isVoid: boolean };
type Coded = { kind: DocumentKind; ctin: string | null };
type Small = { kind: DocumentKind; supply: string; pos: string };

/** The sums of a return: nothing yet. @param month `YYYY-MM` */
export function gstr1Summary(month: string) {
  const small = new Map<string, SmallSupplies>();
  const codes = new Map<string, CodeSum>();
  const series = new Map<string, Series>();
  const isApart = isHsnApart(month);
  const buyers: CodeSum['buyers'][] = isApart ? ['b2b', 'b2c'] : ['all'];

  return {
    /** A document that has a number of ours, void ones included. */
    count(document: Counted): void {
      const key = `${document.kind} ${seriesOf(document.number)}`;
      series.set(key, counted(series.get(key), document));
    },

    /** What a document says of each code; a credit note takes it off. */
    addCodes({ kind, ctin }: Coded, parts: readonly TaxedPart[]): void {
      const whose: CodeSum['buyers'] = ctin === null ? 'b2c' : 'b2b';
      for (const part of parts) {
        const sum = { buyers: isApart ? whose : 'all', sac: part.sac, rate: part.rate } as const;
        const key = Object.values(sum).join(' ');
        codes.set(key, { ...sum, taxes: addTaxes(codes.get(key)?.taxes ?? NO_TAXES, part, signOf(kind)) });
      }
    },

    /** What a document of small supplies says; a credit note takes it off. */
    addSmall({ kind, supply, pos }: Small, parts: readonly TaxedPart[]): void {
      for (const part of parts) {
        const sum = { supply: supply === 'INTRA_STATE' ? 'INTRA' : 'INTER', pos, rate: part.rate } as const;
        const key = Object.values(sum).join(' ');
        small.set(key, { ...sum, taxes: addTaxes(small.get(key)?.taxes ?? NO_TAXES, part, signOf(kind)) });
      }
    },

    smallSupplies: (): SmallSupplies[] =>
      [...small.values()]
        .filter(({ taxes }) => !isNothing(taxes))
        .toSorted((a, b) => a.pos.localeCompare(b.pos) || decimal(a.rate).comparedTo(b.rate)),

    /** Which sums of codes there are in a return of this month. */
    buyers,
    codesOf: (whose: CodeSum['buyers']): CodeSum[] =>
      [...codes.values()]
        .filter((one) => one.buyers === whose && !isNothing(one.taxes))
        .toSorted((a, b) => a.sac.localeCompare(b.sac) || decimal(a.rate).comparedTo(b.rate)),

    seriesOf: (kind: DocumentKind): Series[] =>
      [...series.values()].filter((one) => one.kind === kind).toSorted((a, b) => a.from.localeCompare(b.from)),
  };
}

export type Gstr1Summary = ReturnType<typeof gstr1Summary>;

const signOf = (kind: DocumentKind): 1 | -1 => (kind === 'CREDIT_NOTE' ? -1 : 1);

function counted(series: Series | undefined, { kind, number, serial, isVoid }: Counted): Series {
  const cancelled = (series?.cancelled ?? 0) + (isVoid ? 1 : 0);
  if (!series) return { kind, from: number, to: number, first: serial, last: serial, count: 1, cancelled };
  return {
    ...series,
    ...(serial < series.first && { from: number, first: serial }),
    ...(serial > series.last && { to: number, last: serial }),
    count: series.count + 1,
    cancelled,
  };
}
