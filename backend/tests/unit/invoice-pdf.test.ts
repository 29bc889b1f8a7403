import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { InvoiceDocument } from '../../src/services/invoice-document.ts';
import { upiLink } from '../../src/services/invoice-pdf-payment.ts';
import { renderInvoicePdf } from '../../src/services/invoice-pdf.service.ts';
import { makePdf, printable } from '../../src/services/pdf-fonts.ts';
import { formatIndian } from '../../src/utils/indian-number.ts';
import { creditNoteDocument, interStateDocument, invoiceDocument } from '../support/invoice-documents.ts';
import { pdfText, pdfTextByPackage } from '../support/pdf-text.ts';

const digest = (pdf: Buffer): string => createHash('sha256').update(pdf).digest('hex');
/** Words in a row, however wide the gaps between them are. */
const squeezed = (text: string): string => text.replace(/\s+/g, ' ');
const textOf = async (document: InvoiceDocument): Promise<string> =>
  squeezed(await pdfText(await renderInvoicePdf(document)));
const hindiDocument = (): InvoiceDocument => {
  const document = invoiceDocument({ notes: 'धन्यवाद। आपका English नाम' });
  const buyer = {
    legalName: 'भारत अध्ययन केंद्र (विद्यार्थी ट्रस्ट) LLP',
    addressLine: '१२, छत्रपति शिवाजी मार्ग',
    city: 'क्षितिजपुर',
  };
  return { ...document, buyer: { ...document.buyer, ...buyer } };
};

async function renderElsewhere(document: InvoiceDocument, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const script = new URL('../support/render-invoice.ts', import.meta.url);
  const child = spawn(process.execPath, ['--import', 'tsx', script.pathname], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(document));
  return buffer(child.stdout);
}

describe('The file of an invoice', () => {
  it('is the same bytes in another process, later, elsewhere in the world', { timeout: 30_000 }, async () => {
    const document = hindiDocument();
    const [here, there] = await Promise.all([
      renderInvoicePdf(document),
      sleep(1200).then(() => renderElsewhere(document, { TZ: 'America/Anchorage', LANG: 'hi_IN.UTF-8' })),
    ]);
    expect(there.subarray(0, 5).toString()).toBe('%PDF-');
    expect(digest(there)).toBe(digest(here));
  });

  it('is the same bytes on another day, and whatever was made before or at the same time', async () => {
    const documents = [invoiceDocument(), hindiDocument(), interStateDocument(), creditNoteDocument()];
    const first: string[] = [];
    for (const document of documents) first.push(digest(await renderInvoicePdf(document)));
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2031-02-03T04:05:06Z') });
    const later = await Promise.all(documents.toReversed().map(renderInvoicePdf)).finally(() => vi.useRealTimers());
    expect(later.map(digest).toReversed()).toEqual(first);
    expect(new Set(first).size).toBe(documents.length);
  });

  it('is dated by the day of issue in India, and says who it is from', async () => {
    const pdf = (await renderInvoicePdf(invoiceDocument({ issueDate: '2026-04-01' }))).toString('latin1');
    const valueOf = (name: string): string | undefined => {
      const object = new RegExp(`/${name} (\\d+) 0 R`).exec(pdf)?.[1];
      return new RegExp(`\n${object} 0 obj\n(.*)\n`).exec(pdf)?.[1];
    };
    expect(valueOf('CreationDate')).toBe('(D:20260331183000Z)');
    expect(valueOf('ModDate')).toBe('(D:20260331183000Z)');
    expect(valueOf('Producer')).toBe('(StudySpot)');
    expect(pdf).toMatch(/\/ID \[<[0-9a-f]{32}> <[0-9a-f]{32}>\]/);
  });

  it('changes with anything on it', async () => {
    const pdf = await renderInvoicePdf(invoiceDocument());
    const other = await renderInvoicePdf(invoiceDocument({ notes: 'Coupon WELCOME11 has been applied.' }));
    expect(digest(other)).not.toBe(digest(pdf));
  });

  it('is made without the network and without files, whatever is asked for', async () => {
    await expect(makePdf({ content: [{ image: '/etc/hostname' }] })).rejects.toThrow(
      /denied by resource access policy/,
    );
    await expect(makePdf({ content: [{ image: 'x' }], images: { x: 'http://127.0.0.1:9/x.png' } })).rejects.toThrow(
      /denied by resource access policy/,
    );
    await expect(makePdf({ content: [], files: { x: { src: '/etc/hostname' } } })).rejects.toThrow(/denied/);
  });
});

