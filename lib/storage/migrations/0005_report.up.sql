-- Reports and what they hold. The rows of one metric have no UUID of their own: a metric's is computed from its id, the
-- others are never named outside. A boundary is identified by its metric.
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
CREATE UNIQUE INDEX index_report_idempotency_key ON report (project_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX index_report_testbed_end_time ON report (testbed_id, end_time);
CREATE INDEX index_report_version_testbed ON report (version_id, testbed_id);
CREATE INDEX index_report_project_created ON report (project_id, created);
CREATE INDEX index_report_project_start_time ON report (project_id, start_time);
CREATE INDEX index_report_head ON report (head_id);
CREATE INDEX index_report_user ON report (user_id);
CREATE INDEX index_report_spec ON report (spec_id) WHERE spec_id IS NOT NULL;

-- There is no index by benchmark: each report would change a page of it for every benchmark. A series is found by way of
-- its reports. So `benchmark_id` is no foreign key, since the check of one would read the whole table for each benchmark
-- that is deleted. What it would refuse is refused by others: a benchmark that a report has is not deleted, by the
-- trigger below; and only what has a row of series_last_seen, whose foreign keys are checked, gets a row here.
CREATE TABLE report_benchmark (
  id INTEGER PRIMARY KEY,
  report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
  iteration INTEGER NOT NULL CHECK (iteration >= 0),
  benchmark_id INTEGER NOT NULL,
  UNIQUE (report_id, benchmark_id, iteration)
) STRICT;
-- When the whole project goes its row is gone first, and its reports go too.
CREATE TRIGGER trigger_benchmark_in_use BEFORE DELETE ON benchmark
WHEN EXISTS (SELECT 1 FROM project WHERE id = old.project_id)
  AND EXISTS (SELECT 1 FROM report CROSS JOIN report_benchmark ON report_benchmark.report_id = report.id AND
              report_benchmark.benchmark_id = old.id WHERE report.project_id = old.project_id)
BEGIN
  SELECT RAISE (ABORT, 'a report has the benchmark');
END;

CREATE TABLE metric (
  id INTEGER PRIMARY KEY,
  report_benchmark_id INTEGER NOT NULL REFERENCES report_benchmark (id) ON DELETE CASCADE,
  measure_id INTEGER NOT NULL REFERENCES measure (id),
  value REAL NOT NULL,
  lower_value REAL,
  upper_value REAL,
  UNIQUE (report_benchmark_id, measure_id)
) STRICT;

CREATE TABLE boundary (
  metric_id INTEGER PRIMARY KEY REFERENCES metric (id) ON DELETE CASCADE,
  threshold_id INTEGER NOT NULL REFERENCES threshold (id),
  model_id INTEGER NOT NULL REFERENCES model (id),
  baseline REAL,
  lower_limit REAL,
  upper_limit REAL
) STRICT;

CREATE TABLE alert (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  boundary_id INTEGER NOT NULL REFERENCES boundary (metric_id) ON DELETE CASCADE,
  report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
  boundary_limit INTEGER NOT NULL CHECK (boundary_limit IN (0, 1)),
  status INTEGER NOT NULL CHECK (status IN (0, 1, 10)),
  modified INTEGER NOT NULL
) STRICT;
CREATE INDEX index_alert_boundary ON alert (boundary_id);
CREATE INDEX index_alert_report ON alert (report_id);

CREATE TABLE metric_count_by_report (
  report_id INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
  metric_count INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE series_last_seen (
  organization_id INTEGER NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  testbed_id INTEGER NOT NULL REFERENCES testbed (id) ON DELETE CASCADE,
  benchmark_id INTEGER NOT NULL REFERENCES benchmark (id) ON DELETE CASCADE,
  measure_id INTEGER NOT NULL REFERENCES measure (id) ON DELETE CASCADE,
  last_seen INTEGER NOT NULL,
  PRIMARY KEY (testbed_id, benchmark_id, measure_id)
) STRICT, WITHOUT ROWID;

CREATE VIEW metric_boundary AS
SELECT metric.id AS metric_id, metric.report_benchmark_id, metric.measure_id, metric.value, metric.lower_value,
       metric.upper_value, boundary.threshold_id, boundary.model_id, boundary.baseline, boundary.lower_limit,
       boundary.upper_limit
FROM metric LEFT JOIN boundary ON boundary.metric_id = metric.id;
