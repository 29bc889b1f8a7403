import { sql, type Sql } from '../utils/sql.ts';
import { BILLING_DATA } from './billing-data.policy.ts';
import {
  byId,
  byTime,
  INTERNAL,
  keep,
  names,
  ofUser,
  OWNER,
  PASSING,
  person,
  remove,
  SECRET,
  tenantId,
  type TenantTable,
} from './tenant-table.policy.ts';

// Every table that holds rows of tenants, and what becomes of them (rule 12, ADR 12): what the purge of a tenant does,
// in this order; what goes into an export; which rows are about one person. A test compares this list with the
// database: a new table or column has to be decided on here.

const AUDIT_LAW =
  'The audit trail is evidence of who did what (Information Technology Act 2000, CERT-In directions of 28 April 2022); ' +
  'its months are dropped when the period of audit.retention_months is over.';
const PURGE_PROOF = 'Shows that the tenant was off-boarded, when and by whom, and what was removed.';

/** Jobs of the portal name people by their address, phone or id. */
const namedInPayload = (id: string): Sql => sql`
  tenant_id is null and (payload->>'tenantId' = ${id} or exists (
    select from users u where u.tenant_id = ${id} and (u.id = payload->>'userId' or u.email = payload->>'email'
                                                      or u.phone = payload->>'phone')))`;
const payloadOf = (userId: string): Sql => sql`payload->>'userId' = ${userId}`;

