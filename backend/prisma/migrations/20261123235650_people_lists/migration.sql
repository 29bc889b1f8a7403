-- What the lists of people are sorted and filtered by, beyond what they had: last sign-in, course, age and library.
-- Whoever never signed in comes before everybody who did.
CREATE INDEX users_people_sign_in_idx ON users (coalesce(last_login_at, '-infinity'::timestamptz), id)
  WHERE type = 'PLATFORM_USER' AND deleted_at IS NULL;
CREATE INDEX users_tenant_sign_in_idx ON users (tenant_id, coalesce(last_login_at, '-infinity'::timestamptz), id)
  WHERE deleted_at IS NULL;
CREATE INDEX users_people_course_idx ON users (lower(course), created_at, id)
  WHERE type = 'PLATFORM_USER' AND deleted_at IS NULL AND course IS NOT NULL;
CREATE INDEX users_tenant_born_idx ON users (tenant_id, date_of_birth)
  WHERE deleted_at IS NULL AND date_of_birth IS NOT NULL;
CREATE INDEX users_library_idx ON users (library_id, created_at, id) WHERE library_id IS NOT NULL;
