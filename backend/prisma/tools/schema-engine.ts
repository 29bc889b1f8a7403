import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type ColumnType,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/** Prisma's schema engine as WebAssembly, over a connection of ours: it needs no network and no native binary. */
export type SchemaEngine = bindings.SchemaEngine;

export type SchemaFile = { path: string; content: string };

const SCHEMA_DIRECTORY = path.resolve(import.meta.dirname, '..', 'schema');

/** The files of the Prisma schema. */
export function readSchemaFiles(directory = SCHEMA_DIRECTORY): SchemaFile[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.prisma'))
    .toSorted()
    .map((name) => ({ path: name, content: readFileSync(path.join(directory, name), 'utf8') }));
}

/**
 * The SQL that leads from a database to the schema files, empty when they agree. What Prisma cannot express (checks,
 * functions, policies, indexes on expressions or on a part of the rows, NULLS NOT DISTINCT) it does not see.
 */
export async function sqlToSchema(databaseUrl: string, files: SchemaFile[]): Promise<string> {
  return withSchemaEngine(databaseUrl, files, async (engine) => {
    const { stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: '.' },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    const sql = (stdout ?? '').trim();
    return sql === '-- This is an empty migration.' ? '' : sql;
  });
}

export async function withSchemaEngine<T>(
  databaseUrl: string,
  files: SchemaFile[],
  run: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  await loadEngine();
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 10_000,
    query_timeout: 60_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const factory = bindMigrationAwareSqlAdapterFactory(adapterFactory(client));
    const datamodels = files.map((file): [string, string] => [file.path, file.content]);
    const engine = await bindings.SchemaEngine.new({ datamodels }, () => {}, factory);
    try {
      return await run(engine);
    } finally {
      engine.free();
    }
  } finally {
    await client.end();
  }
}

/** As much of WebAssembly as is needed here: its types come with those of browsers only. */
type WasmLoader = {
  instantiate: (
    bytes: Uint8Array,
    imports: object,
  ) => Promise<{ instance: { exports: { __wbindgen_start: () => void } } }>;
};
const webAssembly = (globalThis as unknown as { WebAssembly: WasmLoader }).WebAssembly;

let loading: Promise<void> | undefined;

/** Once a process: the bindings keep the instance to themselves. Node cannot import .wasm files, so we read it. */
function loadEngine(): Promise<void> {
  loading ??= (async () => {
    const script = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
    const wasm = readFileSync(script.replace(/\.js$/, '.wasm'));
    const { instance } = await webAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings });
    /* oxlint-disable no-underscore-dangle -- the generator of the bindings chose the names */
    bindings.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start();
    /* oxlint-enable no-underscore-dangle */
  })();
  return loading;
}

function adapterFactory(client: pg.Client): SqlMigrationAwareDriverAdapterFactory {
  const identity = { provider: 'postgres', adapterName: 'pg' } as const;
  const refuse = () => Promise.reject(new Error('The schema engine is only used to read the database and to compare.'));
  const adapter: SqlDriverAdapter = {
    ...identity,
    queryRaw: (query) => queryRaw(client, query),
    executeRaw: refuse,
    executeScript: refuse,
    startTransaction: refuse,
    getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
    dispose: () => Promise.resolve(),
  };
  const connect = () => Promise.resolve(adapter);
  return { ...identity, connect, connectToShadowDb: refuse };
}

type Decoder = { type: ColumnType; decode: (value: string) => unknown };

const TEXT_ARRAY = 1009;
const arrays = new pg.TypeOverrides();
const asItIs = (value: string) => value;

/** By OID, what PostgreSQL's catalogue tables hold. @prisma/adapter-pg stops at some of them, such as "char". */
const DECODERS = new Map<number, Decoder>([
  [16, { type: ColumnTypeEnum.Boolean, decode: (text) => text === 't' }],
  [18, { type: ColumnTypeEnum.Character, decode: asItIs }],
  [20, { type: ColumnTypeEnum.Int64, decode: asItIs }],
  [21, { type: ColumnTypeEnum.Int32, decode: Number }],
  [23, { type: ColumnTypeEnum.Int32, decode: Number }],
  [26, { type: ColumnTypeEnum.Int64, decode: asItIs }],
  [TEXT_ARRAY, { type: ColumnTypeEnum.TextArray, decode: asItIs }],
  [1184, { type: ColumnTypeEnum.DateTime, decode: (text) => new Date(text).toISOString().replace('Z', '+00:00') }],
]);
const TEXT_DECODER: Decoder = { type: ColumnTypeEnum.Text, decode: asItIs };

async function queryRaw(client: pg.Client, query: SqlQuery): Promise<SqlResultSet> {
  const result = await client.query<(string | null)[]>({
    text: query.sql,
    values: query.args,
    rowMode: 'array',
    // Everything as PostgreSQL writes it, but for arrays, which pg takes apart.
    types: { getTypeParser: (oid: number) => (oid === TEXT_ARRAY ? arrays.getTypeParser(TEXT_ARRAY) : asItIs) },
  });
  const decoders = result.fields.map((field) => DECODERS.get(field.dataTypeID) ?? TEXT_DECODER);
  return {
    columnNames: result.fields.map((field) => field.name),
    columnTypes: decoders.map(({ type }) => type),
    rows: result.rows.map((row) => row.map((value, i) => (value === null ? null : decoders[i]?.decode(value)))),
  };
}
