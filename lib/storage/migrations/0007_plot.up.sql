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
CREATE INDEX index_plot_project_created ON plot (project_id, created);
CREATE TABLE plot_branch (
  plot_id INTEGER NOT NULL REFERENCES plot (id) ON DELETE CASCADE,
  branch_id INTEGER NOT NULL REFERENCES branch (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  PRIMARY KEY (plot_id, branch_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE plot_testbed (
  plot_id INTEGER NOT NULL REFERENCES plot (id) ON DELETE CASCADE,
  testbed_id INTEGER NOT NULL REFERENCES testbed (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  PRIMARY KEY (plot_id, testbed_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE plot_benchmark (
  plot_id INTEGER NOT NULL REFERENCES plot (id) ON DELETE CASCADE,
  benchmark_id INTEGER NOT NULL REFERENCES benchmark (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  PRIMARY KEY (plot_id, benchmark_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE plot_measure (
  plot_id INTEGER NOT NULL REFERENCES plot (id) ON DELETE CASCADE,
  measure_id INTEGER NOT NULL REFERENCES measure (id) ON DELETE CASCADE,
  rank INTEGER NOT NULL,
  PRIMARY KEY (plot_id, measure_id)
) STRICT, WITHOUT ROWID;