/** Every amount, with the commas that it is printed with. */
function figuresOf(document: InvoiceDocument): string[] {
  const sums = ['subtotal', 'taxable', 'cgst', 'sgst', 'igst', 'taxTotal', 'total', 'roundOff', 'payable'] as const;
  const ofLine = ['quantity', 'unitPrice', 'amount', 'discount', 'taxable', 'cgst', 'sgst', 'igst', 'total'] as const;
  const amounts = [
    ...sums.map((name) => document[name]),
    document.discountTotal,
    ...document.lines.flatMap((line) => ofLine.map((name) => line[name])),
    ...document.taxes.flatMap(({ rate: _rate, ...tax }) => Object.values(tax)),
  ];
  return amounts.map((amount) => formatIndian(amount.replace(/\.000$/, ''))).filter((amount) => amount !== '0.00');
}

/** Every text of it, dates and codes aside. */
function wordsOf({ seller, buyer, lines, bank, upi, ...document }: InvoiceDocument): string[] {
  const parties = [seller, buyer].flatMap(({ stateCode, ...party }) => [
    ...Object.values(party).filter((value) => typeof value === 'string'),
    `(state code ${stateCode})`,
  ]);
  const texts = [document.number, document.amountInWords, document.notes ?? '', ...(document.terms ?? '').split('\n')];
  const ways = document.kind === 'CREDIT_NOTE' ? [] : [...Object.values(bank ?? {}), upi?.vpa ?? ''];
  return [...parties, ...texts, ...ways, ...lines.flatMap(({ description, sac }) => [description, sac])];
}

