import type { Gstr1Summary } from './gstr1-summary.ts';
import type { Taxes } from './gstr1.policy.ts';

/** A document that is told one by one, in the section that it stands in. */
export type Listed = {
  section: 'b2b' | 'b2cl' | 'cdnr' | 'cdnur';
  /** GSTIN of the buyer, or the state: documents of one stand together. */
  group: string;
  number: string;
  /** `YYYY-MM-DD` */
  issueDate: string;
  total: string;
  pos: string;
  rates: { rate: string; taxes: Taxes }[];
};

export type Gstr1Return = {
  gstin: string;
  /** `YYYY-MM` */
  month: string;
  /** Section by section, and within one group by group. */
  documents: AsyncIterable<Listed>;
  /** Complete once the documents are read. */
  summary: Gstr1Summary;
  descriptions: ReadonlyMap<string, string>;
};
