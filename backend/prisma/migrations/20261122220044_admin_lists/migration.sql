-- Portal admins are few among the people of all tenants: indexes over them alone serve their list, whatever it is
-- sorted and filtered by.

CREATE INDEX users_admins_created_idx ON users (created_at, id) WHERE type = 'ADMIN_USER' AND deleted_at IS NULL;
CREATE INDEX users_admins_name_idx ON users (name, id) WHERE type = 'ADMIN_USER' AND deleted_at IS NULL;
CREATE INDEX users_admins_sign_in_idx ON users (last_login_at, id) WHERE type = 'ADMIN_USER' AND deleted_at IS NULL;
CREATE INDEX users_admins_status_idx ON users (status, created_at, id) WHERE type = 'ADMIN_USER' AND deleted_at IS NULL;

-- Search for a part of the name or of the address by which an admin is known
CREATE FUNCTION app.admin_search_text(name text, email text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN lower(name || ' ' || coalesce(email, ''));
CREATE INDEX users_admins_search_idx ON users USING gin (app.admin_search_text(name, email) gin_trgm_ops)
  WHERE type = 'ADMIN_USER' AND deleted_at IS NULL;
