import { sql, type Sql } from '../utils/sql.ts';
import { addressAllowed } from './ip-rules.queries.ts';

export type LinkHolder = {
  id: string;
  name: string;
  type: 'ADMIN_USER' | 'PLATFORM_USER';
  tenantId: string | null;
  tenantStatus: string | null;
  addressAllowed: boolean;
};

/** The person whom a link is for, while they are active and their tenant is there. */
export const linkHolder = (userId: string, ip: string | null): Sql => sql`
  select u.id, u.name, u.type, u.tenant_id as "tenantId", t.status as "tenantStatus",
         ${addressAllowed(ip, sql`(u.type = 'ADMIN_USER')`)} as "addressAllowed"
    from users u left join tenants t on t.id = u.tenant_id
   where u.id = ${userId} and u.status = 'ACTIVE' and u.deleted_at is null and t.status is distinct from 'PURGED'`;
