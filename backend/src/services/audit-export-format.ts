import { canonicalJson } from '../utils/canonical-json.ts';
import type { AuditRecord } from './audit-chain.service.ts';

// The file of an export, version 1. tools/verify-audit-export.mjs reads it and shares no code with this: whoever
// verifies it must not have to trust us. A header; the rows of one chain after the other, by sequence; a trailer.

/** After what the first row of a chain comes: nothing, a row that retention dropped, or a row that is left out. */
export type ChainStart = { kind: 'genesis' | 'anchor' | 'row'; sequence: number; hash: string };

export type ExportHeader = {
  type: 'header';
  format: 'studyspot-audit';
  version: 1;
  exportId: string;
  exportedAt: string;
  exportedBy: { id: string; name: string | null };
  filter: object;
  chains: { chain: string; start: ChainStart; last: number }[];
};
/** A row that the filter lets pass, with everything that is hashed. */
export type ExportRow = { type: 'row'; record: AuditRecord; previousHash: string; hash: string };
/** One that lies between, with what the links need alone. */
export type ExportStub = { type: 'stub'; chain: string; sequence: number; previousHash: string; hash: string };
/** `sha256`: of everything before this line. */
export type ExportTrailer = { type: 'trailer'; rows: number; stubs: number; sha256: string };
export type ExportLine = ExportHeader | ExportRow | ExportStub | ExportTrailer;

/** How lines are written; the text ends with a line break. */
export type ExportFormat = { preamble: string; line: (line: ExportLine) => string; type: string; ending: string };

const csvColumns = [
  'time',
  'chain',
  'sequence',
  'actor_type',
  'actor',
  'on_behalf_of',
  'action',
  'resource',
  'resource_id',
  'outcome',
  'ip_address',
  'record',
];

/** What a spreadsheet would take for a formula gets an apostrophe (rule 16); `record` begins with a brace always. */
const neutral = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
const csvCell = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function readable(line: ExportLine): (string | number | null | undefined)[] {
  if (line.type === 'stub') return [null, line.chain, line.sequence, ...Array<null>(8).fill(null)];
  if (line.type !== 'row') return Array<null>(11).fill(null);
  const { record } = line;
  return [
    record.createdAt,
    record.chain,
    record.sequence,
    record.actorType,
    record.actorName ?? record.actorId,
    record.onBehalfOfName ?? record.onBehalfOfId,
    record.action,
    record.resource,
    record.resourceId,
    record.outcome,
    record.ipAddress,
  ];
}

export const exportFormats: Record<'JSONL' | 'CSV', ExportFormat> = {
  JSONL: { preamble: '', line: (line) => `${canonicalJson(line)}\n`, type: 'application/x-ndjson', ending: 'jsonl' },
  CSV: {
    preamble: `${csvColumns.join(',')}\r\n`,
    line: (line) =>
      `${[...readable(line).map((value) => csvCell(neutral(String(value ?? '')))), csvCell(canonicalJson(line))].join(',')}\r\n`,
    type: 'text/csv',
    ending: 'csv',
  },
};
