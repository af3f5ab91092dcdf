-- foreign keys: off
-- A threshold may be of one benchmark only. The table is made anew, because its uniqueness was declared within it.
CREATE TABLE threshold_new (
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
INSERT INTO threshold_new (id, uuid, project_id, branch_id, testbed_id, measure_id, model_id, created, modified)
  SELECT id, uuid, project_id, branch_id, testbed_id, measure_id, model_id, created, modified FROM threshold;
DROP TABLE threshold;
ALTER TABLE threshold_new RENAME TO threshold;
CREATE UNIQUE INDEX index_threshold_unique ON threshold (branch_id, testbed_id, measure_id, ifnull(benchmark_id, 0));
CREATE INDEX index_threshold_project_created ON threshold (project_id, created);
CREATE INDEX index_threshold_testbed ON threshold (testbed_id);
CREATE INDEX index_threshold_measure ON threshold (measure_id);
CREATE INDEX index_threshold_benchmark ON threshold (benchmark_id);
CREATE INDEX index_threshold_model ON threshold (model_id);
