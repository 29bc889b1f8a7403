#!/usr/bin/env node
// Verifies a file of exported audit rows, on any machine with Node and nothing else. It shares no code with what wrote
// the file: whoever checks need not trust that.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import process from 'node:process';

const HELP = `Usage: node verify-audit-export.mjs FILE [--sha256 HEX]

Verifies an export of the audit trail, JSON lines or CSV: every hash is computed again, every row must follow the one
before it in its chain, and nothing may be missing at the end. Names the first row that is wrong.

  --sha256 HEX  also compare the file with the SHA-256 that GET /api/audit/exports/ID shows. Without it somebody who
                writes a whole new file, hashes and all, is not noticed.
  --help        this text

Exit code: 0 whole, 1 not whole, 2 the file cannot be read.`;

const GENESIS = '0'.repeat(64);
const CSV_HEAD =
  'time,chain,sequence,actor_type,actor,on_behalf_of,action,resource,resource_id,outcome,ip_address,record';

class Broken extends Error {}

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** RFC 8785: keys by UTF-16 code units, numbers and strings as ECMAScript writes them. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const keys = Object.keys(value).toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

/** Pieces of the file as lines with their ends; a line break within quotes of CSV belongs to the line. */
async function* linesOf(file, isCsv) {
  let rest = '';
  let from = 0;
  let quoted = false;
  const pieces = createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 18 });
  for await (const piece of pieces) {
    const text = rest + piece;
    let start = 0;
    for (let at = from; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (isCsv && code === 34) quoted = !quoted;
      else if (code === 10 && !quoted) {
        yield text.slice(start, at + 1);
        start = at + 1;
      }
    }
    rest = text.slice(start);
    from = rest.length;
  }
  if (rest) yield rest;
}

function csvCells(line) {
  const cells = [];
  const cell = /"((?:[^"]|"")*)"(,|\r\n$)/y;
  for (let match = cell.exec(line); match; match = cell.exec(line)) cells.push(match[1].replaceAll('""', '"'));
  return cells;
}

const csvCell = (value) => {
  const text = String(value ?? '');
  const neutral = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${neutral.replaceAll('"', '""')}"`;
};

function csvLine(entry) {
  const readable = Array(11).fill('');
  if (entry.type === 'stub') [readable[1], readable[2]] = [entry.chain, entry.sequence];
  if (entry.type === 'row') {
    const r = entry.record;
    const names = [r.actorName ?? r.actorId, r.onBehalfOfName ?? r.onBehalfOfId];
    const what = [r.action, r.resource, r.resourceId, r.outcome, r.ipAddress];
    readable.splice(0, 11, r.createdAt, r.chain, r.sequence, r.actorType, ...names, ...what);
  }
  return `${[...readable, canonical(entry)].map(csvCell).join(',')}\r\n`;
}

/** What a line holds; `exact`: the only text that such a line may have. */
function parseLine(line, isCsv) {
  const text = isCsv ? csvCells(line)[11] : line;
  try {
    const entry = JSON.parse(text ?? '');
    return { entry, exact: isCsv ? csvLine(entry) : `${canonical(entry)}\n` };
  } catch {
    return { entry: {}, exact: '' };
  }
}

const placeOf = ({ record, chain, sequence }, number) => {
  const where = record ?? { chain, sequence };
  const row = where.chain === undefined ? '' : `chain ${where.chain}, row ${where.sequence}, `;
  return `${row}line ${number}`;
};

function checkLink(state, entry, number) {
  const isRow = entry.type === 'row';
  const { chain, sequence } = isRow ? entry.record : entry;
  const place = placeOf(entry, number);
  const known = state.chains.get(chain);
  if (!known) throw new Broken(`${place}: the header names no such chain`);
  if (state.current !== chain) {
    if (known.begun) throw new Broken(`${place}: reordered, the rows of a chain belong together`);
    endChain(state);
    state.current = chain;
    known.begun = true;
  }
  if (sequence < known.next) throw new Broken(`${place}: duplicated or reordered, row ${known.next} should follow`);
  if (sequence > known.next) throw new Gap(chain, known.next, number);
  if (entry.previousHash !== known.hash) throw new Broken(`${place}: unlinked, it does not follow the row before it`);
  if (isRow && sha256(entry.previousHash + canonical(entry.record)) !== entry.hash) {
    throw new Broken(`${place}: altered, its hash does not fit`);
  }
  known.next = sequence + 1;
  known.hash = entry.hash;
  state[isRow ? 'rows' : 'stubs'] += 1;
}

/** Another row is where this one should be: it is missing, or comes later. */
class Gap extends Error {
  constructor(chain, sequence, number) {
    super();
    Object.assign(this, { chain, sequence, number });
  }
}

function endChain(state) {
  const chain = state.current && state.chains.get(state.current);
  if (chain && chain.next <= chain.last) {
    throw new Broken(`chain ${state.current}, row ${chain.next}: truncated, the chain should go on to ${chain.last}`);
  }
}