describe('On an invoice', () => {
  it.each([
    ['an invoice within the state', invoiceDocument()],
    ['an invoice between states', interStateDocument()],
    ['a credit note', creditNoteDocument()],
  ])('stands every figure and every word of %s', async (_what, document) => {
    const pdf = await renderInvoicePdf(document);
    for (const text of [squeezed(await pdfText(pdf)), squeezed(await pdfTextByPackage(pdf))]) {
      for (const figure of figuresOf(document)) expect(text).toContain(figure);
      for (const words of wordsOf(document)) expect(text).toContain(words);
    }
  });

  it('is what rule 46 asks for', async () => {
    const text = await textOf(invoiceDocument());
    expect(text).toContain('TAX INVOICE');
    expect(text).toContain('ORIGINAL FOR RECIPIENT');
    expect(text).toMatch(/Invoice no\. SS\/26-27\/000001/);
    expect(text).toMatch(/Date of issue 01-Aug-2026/);
    expect(text).toMatch(/Due date 15-Aug-2026/);
    expect(text).toMatch(/Place of supply Maharashtra \(27\)/);
    expect(text).toMatch(/Tax payable on reverse charge No/);
    expect(text).toContain('GSTIN: 27AAPFU0939F1ZV');
    expect(text).toContain('GSTIN: 27AAGCB7383J1Z8');
    expect(text).toContain('01-Aug-2026 to 31-Aug-2026');
    expect(text).toMatch(/Discount -249\.90/);
    expect(text).toMatch(/Round-off 0\.06/);
    expect(text).toMatch(/Amount payable ₹ 2,949\.00/);
    expect(text.match(/@ 9%/g)).toHaveLength(4);
    expect(text).toContain('This is a computer-generated invoice');
    expect(text).toContain('Page 1 of 1');
  });

  it('are CGST and SGST within a state, and IGST between states', async () => {
    const within = await textOf(invoiceDocument());
    expect(within).toContain('CGST');
    expect(within).toContain('SGST');
    expect(within).not.toContain('IGST');
    const between = await textOf(interStateDocument());
    expect(between).toContain('IGST');
    expect(between).toContain('@ 18%');
    expect(between).not.toMatch(/[CS]GST/);
    expect(between).toMatch(/Place of supply Karnataka \(29\)/);
  });

  it('is UTGST instead of SGST in a union territory without an assembly', async () => {
    const text = await textOf(invoiceDocument({ placeOfSupply: { code: '04', name: 'Chandigarh' } }));
    expect(text).toContain('UTGST');
    expect(text).not.toContain('SGST');
  });

  it('is each half of an odd rate, and each rate', async () => {
    const document = invoiceDocument();
    const odd = { rate: '5.00', taxable: '100.00', cgst: '2.50', sgst: '2.51', igst: '0.00' };
    const text = await textOf({ ...document, taxes: [...document.taxes, odd] });
    expect(text).toMatch(/18% 2,499\.10 9% 224\.92 9% 224\.92/);
    expect(text).toMatch(/5% 100\.00 2\.5% 2\.50 2\.5% 2\.51/);
  });

  it('says that the buyer is not registered, and leaves out what there is not', async () => {
    const { seller, ...document } = invoiceDocument({ dueDate: null, notes: null, terms: null, bank: null, upi: null });
    const bare = { ...seller, email: null, phone: null, pan: undefined };
    const text = await textOf({ ...document, seller: bare, buyer: { ...bare, gstin: null } });
    expect(text).toContain('GSTIN: not registered');
    for (const absent of ['Due date', 'Notes', 'Terms', 'PAN', 'Pay by', 'null', 'undefined', '|'])
      expect(text).not.toContain(absent);
  });

  it('rounds down with a minus', async () => {
    expect(await textOf(invoiceDocument({ roundOff: '-0.44' }))).toMatch(/Round-off -0\.44/);
  });

  it('fits the largest amounts of the database beside each other', async () => {
    const most = '999999999999.99';
    const document = invoiceDocument({
      subtotal: most,
      taxable: most,
      total: most,
      payable: most,
      cgst: most,
      sgst: most,
    });
    const line = {
      ...document.lines[0]!,
      unitPrice: most,
      amount: most,
      taxable: most,
      cgst: most,
      sgst: most,
      total: most,
    };
    const text = await textOf({ ...document, lines: [line] });
    expect(text.split('9,99,99,99,99,999.99').length - 1).toBeGreaterThanOrEqual(14);
  });
});

describe('A credit note', () => {
  it('names the invoice that it takes back from, and asks for no payment', async () => {
    const text = await textOf(creditNoteDocument());
    expect(text).toContain('CREDIT NOTE');
    expect(text).not.toContain('TAX INVOICE');
    expect(text).toMatch(/Credit note no\. SSCN\/26-27\/00007/);
    expect(text).toMatch(/Original invoice no\. SS\/26-27\/000001/);
    expect(text).toMatch(/Original invoice date 01-Aug-2026/);
    expect(text).toMatch(/Reason Plan cancelled within the trial/);
    expect(text).toMatch(/Amount credited ₹ 2,949\.00/);
    expect(text).toContain('This is a computer-generated credit note');
    for (const absent of ['Pay by', 'studyspot@hdfcbank', '50200012345678']) expect(text).not.toContain(absent);
  });
});

describe('Paying by UPI', () => {
  it('goes to the address, with amount and number', () => {
    expect(upiLink(invoiceDocument())).toBe(
      'upi://pay?pa=studyspot@hdfcbank&pn=StudySpot%20%26%20Co&am=2949.00&cu=INR' +
        '&tn=SS%2F26-27%2F000001&tr=SS%2F26-27%2F000001',
    );
  });

  it('is not offered for nothing, nor for a credit note', () => {
    expect(upiLink(invoiceDocument({ payable: '0.00' }))).toBeNull();
    expect(upiLink(invoiceDocument({ upi: null }))).toBeNull();
    expect(upiLink(creditNoteDocument())).toBeNull();
  });
});

