-- index index_alert_boundary
CREATE INDEX index_alert_boundary ON alert (boundary_id);

-- index index_alert_change_first_bad
CREATE INDEX index_alert_change_first_bad ON alert_change (first_bad_id);

-- index index_alert_change_last_good
CREATE INDEX index_alert_change_last_good ON alert_change (last_good_id);

-- index index_alert_change_threshold
CREATE INDEX index_alert_change_threshold ON alert_change (threshold_id);

-- index index_alert_report
CREATE INDEX index_alert_report ON alert (report_id);

-- index index_benchmark_project_created
CREATE INDEX index_benchmark_project_created ON benchmark (project_id, created);

-- index index_branch_head
CREATE INDEX index_branch_head ON branch (head_id);

-- index index_branch_project_created
CREATE INDEX index_branch_project_created ON branch (project_id, created);

-- index index_head_branch_created
CREATE INDEX index_head_branch_created ON head (branch_id, created);

-- index index_head_start_point
CREATE INDEX index_head_start_point ON head (start_point_id);

-- index index_head_version_number
CREATE INDEX index_head_version_number ON head_version (head_id, number DESC, version_id);

-- index index_head_version_version
CREATE INDEX index_head_version_version ON head_version (version_id);

-- index index_job_completed
CREATE INDEX index_job_completed ON job (status) WHERE status = 3;

-- index index_job_in_flight
CREATE INDEX index_job_in_flight ON job (status) WHERE status = 1 OR status = 2;

-- index index_job_organization
CREATE INDEX index_job_organization ON job (organization_id);

-- index index_job_organization_in_flight
CREATE INDEX index_job_organization_in_flight ON job (organization_id) WHERE status = 1 OR status = 2;

-- index index_job_pending
CREATE INDEX index_job_pending ON job (status, priority DESC, created ASC) WHERE status = 0;

-- index index_job_report
CREATE INDEX index_job_report ON job (report_id);

-- index index_job_runner
CREATE INDEX index_job_runner ON job (runner_id) WHERE runner_id IS NOT NULL;

-- index index_job_source_ip_in_flight
CREATE INDEX index_job_source_ip_in_flight ON job (source_ip) WHERE status = 1 OR status = 2;

-- index index_job_spec
CREATE INDEX index_job_spec ON job (spec_id);

-- index index_measure_project_created
CREATE INDEX index_measure_project_created ON measure (project_id, created);

-- index index_model_threshold_created
CREATE INDEX index_model_threshold_created ON model (threshold_id, created);

-- index index_organization_present
CREATE INDEX index_organization_present ON organization (id) WHERE deleted IS NULL;

-- index index_organization_role_organization
CREATE INDEX index_organization_role_organization ON organization_role (organization_id, created);

-- index index_plot_project_created
CREATE INDEX index_plot_project_created ON plot (project_id, created);

-- index index_project_key_creator
CREATE INDEX index_project_key_creator ON project_key (creator_id);

-- index index_project_key_project
CREATE INDEX index_project_key_project ON project_key (project_id);

-- index index_project_organization_created
CREATE INDEX index_project_organization_created ON project (organization_id, created);

-- index index_project_present
CREATE INDEX index_project_present ON project (id) WHERE deleted IS NULL;

-- index index_project_role_project
CREATE INDEX index_project_role_project ON project_role (project_id);

-- index index_report_head
CREATE INDEX index_report_head ON report (head_id);

