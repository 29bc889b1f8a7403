import pg, { type Connection, type FieldDef, type PoolClient, type Submittable } from 'pg';

export type Statement = {
  text: string;
  values: unknown[];
  /** Kept prepared on the connection under this name; without one it is parsed each time. */
  name?: string;
};

type Row = Record<string, unknown>;
type Parser = (text: string) => unknown;
type Column = { name: string; parse: Parser };
type DataRow = { fields: (string | null)[] };

/** What each connection has prepared, and the columns that come back: they are asked for once. */
const preparedOn = new WeakMap<Connection, Map<string, Column[]>>();

const columnsOf = (fields: FieldDef[]): Column[] =>
  fields.map(({ name, dataTypeID }) => ({ name, parse: pg.types.getTypeParser(dataTypeID, 'text') as Parser }));

/**
 * Statements that travel together: one message to the server, one answer, and one implicit transaction around them.
 * After an error the server skips the rest and rolls back. This is the extension point of node-postgres that
 * pg-cursor uses; it saves BEGIN, COMMIT and a wait for each statement (docs/decisions/0005).
 */
class Batch implements Submittable {
  callback: ((error: Error | null, rows?: Row[][]) => void) | undefined;
  private readonly results: Row[][];
  private readonly columns: (Column[] | undefined)[] = [];
  private current = 0;

  constructor(
    private readonly statements: readonly Statement[],
    callback: (error: Error | null, rows?: Row[][]) => void,
  ) {
    this.callback = callback;
    this.results = statements.map(() => []);
  }

  submit(connection: Connection): void {
    const known = preparedOn.get(connection) ?? new Map<string, Column[]>();
    preparedOn.set(connection, known);
    connection.stream.cork();
    try {
      for (const [index, { name = '', text, values }] of this.statements.entries()) {
        const columns = name ? known.get(name) : undefined;
        this.columns[index] = columns;
        if (!columns) connection.parse({ name, text, types: [] }, true);
        connection.bind({ portal: '', statement: name, values: values.map(toText) }, true);
        if (!columns) connection.describe({ type: 'P', name: '' }, true);
        connection.execute({ portal: '', rows: '0' }, true);
      }
    } finally {
      connection.sync();
      connection.stream.uncork();
    }
    this.remember = (index, columns) => {
      const name = this.statements[index]?.name;
      if (name) known.set(name, columns);
    };
  }

  private remember: (index: number, columns: Column[]) => void = () => {};

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    const columns = columnsOf(fields);
    this.columns[this.current] = columns;
    this.remember(this.current, columns);
  }

  handleDataRow({ fields }: DataRow): void {
    const row: Row = {};
    const columns = this.columns[this.current] ?? [];
    for (let index = 0; index < columns.length; index += 1) {
      const { name, parse } = columns[index] as Column;
      const text = fields[index];
      row[name] = text === null || text === undefined ? null : parse(text);
    }
    this.results[this.current]?.push(row);
  }

  handleCommandComplete(): void {
    this.current += 1;
  }

  handleError(error: Error): void {
    this.callback?.(error);
    this.callback = undefined;
  }

  handleReadyForQuery(): void {
    this.callback?.(null, this.results);
    this.callback = undefined;
  }

  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
  handleCopyData(): void {}
}

/** Values as the protocol carries them: text, or null. */
function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  throw new TypeError('Only text, numbers, booleans and dates can be values of a statement');
}

/** Sends the statements together. @returns the rows of each */
export const sendTogether = (client: PoolClient, statements: readonly Statement[]): Promise<Row[][]> =>
  new Promise((resolve, reject) => {
    client.query(new Batch(statements, (error, rows) => (error ? reject(error) : resolve(rows ?? []))));
  });
