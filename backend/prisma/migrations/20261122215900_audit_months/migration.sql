-- The audit trail by month, so that retention drops whole months (rule 10): deleting row by row is what nobody may do.
--
-- The months lie in a schema of their own, in which no role of the application has any right: rows are reached through
-- audit_logs alone, where the row security is. Rows of a month that has no partition go to the default one.

CREATE SCHEMA audit_months;
REVOKE ALL ON SCHEMA audit_months FROM PUBLIC;

-- The indexes go along with the table, which makes room for the new ones.
ALTER TABLE public.audit_logs SET SCHEMA audit_months;
ALTER TABLE audit_months.audit_logs NO FORCE ROW LEVEL SECURITY;

CREATE TABLE public.audit_logs (LIKE audit_months.audit_logs INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
  PARTITION BY RANGE (created_at);
CREATE TABLE audit_months.audit_logs_rest PARTITION OF public.audit_logs DEFAULT;

-- The table of the month that begins on this day. Months are those of UTC.
CREATE FUNCTION app.audit_month_table(month date) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN 'audit_logs_' || to_char(month, 'YYYY_MM');

-- Makes the partition of the month that begins on this day, and moves there what fell into the default one.
-- Returns whether there was something to do.
CREATE FUNCTION app.ensure_audit_month(month date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text := app.audit_month_table(month);
  first_moment timestamptz := month::timestamp AT TIME ZONE 'UTC';
  end_moment timestamptz := (month + interval '1 month')::timestamp AT TIME ZONE 'UTC';
BEGIN
  IF month <> date_trunc('month', month::timestamp)::date THEN
    RAISE EXCEPTION 'A month begins on its first day, not on %', month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF to_regclass('audit_months.' || name) IS NOT NULL THEN
    RETURN false;
  END IF;
  -- Nothing may fall into the default partition between the move and the attachment. Another session may have made the
  -- month while this one waited; a lock on a table is what makes that visible.
  LOCK TABLE audit_months.audit_logs_rest IN ACCESS EXCLUSIVE MODE;
  IF to_regclass('audit_months.' || name) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE audit_months.%I (LIKE public.audit_logs INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
  EXECUTE format('WITH moved AS (DELETE FROM audit_months.audit_logs_rest WHERE created_at >= %L AND created_at < %L RETURNING *) '
                 'INSERT INTO audit_months.%I SELECT * FROM moved', first_moment, end_moment, name);
  EXECUTE format('ALTER TABLE public.audit_logs ATTACH PARTITION audit_months.%I FOR VALUES FROM (%L) TO (%L)',
                 name, first_moment, end_moment);
  RETURN true;
END $$;

-- Drops a month of the trail. It refuses what is not older than twelve full months, and a month in which a chain has
-- rows whose last one is not anchored: what follows could not be verified. Returns how many rows went.
CREATE FUNCTION app.drop_audit_month(month date) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text := app.audit_month_table(month);
  unanchored text;
  dropped bigint;
BEGIN
  IF month <> date_trunc('month', month::timestamp)::date THEN
    RAISE EXCEPTION 'A month begins on its first day, not on %', month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF month + interval '13 months' > date_trunc('month', now() AT TIME ZONE 'UTC') THEN
    RAISE EXCEPTION 'The audit trail of % is not older than twelve full months', to_char(month, 'YYYY-MM')
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  IF to_regclass('audit_months.' || name) IS NULL THEN
    RAISE EXCEPTION 'There is no month % in the audit trail', to_char(month, 'YYYY-MM') USING ERRCODE = 'undefined_table';
  END IF;
  EXECUTE format('LOCK TABLE audit_months.%I IN ACCESS EXCLUSIVE MODE', name);
  EXECUTE format(
    'SELECT last.chain FROM (SELECT DISTINCT ON (chain) chain, sequence, hash FROM audit_months.%I ORDER BY chain, sequence DESC) last '
    'WHERE NOT EXISTS (SELECT FROM public.audit_anchors a WHERE a.chain = last.chain AND a.sequence = last.sequence '
    'AND a.hash = last.hash AND a.reason = ''RETENTION'') LIMIT 1', name) INTO unanchored;
  IF unanchored IS NOT NULL THEN
    RAISE EXCEPTION 'The chain % has rows in % whose last one is not anchored', unanchored, to_char(month, 'YYYY-MM')
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  EXECUTE format('SELECT count(*) FROM audit_months.%I', name) INTO dropped;
  EXECUTE format('DROP TABLE audit_months.%I', name);
  RETURN dropped;
END $$;

-- The months that there are, oldest first.
CREATE FUNCTION app.audit_months() RETURNS SETOF date
  LANGUAGE sql STABLE AS $$
    SELECT to_date(substr(c.relname, 12), 'YYYY_MM') FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'public.audit_logs'::regclass AND c.relname ~ '^audit_logs_[0-9]{4}_[0-9]{2}$' ORDER BY 1
  $$;

REVOKE ALL ON FUNCTION app.ensure_audit_month(date), app.drop_audit_month(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.ensure_audit_month(date), app.drop_audit_month(date) TO studyspot_portal;

-- The months of the rows that there are, this one and the three that follow
SELECT app.ensure_audit_month(month::date) FROM (
  SELECT date_trunc('month', created_at AT TIME ZONE 'UTC') AS month FROM audit_months.audit_logs
  UNION
  SELECT generate_series(date_trunc('month', now() AT TIME ZONE 'UTC'), date_trunc('month', now() AT TIME ZONE 'UTC') + interval '3 months', '1 month')
) months;

INSERT INTO public.audit_logs SELECT * FROM audit_months.audit_logs;
DROP TABLE audit_months.audit_logs;

ALTER TABLE public.audit_logs ADD CONSTRAINT audit_logs_pkey PRIMARY KEY (id, created_at);
CREATE UNIQUE INDEX audit_logs_chain_sequence_created_at_key ON public.audit_logs (chain, sequence, created_at);
CREATE INDEX audit_logs_tenant_id_created_at_id_idx ON public.audit_logs (tenant_id, created_at, id);
CREATE INDEX audit_logs_created_at_id_idx ON public.audit_logs (created_at, id);
CREATE INDEX audit_logs_actor_id_created_at_id_idx ON public.audit_logs (actor_id, created_at, id);
CREATE INDEX audit_logs_action_created_at_id_idx ON public.audit_logs (action, created_at, id);
CREATE INDEX audit_logs_resource_resource_id_created_at_id_idx ON public.audit_logs (resource, resource_id, created_at, id);
CREATE INDEX audit_logs_outcome_created_at_id_idx ON public.audit_logs (outcome, created_at, id);
CREATE INDEX audit_logs_resource_id_created_at_id_idx ON public.audit_logs (resource_id, created_at, id);
CREATE INDEX audit_logs_ip_address_created_at_id_idx ON public.audit_logs (ip_address, created_at, id);
CREATE INDEX audit_logs_on_behalf_of_id_created_at_id_idx ON public.audit_logs (on_behalf_of_id, created_at, id);
CREATE INDEX audit_logs_actor_type_created_at_id_idx ON public.audit_logs (actor_type, created_at, id);
ANALYZE public.audit_logs;

SELECT app.protect_table('audit_logs', append_only => true, auth_access => 'SELECT, INSERT');

-- The anchors are read by app.drop_audit_month, with the rights of the owner, whom forced row security binds too.
DO $$ BEGIN
  EXECUTE format('CREATE POLICY owner_rows ON audit_anchors FOR SELECT TO %I USING (true)', current_user);
END $$;

-- A clock that was put back a little gives no row an earlier month than the row before it in its chain.
CREATE OR REPLACE FUNCTION app.lock_audit_chain(chain_name text, OUT sequence int, OUT hash text, OUT now_utc text)
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  moment timestamptz;
  latest timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('audit:' || chain_name, 0));
  SELECT c.sequence, c.hash, c.updated_at INTO sequence, hash, latest FROM public.audit_chains c WHERE c.chain = chain_name;
  sequence := coalesce(sequence, 0);
  hash := coalesce(hash, repeat('0', 64));
  moment := clock_timestamp();
  IF latest > moment AND latest < moment + interval '1 minute' THEN
    moment := latest;
  END IF;
  now_utc := to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
END $$;

-- A stream is with one worker at a time.
ALTER TABLE audit_streams ADD COLUMN leased_until TIMESTAMPTZ(3);