function readHeader({ entry, exact }, line) {
  const isWhole = Array.isArray(entry.chains) && exact === line;
  if (!isWhole || entry.type !== 'header' || entry.format !== 'studyspot-audit' || entry.version !== 1) {
    throw new Broken('the header is altered, or this is no export of the audit trail');
  }
  const chains = entry.chains.map(({ chain, start, last }) => {
    const isGenesis = start.kind === 'genesis' && (start.sequence !== 0 || start.hash !== GENESIS);
    if (isGenesis) throw new Broken(`chain ${chain}: its beginning in the header is altered`);
    return [chain, { next: start.sequence + 1, hash: start.hash, last, begun: false }];
  });
  return { header: entry, chains: new Map(chains), current: undefined, rows: 0, stubs: 0, trailer: undefined };
}

function checkTrailer(state, entry, sum) {
  endChain(state);
  const unbegun = [...state.chains].find(([, chain]) => !chain.begun);
  if (unbegun) throw new Broken(`chain ${unbegun[0]}, row ${unbegun[1].next}: missing, with the whole chain`);
  if (entry.rows !== state.rows || entry.stubs !== state.stubs) {
    throw new Broken(
      `the trailer counts ${entry.rows} rows and ${entry.stubs} stubs, but there are ${state.rows} and ${state.stubs}`,
    );
  }
  if (entry.sha256 !== sum) throw new Broken('the trailer does not fit what comes before it');
  state.trailer = entry;
}

function checkLine(state, parsed, line, number, sum) {
  const { entry, exact } = parsed;
  if (state.trailer) throw new Broken(`line ${number}: something follows the trailer`);
  if (exact !== line) throw new Broken(`${placeOf(entry, number)}: altered, the line is not as it was written`);
  if (entry.type === 'trailer') checkTrailer(state, entry, sum());
  else if (entry.type === 'row' || entry.type === 'stub') checkLink(state, entry, number);
  else throw new Broken(`line ${number}: not a line of an export`);
}

async function verify(file, isCsv) {
  const running = createHash('sha256');
  let state;
  let number = 0;
  let gap;
  for await (const line of linesOf(file, isCsv)) {
    number += 1;
    if (isCsv && number === 1) {
      if (line !== `${CSV_HEAD}\r\n`) throw new Broken('line 1: the names of the columns are altered');
    } else {
      const parsed = parseLine(line, isCsv);
      if (!state) state = readHeader(parsed, line);
      else if (gap) findLater(gap, parsed.entry, number);
      else {
        try {
          checkLine(state, parsed, line, number, () => running.copy().digest('hex'));
        } catch (error) {
          if (error instanceof Broken) throw error;
          // What a line of an export always has is not there.
          if (!(error instanceof Gap)) throw new Broken(`line ${number}: altered, it is no line of an export`);
          gap = error;
        }
      }
    }
    running.update(line);
  }
  if (gap) throw new Broken(`chain ${gap.chain}, row ${gap.sequence}: missing, line ${gap.number} holds a later row`);
  if (!state) throw new Broken('the file is empty');
  if (!state.trailer) throw new Broken(`truncated after line ${number}: the trailer is missing`);
  return { ...state, sum: running.digest('hex') };
}

function findLater({ chain, sequence, number }, entry, later) {
  const { chain: ofLine, sequence: found } = entry.record ?? entry;
  if (ofLine === chain && found === sequence) {
    throw new Broken(
      `chain ${chain}, row ${sequence}: reordered, it is on line ${later} and belongs before line ${number}`,
    );
  }
}

async function firstByte(file) {
  for await (const piece of createReadStream(file, { encoding: 'utf8', end: 0 })) return piece;
  return '';
}

async function main(args) {
  if (args.includes('--help') || args.length === 0) {
    console.log(HELP);
    return args.length === 0 ? 2 : 0;
  }
  const option = args.indexOf('--sha256');
  const expected = option >= 0 ? args.splice(option, 2)[1] : undefined;
  const [file] = args;
  if (args.length !== 1 || (option >= 0 && !/^[0-9a-fA-F]{64}$/.test(expected ?? ''))) {
    console.error(HELP);
    return 2;
  }
  try {
    const { header, rows, stubs, sum } = await verify(file, (await firstByte(file)) !== '{');
    if (expected && sum !== expected.toLowerCase()) throw new Broken(`the file is another one: its SHA-256 is ${sum}`);
    const chains = header.chains.length;
    console.log(
      `Whole: ${rows} rows and ${stubs} stubs of ${chains} chains, exported ${header.exportedAt}. SHA-256 ${sum}`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof Broken)) {
      console.error(`The file cannot be read: ${error.message}`);
      return error.code ? 2 : 1;
    }
    console.error(`Not whole: ${error.message}.`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
