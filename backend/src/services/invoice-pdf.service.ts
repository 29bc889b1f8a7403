import type { Content, TDocumentDefinitions } from 'pdfmake/interfaces';
import type { InvoiceDocument } from './invoice-document.ts';
import { closing, heading, particulars } from './invoice-pdf-parts.ts';
import { payment } from './invoice-pdf-payment.ts';
import { FAINT, INK, MARGIN, titleOf } from './invoice-pdf-style.ts';
import { lineTable, summary } from './invoice-pdf-tables.ts';
import { makePdf, printable } from './pdf-fonts.ts';

const PRODUCER = 'StudySpot';

/**
 * An invoice or a credit note as a PDF of A4 pages. The same document gives the same bytes, whenever and wherever it is
 * made: no clock, no random number and nothing but the document goes into it.
 */
export async function renderInvoicePdf(document: InvoiceDocument): Promise<Buffer> {
  return makePdf({
    pageSize: 'A4',
    pageMargins: [MARGIN, 34, MARGIN, 40],
    version: '1.7',
    language: 'en-IN',
    displayTitle: true,
    info: metadata(document),
    defaultStyle: { font: 'Roboto', fontSize: 8.5, color: INK },
    header: (page) => (page === 1 ? null : continued(document)),
    footer: (page, pages) => footer(document, page, pages),
    content: [
      heading(document),
      particulars(document),
      lineTable(document),
      summary(document),
      ...(await payment(document)),
      ...closing(document),
    ],
  });
}

/** The identifier of the file is made from these too: it follows from the document alone. */
function metadata(document: InvoiceDocument): TDocumentDefinitions['info'] {
  const issued = new Date(`${document.issueDate}T00:00:00+05:30`);
  return {
    title: `${titleOf(document)} ${document.number}`,
    author: document.seller.legalName,
    subject: `${document.number} to ${document.buyer.legalName}`,
    creator: PRODUCER,
    producer: PRODUCER,
    creationDate: issued,
    modDate: issued,
  };
}

const continued = (document: InvoiceDocument): Content => ({
  text: [`${titleOf(document)} ${document.number} – `, { text: printable(document.seller.legalName) }],
  alignment: 'right',
  fontSize: 7.5,
  color: FAINT,
  margin: [MARGIN, 18, MARGIN, 0],
});

const footer = (document: InvoiceDocument, page: number, pages: number): Content => ({
  columns: [{ text: printable(document.number) }, { text: `Page ${page} of ${pages}`, alignment: 'right' }],
  fontSize: 7.5,
  color: FAINT,
  margin: [MARGIN, 14, MARGIN, 0],
});
