DROP TABLE report_warnings;
