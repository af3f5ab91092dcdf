-- What reading a report's results left out or replaced: a JSON array of texts. Few reports have any, and lists of
-- reports do without, so it is no column of report.
CREATE TABLE report_warnings (
  report_id INTEGER PRIMARY KEY REFERENCES report (id) ON DELETE CASCADE,
  warnings TEXT NOT NULL
) STRICT;
