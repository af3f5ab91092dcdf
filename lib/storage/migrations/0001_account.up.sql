-- The server, its users, and the organizations they belong to.
CREATE TABLE server (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  uuid TEXT NOT NULL UNIQUE,
  -- Keys the permutation that makes a metric's public UUID of its row id.
  metric_key BLOB NOT NULL CHECK (length(metric_key) = 16),
  created INTEGER NOT NULL
) STRICT;

CREATE TABLE user (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL UNIQUE,
  admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
  locked INTEGER NOT NULL CHECK (locked IN (0, 1)),
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL
) STRICT;

CREATE TABLE user_key (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  key_hash TEXT NOT NULL UNIQUE,
  creation INTEGER NOT NULL,
  expiration INTEGER NOT NULL,
  revoked INTEGER
) STRICT;
CREATE INDEX index_user_key_user ON user_key (user_id);

CREATE TABLE token (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES user (id),
  name TEXT NOT NULL,
  jwt TEXT NOT NULL,
  creation INTEGER NOT NULL,
  expiration INTEGER NOT NULL,
  revoked INTEGER
) STRICT;
CREATE INDEX index_token_user ON token (user_id);
CREATE INDEX index_token_jwt ON token (jwt);

CREATE TABLE organization (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  license TEXT UNIQUE,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  deleted INTEGER
) STRICT;
CREATE INDEX index_organization_present ON organization (id) WHERE deleted IS NULL;

CREATE TABLE organization_role (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user (id),
  organization_id INTEGER NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  UNIQUE (user_id, organization_id)
) STRICT;
CREATE INDEX index_organization_role_organization ON organization_role (organization_id, created);

CREATE TABLE plan (
  id INTEGER PRIMARY KEY,
  organization_id INTEGER NOT NULL UNIQUE REFERENCES organization (id),
  metered_plan TEXT UNIQUE,
  licensed_plan TEXT UNIQUE,
  license TEXT UNIQUE,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  CHECK ((metered_plan IS NULL) <> (licensed_plan IS NULL)),
  CHECK ((licensed_plan IS NULL) = (license IS NULL))
) STRICT;

CREATE TABLE sso (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  organization_id INTEGER NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  domain TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX index_sso_organization ON sso (organization_id);
