import type {
  GuardianRelation,
  PersonKind,
  TenantStatus,
  UserStatus,
  UserType,
} from '../../src/generated/prisma/enums.ts';

/** Rows as the tables name their columns; times are ISO 8601. Columns left out keep the table's default. */
export type TenantRow = {
  id: string;
  name: string;
  slug: string;
  email: string;
  phone: string;
  gstin: string | null;
  address_line: string;
  city: string;
  state: string;
  pincode: string;
  status: TenantStatus;
  trial_ends_at: string;
  version: number;
  created_at: string;
  updated_at: string;
};

export type LibraryRow = {
  id: string;
  tenant_id: string;
  name: string;
  address_line: string;
  city: string;
  state: string;
  pincode: string;
  phone: string;
  seat_count: number;
  created_at: string;
  updated_at: string;
};

export type TransitionRow = {
  id: string;
  tenant_id: string;
  from: TenantStatus | null;
  to: TenantStatus;
  reason: string | null;
  actor_id: string | null;
  actor_name: string | null;
  created_at: string;
};

export type UserRow = {
  id: string;
  tenant_id: string | null;
  type: UserType;
  kind: PersonKind | null;
  name: string;
  email: string | null;
  phone: string | null;
  status: UserStatus;
  password_hash: string | null;
  password_changed_at: string | null;
  email_verified: boolean;
  last_login_at: string | null;
  created_at: string;
  updated_at: string;
} & PersonFacts;

/** What is known of a person of a library; days as `YYYY-MM-DD`. */
export type PersonFacts = {
  date_of_birth: string | null;
  library_id: string | null;
  member_number: string | null;
  joined_on: string | null;
  course: string | null;
  job_title: string | null;
  marketing_consent: boolean;
};

export type GuardianshipRow = {
  id: string;
  tenant_id: string;
  student_id: string;
  guardian_id: string;
  relation: GuardianRelation;
  created_at: string;
};

export type BrandingRow = {
  tenant_id: string;
  display_name: string;
  tagline: string | null;
  primary_color: string;
  accent_color: string;
  updated_at: string;
};

export type BillingProfileRow = {
  tenant_id: string;
  legal_name: string;
  gstin: string | null;
  email: string;
  address_line: string;
  city: string;
  state: string;
  pincode: string;
  created_at: string;
  updated_at: string;
};

export type RoleAssignmentRow = {
  id: string;
  tenant_id: string | null;
  user_id: string;
  role_id: string;
  created_at: string;
};
