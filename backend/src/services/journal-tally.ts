import { escapeXml } from '../utils/xml.ts';
import type { Entry, Voucher } from './journal.policy.ts';
import { money, type Cell } from './report-table.ts';

// Vouchers as Tally imports them. In its files what is debited is negative and `ISDEEMEDPOSITIVE`, what is credited is
// positive. `REMOTEID` lets it know a voucher that it has already.

export const tallyHead =
  '<?xml version="1.0" encoding="UTF-8"?>\n<ENVELOPE>\n<HEADER><TALLYREQUEST>Import Data</TALLYREQUEST></HEADER>\n' +
  '<BODY><IMPORTDATA>\n<REQUESTDESC><REPORTNAME>Vouchers</REPORTNAME></REQUESTDESC>\n<REQUESTDATA>\n';
export const tallyFoot = '</REQUESTDATA>\n</IMPORTDATA></BODY>\n</ENVELOPE>\n';

const element = (name: string, text: string): string => `<${name}>${escapeXml(text)}</${name}>`;

const ledgerEntry = (entry: Entry, party: string): string =>
  [
    '<ALLLEDGERENTRIES.LIST>',
    element('LEDGERNAME', entry.ledger),
    element('ISDEEMEDPOSITIVE', entry.debit.isPositive() ? 'Yes' : 'No'),
    element('ISPARTYLEDGER', entry.ledger === party ? 'Yes' : 'No'),
    element('AMOUNT', entry.debit.negated().toFixed(2)),
    '</ALLLEDGERENTRIES.LIST>',
  ].join('');

/** One voucher as a message of the file. */
export function tallyVoucher(voucher: Voucher): string {
  const { id, type, number, day, party, gstin, narration, entries } = voucher;
  return [
    '<TALLYMESSAGE xmlns:UDF="TallyUDF">',
    `<VOUCHER REMOTEID="studyspot-${escapeXml(id)}" VCHTYPE="${type}" ACTION="Create" OBJVIEW="Accounting Voucher View">`,
    element('DATE', day.replaceAll('-', '')),
    element('VOUCHERTYPENAME', type),
    element('VOUCHERNUMBER', number),
    element('REFERENCE', number),
    element('PARTYLEDGERNAME', party),
    ...(gstin === null ? [] : [element('PARTYGSTIN', gstin)]),
    element('NARRATION', narration),
    ...entries.map((entry) => ledgerEntry(entry, party)),
    '</VOUCHER>',
    '</TALLYMESSAGE>\n',
  ].join('');
}

export const journalHeadings = [
  'Date',
  'Voucher type',
  'Voucher number',
  'Party',
  'GSTIN',
  'Ledger',
  'Debit',
  'Credit',
  'Narration',
];

/** One row for each entry of a voucher. */
export const voucherCells = ({ day, type, number, party, gstin, narration, entries }: Voucher): Cell[][] =>
  entries.map(({ ledger, debit }) => [
    day,
    type,
    number,
    party,
    gstin,
    ledger,
    debit.isPositive() ? money(debit.toFixed(2)) : null,
    debit.isPositive() ? null : money(debit.negated().toFixed(2)),
    narration,
  ]);
