-- Between which reports the level of an alert's series has changed. As in report_benchmark, benchmark_id is no declared
-- key: the alert's own row keeps the benchmark.
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
CREATE INDEX index_alert_change_threshold ON alert_change (threshold_id);
CREATE INDEX index_alert_change_last_good ON alert_change (last_good_id);
CREATE INDEX index_alert_change_first_bad ON alert_change (first_bad_id);