describe('Many lines', () => {
  const [line] = invoiceDocument().lines;
  const lines = Array.from({ length: 200 }, (_, index) => ({
    ...line!,
    description:
      index % 3 === 0
        ? `Begin${index + 1} of a description that goes over several lines of its column, for a library in a far town End${index + 1}.`
        : `Begin${index + 1} End${index + 1}.`,
  }));

  it('go over pages with the names of the columns on each, and no row torn apart', async () => {
    const pages = (await pdfText(await renderInvoicePdf(invoiceDocument({ lines })))).split('\f').map(squeezed);
    expect(pages.length).toBeGreaterThan(4);
    pages.forEach((page, index) => expect(page).toContain(`Page ${index + 1} of ${pages.length}`));
    const withLines = pages.filter((page) => /Begin\d/.test(page));
    for (const page of withLines) {
      expect(page).toContain('Description of service');
      const numbers = (mark: RegExp) => [...page.matchAll(mark)].map((match) => match[1]);
      expect(numbers(/Begin(\d+)/g)).toEqual(numbers(/End(\d+)\./g));
    }
    const seen = pages.flatMap((page) => [...page.matchAll(/Begin(\d+)/g)].map((match) => Number(match[1])));
    expect(seen).toEqual(lines.map((_, index) => index + 1));
    for (const page of pages.slice(1)) expect(page).toContain('TAX INVOICE SS/26-27/000001');
    expect(pages.at(-1)).toContain('This is a computer-generated invoice');
  });
});

describe('A long text', () => {
  const page = async (changes: Partial<InvoiceDocument>) =>
    (await pdfText(await renderInvoicePdf(invoiceDocument(changes)))).split('\f').map(squeezed);

  it('goes over pages to its end, as a description and as terms', async () => {
    const long = (name: string, words: number) =>
      Array.from({ length: words }, (_, index) => `${name}${index}`).join(' ');
    const [line] = invoiceDocument().lines;
    const pages = await page({ lines: [{ ...line!, description: long('d', 1500) }], terms: long('t', 3000) });
    const text = pages.join(' ');
    for (const word of ['d0', 'd749', 'd1499', 't0', 't1499', 't2999']) expect(text.split(' ')).toContain(word);
    expect(text).toContain('2,653.94');
    expect(pages.at(-1)).toContain('This is a computer-generated invoice');
  });

  it('of one word pushes nothing off the page', async () => {
    const word = 'w'.repeat(300);
    const { buyer, lines } = invoiceDocument();
    const changes = { reason: word, lines: lines.map((line) => ({ ...line, description: word })) };
    const text = (await page({ ...changes, buyer: { ...buyer, legalName: word, email: word } })).join(' ');
    for (const figure of figuresOf(invoiceDocument())) expect(text).toContain(figure);
    for (const words of ['Place of supply', 'Tax payable on reverse charge', 'Total']) expect(text).toContain(words);
    expect(text.match(/w/g)?.length).toBeGreaterThan(5 * 300);
  });
});

