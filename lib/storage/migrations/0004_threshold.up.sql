CREATE TABLE threshold (
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
CREATE INDEX index_threshold_project_created ON threshold (project_id, created);
CREATE INDEX index_threshold_testbed ON threshold (testbed_id);
CREATE INDEX index_threshold_measure ON threshold (measure_id);
CREATE INDEX index_threshold_model ON threshold (model_id);

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
CREATE INDEX index_model_threshold_created ON model (threshold_id, created);
