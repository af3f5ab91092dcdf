-- What the runner said of the machine that a report's job ran on: a JSON object. Only reports of jobs have it, and lists
-- of reports do without, so it is no column of report.
CREATE TABLE report_host (
  report_id INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
  host TEXT NOT NULL CHECK (length(host) <= 16384)
) STRICT;