describe('Text of any kind', () => {
  it('is Devanagari in a font that has it, beside Latin', async () => {
    const pdf = await renderInvoicePdf(hindiDocument());
    expect(pdf.toString('latin1')).toMatch(/\+NotoSansDevanagari-SemiBold/);
    const text = squeezed(await pdfText(pdf));
    expect(text).not.toContain('\ufffd');
    for (const words of ['भारत', 'LLP', 'English', '१२', '।']) expect(text).toContain(words);
    // Readers give the signs as they are drawn: a short i stands before its consonants once they are joined.
    for (const drawn of ['िव', 'िक्ष']) expect(text).toContain(drawn);
  });

  it.each([
    ['nothing but what it is', 'Gyan Kendra, Kota', 'Gyan Kendra, Kota'],
    ['lines', 'one\ntwo\r\nthree\u2028four', 'one two three four'],
    ['control characters', 'A\u0000B\u0007C\u001b[31m\u009fD', 'ABC[31mD'],
    ['signs that turn the direction', '\u202eDPL\u202c \u2066x\u2069 \u200fy', 'DPL x y'],
    ['characters without a width', 'St\u200bu\u200dd\u2060y\ufeffSp\u00adot', 'StudySpot'],
    ['accents apart from their letter', 'Cafe\u0301', 'Café'],
    ['half a character', 'a\ud800b', 'ab'],
    ['what no font has', '書店 😀 كتاب', '\ufffd\ufffd \ufffd \ufffd\ufffd\ufffd\ufffd'],
    ['only the unseen', '\u200b\u202e\u0000', ''],
    ['joiners within Devanagari', 'क्\u200dष', 'क्\u200dष'],
  ])('keeps %s', (_what, text, expected) => {
    const runs = printable(text);
    expect(typeof runs === 'string' ? runs : runs.map((run) => run.text).join('')).toBe(expected);
  });

  it('keeps lines where they are meant', () => {
    expect(printable('one\r\ntwo', { lines: true })).toBe('one\ntwo');
    expect(printable('एक\nदो', { lines: true })).toEqual([
      { font: 'Devanagari', text: 'एक' },
      { font: 'Roboto', text: '\n' },
      { font: 'Devanagari', text: 'दो' },
    ]);
  });

  it('does no harm, however hostile', async () => {
    const hostile = [
      '\u202egnp.exe\u0000\r\n\u200b',
      '(\\) Tj ET endstream endobj %%EOF',
      '<script>alert(1)</script> {{7*7}} ${x} %s',
      'data:image/png;base64,AAAA http://127.0.0.1/ file:///etc/passwd',
      'W'.repeat(200),
      'क्षि'.repeat(50),
      'a\u0300\u0301\u0302\u0303'.repeat(50),
      '😀'.repeat(50),
      '"__proto__" constructor',
    ].join(' ');
    const document = invoiceDocument({ notes: hostile, terms: hostile, reason: hostile });
    const party = { ...document.buyer, legalName: hostile, addressLine: hostile, city: hostile, email: hostile };
    const lines = document.lines.map((line) => ({ ...line, description: hostile, sac: '9983\u202e15' }));
    const all = {
      ...document,
      seller: party,
      buyer: party,
      lines,
      upi: { vpa: hostile.slice(0, 100), payeeName: '\ud800' },
    };
    const pdf = await renderInvoicePdf(all);
    const text = squeezed(await pdfText(pdf));
    expect(text).toContain('<script>alert(1)</script> {{7*7}} ${x} %s');
    expect(text).toContain('(\\) Tj ET endstream endobj %%EOF');
    for (const figure of figuresOf(document)) expect(text).toContain(figure);
    // oxlint-disable-next-line no-control-regex -- none of them may be left
    expect(text).not.toMatch(/[\u0000-\u0008\u200b\u200f\u202a-\u202e\u2066-\u2069]/);
    expect(digest(await renderInvoicePdf(all))).toBe(digest(pdf));
  });

  it('never keeps a document from being made', { timeout: 60_000 }, async () => {
    const text = fc.string({
      unit: fc.constantFrom(...'aZ 9क्षिर्\u200d\u200c\u202e\n\u0000😀مé₹(\\'.split('')),
      maxLength: 80,
    });
    await fc.assert(
      fc.asyncProperty(text, text, text, async (name, description, notes) => {
        const document = invoiceDocument({ notes });
        const lines = document.lines.map((line) => ({ ...line, description }));
        const pdf = await renderInvoicePdf({ ...document, lines, buyer: { ...document.buyer, legalName: name } });
        expect(pdf.subarray(-6).toString('latin1')).toContain('%%EOF');
      }),
      { numRuns: 30 },
    );
  });
});
