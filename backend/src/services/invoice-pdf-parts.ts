import type { Content } from 'pdfmake/interfaces';
import type { InvoiceDocument, Party } from './invoice-document.ts';
import { dayOf, facts, FAINT, framed, isCreditNote, label, roomOf, titleOf, WIDTH } from './invoice-pdf-style.ts';
import { printable } from './pdf-fonts.ts';

// Widths are given wherever there is text of somebody's: a long word is broken then, and does not push out what is beside it.
const TITLE_WIDTH = 150;
const BOX_PADDING = 6;
const HALF = roomOf(2, BOX_PADDING) / 2;
const NAMES = 124;

/** Who sells, and what this is. */
export const heading = (document: InvoiceDocument): Content => ({
  columns: [
    {
      width: WIDTH - 16 - TITLE_WIDTH,
      stack: [
        { text: printable(document.seller.legalName), bold: true, fontSize: 14, margin: [0, 0, 0, 2] },
        ...partyLines(document.seller),
      ],
    },
    {
      width: TITLE_WIDTH,
      stack: [
        { text: titleOf(document), bold: true, fontSize: 16 },
        // Rule 48 asks for these words on invoices: the other copy is the supplier's.
        { text: isCreditNote(document) ? '' : 'ORIGINAL FOR RECIPIENT', color: FAINT, fontSize: 7 },
      ],
      alignment: 'right',
    },
  ],
  columnGap: 16,
  margin: [0, 0, 0, 10],
});

function partyLines(party: Party): Content[] {
  const place = [party.city, party.pincode].filter(Boolean).join(' ');
  const lines = [
    party.addressLine,
    `${place ? `${place}, ` : ''}${party.stateName} (state code ${party.stateCode})`,
    `GSTIN: ${party.gstin ?? 'not registered'}`,
    party.pan && `PAN: ${party.pan}`,
    [party.email, party.phone].filter(Boolean).join(' | '),
  ];
  return lines
    .filter((line) => typeof line === 'string' && line !== '')
    .map((line) => ({ text: printable(line ?? '') }));
}

/** Who buys, and what identifies the document. */
export const particulars = (document: InvoiceDocument): Content => ({
  table: {
    widths: [HALF, HALF],
    body: [
      [
        {
          stack: [
            label(isCreditNote(document) ? 'Issued to (recipient)' : 'Billed to (recipient)'),
            { text: printable(document.buyer.legalName), bold: true, fontSize: 10, margin: [0, 1, 0, 1] },
            ...partyLines(document.buyer),
          ],
        },
        facts(identification(document), [NAMES, HALF - NAMES]),
      ],
    ],
  },
  layout: framed({ padding: BOX_PADDING }),
  margin: [0, 0, 0, 10],
});

function identification(document: InvoiceDocument): [name: string, value: string][] {
  const { dueDate, originalInvoice, reason, placeOfSupply } = document;
  const rows: [string, string | null | undefined][] = [
    [isCreditNote(document) ? 'Credit note no.' : 'Invoice no.', document.number],
    ['Date of issue', dayOf(document.issueDate)],
    ['Due date', dueDate && dayOf(dueDate)],
    ['Original invoice no.', originalInvoice?.number],
    ['Original invoice date', originalInvoice && dayOf(originalInvoice.issueDate)],
    ['Reason', reason],
    ['Place of supply', `${placeOfSupply.name} (${placeOfSupply.code})`],
    ['Kind of supply', document.supply === 'INTRA_STATE' ? 'Intra-state' : 'Inter-state'],
    ['Tax payable on reverse charge', 'No'],
    ['Currency', 'Indian rupee (₹)'],
  ];
  return rows.filter((row): row is [string, string] => Boolean(row[1]));
}

/** Notes, terms, and who answers for the document. */
export function closing(document: InvoiceDocument): Content[] {
  const texts: [string, string | null][] = [
    ['Notes', document.notes],
    ['Terms', document.terms],
  ];
  return [
    ...texts
      .filter((entry): entry is [string, string] => Boolean(entry[1]))
      .map(([name, text]): Content => ({
        stack: [label(name), { text: printable(text, { lines: true }) }],
        margin: [0, 0, 0, 8],
      })),
    {
      stack: [
        { text: ['For ', { text: printable(document.seller.legalName), bold: true }] },
        {
          text:
            `This is a computer-generated ${isCreditNote(document) ? 'credit note' : 'invoice'}, issued electronically ` +
            'under the Information Technology Act, 2000; it needs no signature.',
          color: FAINT,
        },
      ],
      unbreakable: true,
    },
  ];
}
