-- foreign keys: off
-- Thresholds of one benchmark go, with what they have judged.
DELETE FROM alert WHERE boundary_id IN (SELECT metric_id FROM boundary WHERE threshold_id IN
  (SELECT id FROM threshold WHERE benchmark_id IS NOT NULL));
DELETE FROM boundary WHERE threshold_id IN (SELECT id FROM threshold WHERE benchmark_id IS NOT NULL);
DELETE FROM model WHERE threshold_id IN (SELECT id FROM threshold WHERE benchmark_id IS NOT NULL);
CREATE TABLE threshold_old (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
  branch_id INTEGER NOT NULL REFERENCES branch (id),
  testbed_id INTEGER NOT NULL REFERENCES testbed (id),
  measure_id INTEGER NOT NULL REFERENCES measure (id),
  model_id INTEGER REFERENCES model (id),
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  UNIQUE (branch_id, testbed_id, measure_id)
) STRICT;
INSERT INTO threshold_old (id, uuid, project_id, branch_id, testbed_id, measure_id, model_id, created, modified)
  SELECT id, uuid, project_id, branch_id, testbed_id, measure_id, model_id, created, modified FROM threshold
  WHERE benchmark_id IS NULL;
DROP INDEX index_threshold_unique;
DROP INDEX index_threshold_project_created;
DROP INDEX index_threshold_testbed;
DROP INDEX index_threshold_measure;
DROP INDEX index_threshold_benchmark;
DROP INDEX index_threshold_model;
DROP TABLE threshold;
ALTER TABLE threshold_old RENAME TO threshold;
CREATE INDEX index_threshold_project_created ON threshold (project_id, created);
CREATE INDEX index_threshold_testbed ON threshold (testbed_id);
CREATE INDEX index_threshold_measure ON threshold (measure_id);
CREATE INDEX index_threshold_model ON threshold (model_id);
