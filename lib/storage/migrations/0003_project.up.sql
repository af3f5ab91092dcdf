-- Projects and their dimensions.
CREATE TABLE project (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  organization_id INTEGER NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  url TEXT,
  visibility INTEGER NOT NULL CHECK (visibility IN (0, 1)),
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  deleted INTEGER,
  UNIQUE (organization_id, name)
) STRICT;
CREATE INDEX index_project_organization_created ON project (organization_id, created);
CREATE INDEX index_project_present ON project (id) WHERE deleted IS NULL;

CREATE TABLE project_role (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user (id),
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  UNIQUE (user_id, project_id)
) STRICT;
CREATE INDEX index_project_role_project ON project_role (project_id);

CREATE TABLE project_key (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  creator_id INTEGER REFERENCES user (id) ON DELETE SET NULL,
  name TEXT NOT NULL,
  key_hash TEXT NOT NULL UNIQUE,
  creation INTEGER NOT NULL,
  expiration INTEGER NOT NULL,
  revoked INTEGER
) STRICT;
CREATE INDEX index_project_key_project ON project_key (project_id);
CREATE INDEX index_project_key_creator ON project_key (creator_id);

CREATE TABLE branch (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL,
  head_id INTEGER REFERENCES head (id),
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  archived INTEGER,
  UNIQUE (project_id, name),
  UNIQUE (project_id, slug)
) STRICT;
CREATE INDEX index_branch_project_created ON branch (project_id, created);
CREATE INDEX index_branch_head ON branch (head_id);

CREATE TABLE head (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  branch_id INTEGER NOT NULL REFERENCES branch (id) ON DELETE CASCADE,
  start_point_id INTEGER REFERENCES head_version (id) ON DELETE SET NULL,
  created INTEGER NOT NULL,
  replaced INTEGER
) STRICT;
CREATE INDEX index_head_branch_created ON head (branch_id, created);
CREATE INDEX index_head_start_point ON head (start_point_id);

CREATE TABLE version (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number >= 0),
  hash TEXT
) STRICT;
CREATE INDEX index_version_project ON version (project_id);

-- `number` repeats version.number, so that a head's history is read newest first straight from the index.
CREATE TABLE head_version (
  id INTEGER PRIMARY KEY,
  head_id INTEGER NOT NULL REFERENCES head (id) ON DELETE CASCADE,
  version_id INTEGER NOT NULL REFERENCES version (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  UNIQUE (head_id, version_id)
) STRICT;
CREATE INDEX index_head_version_number ON head_version (head_id, number DESC, version_id);
CREATE INDEX index_head_version_version ON head_version (version_id);
CREATE TRIGGER trigger_version_number AFTER UPDATE OF number ON version BEGIN
  UPDATE head_version SET number = new.number WHERE version_id = new.id;
END;

CREATE TABLE testbed (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL,
  spec_id INTEGER REFERENCES spec (id) ON DELETE SET NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  archived INTEGER,
  UNIQUE (project_id, name),
  UNIQUE (project_id, slug)
) STRICT;
CREATE INDEX index_testbed_project_created ON testbed (project_id, created);
CREATE INDEX index_testbed_spec ON testbed (spec_id);

CREATE TABLE benchmark (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  archived INTEGER,
  UNIQUE (project_id, name),
  UNIQUE (project_id, slug)
) STRICT;
CREATE INDEX index_benchmark_project_created ON benchmark (project_id, created);

CREATE TABLE measure (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL,
  units TEXT NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  archived INTEGER,
  UNIQUE (project_id, name),
  UNIQUE (project_id, slug)
) STRICT;
CREATE INDEX index_measure_project_created ON measure (project_id, created);