-- index index_report_idempotency_key
CREATE UNIQUE INDEX index_report_idempotency_key ON report (project_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- index index_report_project_created
CREATE INDEX index_report_project_created ON report (project_id, created);

-- index index_report_project_start_time
CREATE INDEX index_report_project_start_time ON report (project_id, start_time);

-- index index_report_spec
CREATE INDEX index_report_spec ON report (spec_id) WHERE spec_id IS NOT NULL;

-- index index_report_testbed_end_time
CREATE INDEX index_report_testbed_end_time ON report (testbed_id, end_time);

-- index index_report_user
CREATE INDEX index_report_user ON report (user_id);

-- index index_report_version_testbed
CREATE INDEX index_report_version_testbed ON report (version_id, testbed_id);

-- index index_runner_spec_spec
CREATE INDEX index_runner_spec_spec ON runner_spec (spec_id);

-- index index_spec_fallback
CREATE UNIQUE INDEX index_spec_fallback ON spec ((fallback IS NOT NULL)) WHERE fallback IS NOT NULL;

-- index index_sso_organization
CREATE INDEX index_sso_organization ON sso (organization_id);

-- index index_testbed_project_created
CREATE INDEX index_testbed_project_created ON testbed (project_id, created);

-- index index_testbed_spec
CREATE INDEX index_testbed_spec ON testbed (spec_id);

-- index index_threshold_benchmark
CREATE INDEX index_threshold_benchmark ON threshold (benchmark_id);

-- index index_threshold_measure
CREATE INDEX index_threshold_measure ON threshold (measure_id);

-- index index_threshold_model
CREATE INDEX index_threshold_model ON threshold (model_id);

-- index index_threshold_project_created
CREATE INDEX index_threshold_project_created ON threshold (project_id, created);

-- index index_threshold_testbed
CREATE INDEX index_threshold_testbed ON threshold (testbed_id);

-- index index_threshold_unique
CREATE UNIQUE INDEX index_threshold_unique ON threshold (branch_id, testbed_id, measure_id, ifnull(benchmark_id, 0));

-- index index_token_jwt
CREATE INDEX index_token_jwt ON token (jwt);

-- index index_token_user
CREATE INDEX index_token_user ON token (user_id);

-- index index_user_key_user
CREATE INDEX index_user_key_user ON user_key (user_id);

-- index index_version_project
CREATE INDEX index_version_project ON version (project_id);

-- table alert
CREATE TABLE alert (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  boundary_id INTEGER NOT NULL REFERENCES boundary (metric_id) ON DELETE CASCADE,
  report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
  boundary_limit INTEGER NOT NULL CHECK (boundary_limit IN (0, 1)),
  status INTEGER NOT NULL CHECK (status IN (0, 1, 10)),
  modified INTEGER NOT NULL
) STRICT;

-- table alert_change
CREATE TABLE alert_change (
  alert_id INTEGER PRIMARY KEY REFERENCES alert (id) ON DELETE CASCADE,
  threshold_id INTEGER NOT NULL REFERENCES threshold (id),
  benchmark_id INTEGER NOT NULL,
  last_good_id INTEGER REFERENCES report (id) ON DELETE SET NULL,
  first_bad_id INTEGER REFERENCES report (id) ON DELETE SET NULL,
  before REAL NOT NULL,
  after REAL NOT NULL,
  pvalue REAL NOT NULL
) STRICT;

-- table benchmark
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

-- table boundary
CREATE TABLE boundary (
  metric_id INTEGER PRIMARY KEY REFERENCES metric (id) ON DELETE CASCADE,
  threshold_id INTEGER NOT NULL REFERENCES threshold (id),
  model_id INTEGER NOT NULL REFERENCES model (id),
  baseline REAL,
  lower_limit REAL,
  upper_limit REAL
) STRICT;

-- table branch
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

-- table head
CREATE TABLE head (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  branch_id INTEGER NOT NULL REFERENCES branch (id) ON DELETE CASCADE,
  start_point_id INTEGER REFERENCES head_version (id) ON DELETE SET NULL,
  created INTEGER NOT NULL,
  replaced INTEGER
) STRICT;

-- table head_version
CREATE TABLE head_version (
  id INTEGER PRIMARY KEY,
  head_id INTEGER NOT NULL REFERENCES head (id) ON DELETE CASCADE,
  version_id INTEGER NOT NULL REFERENCES version (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  UNIQUE (head_id, version_id)
) STRICT;

-- table job
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
, time_queued INTEGER, time_claimed INTEGER, time_pulled INTEGER, time_booted INTEGER, time_ran INTEGER, time_processed INTEGER) STRICT;

-- table job_duration_by_report
CREATE TABLE job_duration_by_report (
  report_id INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
  job_duration INTEGER NOT NULL DEFAULT 0
) STRICT;

-- table measure
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

-- table metric
CREATE TABLE metric (
  id INTEGER PRIMARY KEY,
  report_benchmark_id INTEGER NOT NULL REFERENCES report_benchmark (id) ON DELETE CASCADE,
  measure_id INTEGER NOT NULL REFERENCES measure (id),
  value REAL NOT NULL,
  lower_value REAL,
  upper_value REAL,
  UNIQUE (report_benchmark_id, measure_id)
) STRICT;

-- table metric_count_by_report
CREATE TABLE metric_count_by_report (
  report_id INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
  metric_count INTEGER NOT NULL DEFAULT 0
) STRICT;

-- table model
CREATE TABLE model (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  threshold_id INTEGER NOT NULL REFERENCES threshold (id) ON DELETE CASCADE,
  test INTEGER NOT NULL,
  min_sample_size INTEGER CHECK (min_sample_size > 0),
  max_sample_size INTEGER CHECK (max_sample_size > 0),
  window INTEGER CHECK (window > 0),
  lower_boundary REAL,
  upper_boundary REAL,
  created INTEGER NOT NULL,
  replaced INTEGER
) STRICT;

-- table organization
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

-- table organization_role
CREATE TABLE organization_role (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user (id),
  organization_id INTEGER NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  UNIQUE (user_id, organization_id)
) STRICT;

-- table plan
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

-- table plot
CREATE TABLE plot (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  title TEXT,
  lower_value INTEGER NOT NULL CHECK (lower_value IN (0, 1)),
  upper_value INTEGER NOT NULL CHECK (upper_value IN (0, 1)),
  lower_boundary INTEGER NOT NULL CHECK (lower_boundary IN (0, 1)),
  upper_boundary INTEGER NOT NULL CHECK (upper_boundary IN (0, 1)),
  x_axis INTEGER NOT NULL,
  y_axis INTEGER NOT NULL,
  window INTEGER NOT NULL CHECK (window > 0),
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL
) STRICT;

-- table plot_benchmark
CREATE TABLE plot_benchmark (
  plot_id INTEGER NOT NULL REFERENCES plot (id) ON DELETE CASCADE,
  benchmark_id INTEGER NOT NULL REFERENCES benchmark (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  PRIMARY KEY (plot_id, benchmark_id)
) STRICT, WITHOUT ROWID;

-- table plot_branch
CREATE TABLE plot_branch (
  plot_id INTEGER NOT NULL REFERENCES plot (id) ON DELETE CASCADE,
  branch_id INTEGER NOT NULL REFERENCES branch (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  PRIMARY KEY (plot_id, branch_id)
) STRICT, WITHOUT ROWID;

-- table plot_measure
CREATE TABLE plot_measure (
  plot_id INTEGER NOT NULL REFERENCES plot (id) ON DELETE CASCADE,
  measure_id INTEGER NOT NULL REFERENCES measure (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  PRIMARY KEY (plot_id, measure_id)
) STRICT, WITHOUT ROWID;

-- table plot_testbed
CREATE TABLE plot_testbed (
  plot_id INTEGER NOT NULL REFERENCES plot (id) ON DELETE CASCADE,
  testbed_id INTEGER NOT NULL REFERENCES testbed (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  PRIMARY KEY (plot_id, testbed_id)
) STRICT, WITHOUT ROWID;

-- table project
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

-- table project_key
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

-- table project_role
CREATE TABLE project_role (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user (id),
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  UNIQUE (user_id, project_id)
) STRICT;

-- table report
CREATE TABLE report (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  idempotency_key TEXT,
  user_id INTEGER REFERENCES user (id),
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  head_id INTEGER NOT NULL REFERENCES head (id),
  version_id INTEGER NOT NULL REFERENCES version (id),
  testbed_id INTEGER NOT NULL REFERENCES testbed (id),
  spec_id INTEGER REFERENCES spec (id) ON DELETE SET NULL,
  adapter INTEGER NOT NULL,
  start_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  created INTEGER NOT NULL
) STRICT;

-- table report_benchmark
CREATE TABLE report_benchmark (
  id INTEGER PRIMARY KEY,
  report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
  iteration INTEGER NOT NULL CHECK (iteration >= 0),
  benchmark_id INTEGER NOT NULL,
  UNIQUE (report_id, benchmark_id, iteration)
) STRICT;

-- table report_host
CREATE TABLE report_host (
  report_id INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
  host TEXT NOT NULL CHECK (length(host) <= 16384)
) STRICT;

-- table report_warnings
CREATE TABLE report_warnings (
  report_id INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
  warnings TEXT NOT NULL
) STRICT;

-- table runner
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

-- table runner_spec
CREATE TABLE runner_spec (
  id INTEGER PRIMARY KEY,
  runner_id INTEGER NOT NULL REFERENCES runner (id) ON DELETE CASCADE,
  spec_id INTEGER NOT NULL REFERENCES spec (id) ON DELETE RESTRICT,
  UNIQUE (runner_id, spec_id)
) STRICT;

-- table series_last_seen
CREATE TABLE series_last_seen (
  organization_id INTEGER NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  testbed_id INTEGER NOT NULL REFERENCES testbed (id) ON DELETE CASCADE,
  benchmark_id INTEGER NOT NULL REFERENCES benchmark (id) ON DELETE CASCADE,
  measure_id INTEGER NOT NULL REFERENCES measure (id) ON DELETE CASCADE,
  last_seen INTEGER NOT NULL,
  PRIMARY KEY (testbed_id, benchmark_id, measure_id)
) STRICT, WITHOUT ROWID;

-- table server
CREATE TABLE server (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  uuid TEXT NOT NULL UNIQUE,
  -- Keys the permutation that makes a metric's public UUID of its row id.
  metric_key BLOB NOT NULL CHECK (length(metric_key) = 16),
  created INTEGER NOT NULL
) STRICT;

-- table spec
CREATE TABLE spec (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  os TEXT NOT NULL CHECK (os IN ('linux', 'macos', 'windows')),
  architecture TEXT NOT NULL CHECK (architecture IN ('x86_64', 'aarch64')),
  sandbox TEXT CHECK (sandbox IN ('firecracker')),
  cpu INTEGER NOT NULL CHECK (cpu > 0),
  memory INTEGER NOT NULL CHECK (memory > 0),
  disk INTEGER NOT NULL CHECK (disk > 0),
  network INTEGER NOT NULL DEFAULT 0 CHECK (network IN (0, 1)),
  -- When it became the server's default; at most one spec has it.
  fallback INTEGER,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  archived INTEGER
) STRICT;

-- table sso
CREATE TABLE sso (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  organization_id INTEGER NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  domain TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL
) STRICT;

-- table testbed
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

-- table threshold
CREATE TABLE "threshold" (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  branch_id INTEGER NOT NULL REFERENCES branch (id),
  testbed_id INTEGER NOT NULL REFERENCES testbed (id),
  measure_id INTEGER NOT NULL REFERENCES measure (id),
  benchmark_id INTEGER REFERENCES benchmark (id),
  model_id INTEGER REFERENCES model (id),
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL
) STRICT;

-- table token
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

-- table user
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

-- table user_key
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

-- table version
CREATE TABLE version (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number >= 0),
  hash TEXT
) STRICT;

-- trigger trigger_benchmark_in_use
CREATE TRIGGER trigger_benchmark_in_use BEFORE DELETE ON benchmark
WHEN EXISTS (SELECT 1 FROM project WHERE id = old.project_id)
  AND EXISTS (SELECT 1 FROM report CROSS JOIN report_benchmark ON report_benchmark.report_id = report.id AND
              report_benchmark.benchmark_id = old.id WHERE report.project_id = old.project_id)
BEGIN
  SELECT RAISE (ABORT, 'a report has the benchmark');
END;

-- trigger trigger_version_number
CREATE TRIGGER trigger_version_number AFTER UPDATE OF number ON version BEGIN
  UPDATE head_version SET number = new.number WHERE version_id = new.id;
END;

-- view metric_boundary
CREATE VIEW metric_boundary AS
SELECT metric.id AS metric_id, metric.report_benchmark_id, metric.measure_id, metric.value, metric.lower_value,
       metric.upper_value, boundary.threshold_id, boundary.model_id, boundary.baseline, boundary.lower_limit,
       boundary.upper_limit
FROM metric LEFT JOIN boundary ON boundary.metric_id = metric.id;

