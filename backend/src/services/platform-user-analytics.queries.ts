import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { marketingAllowed, peopleOf, type Viewpoint } from './platform-users.queries.ts';

/** Cities and tenants beyond these are counted together, or not at all. */
const MOST_NAMED = 20;
const MONTHS = 12;

const statusCounts = (column: Sql): Sql => sql`
  jsonb_build_object('ACTIVE', coalesce(sum(${column}) filter (where status = 'ACTIVE'), 0),
                     'INACTIVE', coalesce(sum(${column}) filter (where status = 'INACTIVE'), 0),
                     'SUSPENDED', coalesce(sum(${column}) filter (where status = 'SUSPENDED'), 0),
                     'PENDING', coalesce(sum(${column}) filter (where status = 'PENDING'), 0))`;

/** Those who signed in within so many days. */
const signedIn = (now: Date, days: number): Sql =>
  sql`count(*) filter (where u.last_login_at > ${now}::timestamptz - ${days} * interval '1 day')`;

/**
 * Everybody is read once and counted by tenant, kind and status; what is told is summed up from that.
 * @param tenantId of whom alone; null: of all tenants
 */
export const peopleCounts = ({ tenantId, bornAfter }: Viewpoint, now: Date): Sql => sql`
  with cells as materialized (
    select u.tenant_id, u.kind, u.status, count(*) as people, ${signedIn(now, 7)} as days7, ${signedIn(now, 30)} as days30,
           count(*) filter (where u.kind = 'STUDENT' and u.date_of_birth > ${bornAfter}::date) as minors,
           count(*) filter (where ${marketingAllowed(bornAfter)}) as marketing,
           count(*) filter (where u.phone is null) as no_phone, count(*) filter (where u.email is null) as no_email
      from users u where ${peopleOf(tenantId)} group by u.tenant_id, u.kind, u.status
  ), tenants_counted as (
    select t.id, t.name, t.city, sum(c.people)::int as people
      from cells c join tenants t on t.id = c.tenant_id group by t.id
  ), cities as (
    select city, people, row_number() over (order by people desc, city) as place
      from (select max(city) as city, sum(people)::int as people from tenants_counted group by lower(city)) by_city
  )
  select coalesce(sum(people), 0)::int as total, ${statusCounts(sql`people`)} as "byStatus",
         (select jsonb_agg(jsonb_build_object('kind', k.kind, 'total', k.total, 'byStatus', k.by_status) order by k.kind)
            from (select kinds.kind, coalesce(sum(c.people), 0) as total, ${statusCounts(sql`c.people`)} as by_status
                    from unnest(enum_range(null::person_kind)) as kinds (kind)
                    left join cells c on c.kind = kinds.kind group by kinds.kind) k) as "byKind",
         coalesce(sum(days7), 0)::int as "signedInLast7Days", coalesce(sum(days30), 0)::int as "signedInLast30Days",
         coalesce(sum(minors), 0)::int as minors, coalesce(sum(marketing), 0)::int as "marketingAllowed",
         coalesce(sum(no_phone), 0)::int as "withoutPhone", coalesce(sum(no_email), 0)::int as "withoutEmail",
         (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'people', people) order by people desc, name, id), '[]')
            from (select * from tenants_counted order by people desc, name, id limit ${MOST_NAMED}) top) as "topTenants",
         (select jsonb_build_object(
                   'top', coalesce(jsonb_agg(jsonb_build_object('city', city, 'people', people) order by place)
                                     filter (where place <= ${MOST_NAMED}), '[]'),
                   'rest', coalesce(sum(people) filter (where place > ${MOST_NAMED}), 0)) from cities) as "byCity"
    from cells`;

/** Who was added in each of the last months of India, this one included. */
export const peopleGrowth = (tenantId: string | null, now: Date): Sql => sql`
  with months as (
    select generate_series(this - ${MONTHS - 1} * interval '1 month', this, '1 month') as month, this
      from date_trunc('month', ${now}::timestamptz at time zone ${PLATFORM_TIME_ZONE}) this
  ), added as (
    select date_trunc('month', u.created_at at time zone ${PLATFORM_TIME_ZONE}) as month, u.kind, count(*) as people
      from users u
     where ${peopleOf(tenantId)} and u.created_at >= (select min(month) from months) at time zone ${PLATFORM_TIME_ZONE}
     group by 1, 2
  )
  select to_char(m.month, 'YYYY-MM') as month, m.month = m.this as unfinished, coalesce(sum(a.people), 0)::int as total,
         coalesce(sum(a.people) filter (where a.kind = 'OWNER'), 0)::int as "OWNER",
         coalesce(sum(a.people) filter (where a.kind = 'STAFF'), 0)::int as "STAFF",
         coalesce(sum(a.people) filter (where a.kind = 'STUDENT'), 0)::int as "STUDENT",
         coalesce(sum(a.people) filter (where a.kind = 'PARENT'), 0)::int as "PARENT"
    from months m left join added a on a.month = m.month
   group by m.month, m.this order by m.month`;

export const tenantExists = (id: string): Sql => sql`select 1 from tenants where id = ${id}`;