export const TENANT_DATA: readonly TenantTable[] = [
  ...BILLING_DATA,
  {
    table: 'sessions',
    purge: remove,
    person,
    export: {
      columns: names(`
        id user_id ip_address user_agent created_at last_seen_at expires_at revoked_at revoked_reason method
        mfa restriction country known_device_id impersonation_id`),
      key: byTime,
      without: {
        ...tenantId,
        refresh_seed: SECRET,
        refresh_generation: SECRET,
        rotations: SECRET,
        elevated_until: PASSING,
      },
    },
  },
  { table: 'one_time_tokens', purge: remove, person, export: { leftOut: SECRET } },
  { table: 'totp_credentials', purge: remove, person, export: { leftOut: SECRET } },
  { table: 'recovery_codes', purge: remove, person, export: { leftOut: SECRET } },
  { table: 'auth_challenges', purge: remove, person, export: { leftOut: SECRET } },
  { table: 'password_history', purge: remove, person, export: { leftOut: SECRET } },
  {
    table: 'passkeys',
    purge: remove,
    person,
    export: {
      columns: names('id user_id name transports backed_up created_at last_used_at'),
      key: byId,
      without: { ...tenantId, credential_id: SECRET, public_key: SECRET, counter: SECRET },
    },
  },
  {
    table: 'known_devices',
    purge: remove,
    person,
    export: {
      columns: names('id user_id user_agent country created_at last_seen_at'),
      key: byId,
      without: tenantId,
    },
  },
  {
    table: 'login_attempts',
    purge: remove,
    person,
    export: {
      columns: names('id user_id account outcome method ip_address country user_agent created_at'),
      key: byTime,
      without: tenantId,
    },
  },
  { table: 'lockouts', purge: remove, person, export: { leftOut: INTERNAL } },
  { table: 'security_events', purge: remove, person, export: { leftOut: INTERNAL } },
  {
    table: 'impersonations',
    purge: remove,
    person: { rows: ofUser },
    export: {
      columns: names('id admin_name user_id user_name reason ticket mode started_at expires_at ended_at end_reason'),
      key: ['started_at', 'id'],
      without: { ...tenantId, admin_id: INTERNAL, admin_session_id: INTERNAL },
    },
  },
  {
    table: 'approvals',
    purge: remove,
    person: { rows: (userId) => sql`subject_id = ${userId}`, erased: true },
    export: { leftOut: INTERNAL },
  },
  { table: 'api_keys', purge: remove, export: { leftOut: SECRET } },
  {
    table: 'role_assignments',
    purge: remove,
    person,
    export: {
      columns: names('id user_id role_id created_at expires_at'),
      key: byId,
      without: { ...tenantId, assigned_by_id: INTERNAL },
    },
  },
  {
    table: 'permission_overrides',
    purge: remove,
    person,
    export: {
      columns: names('id user_id permission_code effect created_at expires_at'),
      key: byId,
      without: { ...tenantId, reason: INTERNAL, granted_by_id: INTERNAL },
    },
  },
  {
    table: 'guardianships',
    purge: remove,
    person: { rows: (userId) => sql`(student_id = ${userId} or guardian_id = ${userId})`, erased: true },
    export: {
      columns: names('id student_id guardian_id relation created_at'),
      key: byTime,
      without: tenantId,
    },
  },
  {
    table: 'people_import_rows',
    purge: remove,
    person: {
      rows: (userId) => sql`
        (user_id = ${userId}
         or (import_id, number) in (select u.import_id, u.import_row from users u where u.id = ${userId}))`,
    },
    export: {
      columns: names('import_id number status cells errors user_id'),
      key: ['import_id', 'number'],
      without: tenantId,
    },
  },
  {
    table: 'people_import_newcomers',
    purge: remove,
    person: {
      rows: (userId) => sql`
        exists (select from users u where u.id = ${userId} and (u.email = people_import_newcomers.email
                                                               or u.phone = people_import_newcomers.phone))`,
      erased: true,
    },
    export: { leftOut: PASSING },
  },
  {
    table: 'people_imports',
    purge: remove,
    export: {
      columns: names(`
        id status file_name format size_bytes sha256 columns mapping default_kind default_library total_rows
        read_rows checked_rows valid_rows invalid_rows created_rows undone_rows kept_rows warnings error
        requested_by_id requested_by_name created_at validated_at committed_at finished_at`),
      key: byTime,
      without: { ...tenantId, storage_key: INTERNAL },
    },
  },
  { table: 'data_exports', purge: remove, export: { leftOut: PASSING } },
  { table: 'audit_exports', purge: remove, export: { leftOut: INTERNAL } },
  {
    table: 'privacy_requests',
    purge: remove,
    person: { rows: (userId) => sql`subject_id = ${userId}` },
    export: {
      columns: names(`
        id type status subject_id subject_name details due_at resolution requested_by_id requested_by_name
        handled_by_name created_at updated_at resolved_at`),
      key: byTime,
      without: { ...tenantId, export_id: PASSING, handled_by_id: INTERNAL, version: PASSING },
    },
  },
  {
    table: 'onboarding_skips',
    purge: remove,
    export: {
      columns: names('step reason skipped_by_id skipped_by_name created_at'),
      key: ['step'],
      without: tenantId,
    },
  },
  { table: 'tenant_notes', purge: remove, export: { leftOut: INTERNAL } },
  {
    table: 'tenant_branding',
    purge: remove,
    export: {
      columns: names('display_name tagline primary_color accent_color logo_key logo_width logo_height updated_at'),
      key: ['tenant_id'],
      without: { ...tenantId, version: PASSING },
    },
  },
  {
    table: 'billing_profiles',
    purge: remove,
    export: {
      columns: names('legal_name gstin email address_line city state pincode created_at updated_at'),
      key: ['tenant_id'],
      without: { ...tenantId, version: PASSING },
    },
  },
  {
    table: 'settings',
    purge: remove,
    export: {
      columns: names('key value updated_at'),
      key: byId,
      without: { ...tenantId, id: PASSING, secret: PASSING, version: PASSING },
    },
  },
  { table: 'setting_revisions', purge: remove, export: { leftOut: INTERNAL } },
  {
    table: 'idempotency_keys',
    purge: remove,
    alsoTheirs: (id) => sql`tenant_id is null and position(${id} in coalesce(response_body::text, '')) > 0`,
    person: { rows: (userId) => sql`actor_id = ${userId}`, erased: true },
    export: { leftOut: PASSING },
  },
  {
    table: 'outbox_messages',
    purge: remove,
    alsoTheirs: namedInPayload,
    person: { rows: payloadOf, erased: true },
    export: { leftOut: PASSING },
  },
  {
    table: 'dead_letters',
    purge: remove,
    alsoTheirs: namedInPayload,
    person: { rows: payloadOf, erased: true },
    export: { leftOut: PASSING },
  },
  {
    table: 'email_deliveries',
    purge: remove,
    person: {
      rows: (userId) => sql`
        recipient in (select unnest(array[u.email, u.pending_email, u.former_email]) from users u where u.id = ${userId})`,
      erased: true,
    },
    export: {
      columns: names('id template recipient subject status error created_at sent_at'),
      key: byId,
      without: { ...tenantId, job_id: PASSING, message_id: PASSING },
    },
  },
  {
    table: 'users',
    // Each takes along what was added meanwhile and hangs on it.
    purge: { does: 'delete', atOnce: 500 },
    person: { rows: (userId) => sql`id = ${userId}` },
    export: {
      columns: names(`
        id kind name email phone status email_verified pending_email former_email date_of_birth library_id
        member_number joined_on course job_title marketing_consent import_id import_row last_login_at
        password_changed_at created_at updated_at deleted_at erased_at`),
      key: byTime,
      without: {
        ...tenantId,
        type: OWNER,
        password_hash: SECRET,
        permission_version: PASSING,
        mfa_required_since: PASSING,
        version: PASSING,
        search_text: PASSING,
      },
    },
  },
  {
    table: 'libraries',
    purge: remove,
    export: {
      columns: names('id name address_line city state pincode phone seat_count created_at updated_at'),
      key: byTime,
      without: { ...tenantId, version: PASSING },
    },
  },
  {
    table: 'audit_logs',
    purge: keep(AUDIT_LAW),
    person: { rows: (userId) => sql`actor_id = ${userId}` },
    export: {
      columns: names('id action resource resource_id outcome ip_address user_agent created_at'),
      key: byTime,
      without: {
        ...tenantId,
        ...Object.fromEntries(
          ['chain', 'sequence', 'actor_type', 'actor_id', 'actor_name', 'on_behalf_of_id', 'on_behalf_of_name']
            .concat('changes', 'request_id', 'previous_hash', 'hash')
            .map((column) => [column, 'part of the proof, which the export of the audit trail has']),
        ),
      },
      forPersonAlone: 'the audit trail has an export of its own, with its proof',
    },
  },
  { table: 'audit_chains', purge: keep(AUDIT_LAW), export: { leftOut: INTERNAL } },
  { table: 'audit_anchors', purge: keep(AUDIT_LAW), export: { leftOut: INTERNAL } },
  { table: 'audit_stream_positions', purge: keep(AUDIT_LAW), export: { leftOut: INTERNAL } },
  {
    table: 'tenant_transitions',
    purge: keep(PURGE_PROOF),
    export: {
      columns: names('id from to reason actor_name created_at'),
      key: byTime,
      without: { ...tenantId, actor_id: INTERNAL },
    },
  },
  { table: 'offboardings', purge: keep(PURGE_PROOF), export: { leftOut: INTERNAL } },
  { table: 'legal_holds', purge: keep(PURGE_PROOF), export: { leftOut: INTERNAL } },
  {
    table: 'tenants',
    purge: keep(
      'Keeps the slug from being given again, and the id for the audit trail. Name, addresses and numbers are blanked.',
    ),
    export: {
      columns: names(`
        id name slug email phone gstin address_line city state pincode time_zone status trial_ends_at
        created_at updated_at`),
      key: byId,
      without: { version: PASSING },
    },
  },
];

/** The column of a table that names the tenant. */
export const tenantColumn = (table: string): string => (table === 'tenants' ? 'id' : 'tenant_id');
