DROP TABLE report_host;
