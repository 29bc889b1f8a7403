import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Client } from 'pg';

/** The PostgreSQL schema in which BullMQ keeps its tables where there is no Redis. */
export const BULLMQ_SCHEMA = 'bullmq';

/** Raised when what `GRANTS` does changes, so that it is done again. */
const GRANTS_VERSION = 1;

// A queue's sequence of job ids is made by BullMQ's functions when the queue is used first. They run as the owner of
// the schema, so that the API's role needs no right to create anything; pg_temp last keeps its temporary tables from
// passing for real ones.
const GRANTS = `
  REVOKE ALL ON SCHEMA ${BULLMQ_SCHEMA} FROM PUBLIC;
  REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ${BULLMQ_SCHEMA} FROM PUBLIC;
  GRANT USAGE ON SCHEMA ${BULLMQ_SCHEMA} TO studyspot_app;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${BULLMQ_SCHEMA} TO studyspot_app;
  REVOKE INSERT, UPDATE, DELETE ON ${BULLMQ_SCHEMA}.migration FROM studyspot_app;
  GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${BULLMQ_SCHEMA} TO studyspot_app;
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${BULLMQ_SCHEMA} TO studyspot_app;
  DO $$
  DECLARE
    maker regprocedure;
  BEGIN
    FOR maker IN
      SELECT oid FROM pg_proc
      WHERE pronamespace = '${BULLMQ_SCHEMA}'::regnamespace AND prosrc ~* '(create|drop) sequence'
    LOOP
      EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = ${BULLMQ_SCHEMA}, pg_temp', maker);
    END LOOP;
  END $$`;

/**
 * Brings BullMQ's tables to the version of the installed package and lets the role studyspot_app use them. Whoever
 * connects as that role gives BullMQ neither `migrate` nor `skipMigrations`: it then only checks that the tables fit,
 * and never tries to change them.
 *
 * Returns whether there was something to do. `onWork` is called before it is done.
 */
export async function layBullmqSchema(client: Client, onWork: () => void): Promise<boolean> {
  const wanted = `bullmq ${packageVersion()}, grants ${GRANTS_VERSION}`;
  const { rows } = await client.query(
    `SELECT obj_description(oid, 'pg_namespace') AS laid FROM pg_namespace WHERE nspname = $1`,
    [BULLMQ_SCHEMA],
  );
  if (rows[0]?.laid === wanted) return false;

  onWork();
  // Loading the package takes longer than all the rest of a migration without work.
  const { runMigrations } = await import('bullmq');
  await runMigrations(client, BULLMQ_SCHEMA);
  await client.query('BEGIN');
  try {
    await client.query(GRANTS);
    await client.query(`COMMENT ON SCHEMA ${BULLMQ_SCHEMA} IS '${wanted}'`);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
  return true;
}

function packageVersion(): string {
  const file = createRequire(import.meta.url).resolve('bullmq/package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
