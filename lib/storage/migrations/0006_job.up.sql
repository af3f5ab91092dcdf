-- Runners and the jobs they claim.
CREATE TABLE runner (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  key_hash TEXT NOT NULL UNIQUE,
  last_heartbeat INTEGER,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  archived INTEGER
) STRICT;

CREATE TABLE runner_spec (
  id INTEGER PRIMARY KEY,
  runner_id INTEGER NOT NULL REFERENCES runner (id) ON DELETE CASCADE,
  spec_id INTEGER NOT NULL REFERENCES spec (id) ON DELETE RESTRICT,
  UNIQUE (runner_id, spec_id)
) STRICT;
CREATE INDEX index_runner_spec_spec ON runner_spec (spec_id);

CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
  organization_id INTEGER NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  source_ip TEXT NOT NULL,
  spec_id INTEGER NOT NULL REFERENCES spec (id) ON DELETE RESTRICT,
  config TEXT NOT NULL,
  timeout INTEGER NOT NULL DEFAULT 3600 CHECK (timeout > 0),
  priority INTEGER NOT NULL DEFAULT 0 CHECK (priority >= 0),
  status INTEGER NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 6),
  runner_id INTEGER REFERENCES runner (id) ON DELETE RESTRICT,
  claimed INTEGER,
  started INTEGER,
  completed INTEGER,
  last_heartbeat INTEGER,
  last_billed_minute INTEGER,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL
) STRICT;
-- The queue in the order of claims, and what limits each tier.
CREATE INDEX index_job_pending ON job (status, priority DESC, created ASC) WHERE status = 0;
CREATE INDEX index_job_organization_in_flight ON job (organization_id) WHERE status = 1 OR status = 2;
CREATE INDEX index_job_source_ip_in_flight ON job (source_ip) WHERE status = 1 OR status = 2;
CREATE INDEX index_job_in_flight ON job (status) WHERE status = 1 OR status = 2;
CREATE INDEX index_job_completed ON job (status) WHERE status = 3;
CREATE INDEX index_job_runner ON job (runner_id) WHERE runner_id IS NOT NULL;
CREATE INDEX index_job_spec ON job (spec_id);
CREATE INDEX index_job_report ON job (report_id);
CREATE INDEX index_job_organization ON job (organization_id);

CREATE TABLE job_duration_by_report (
  report_id INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
  job_duration INTEGER NOT NULL DEFAULT 0
) STRICT;
