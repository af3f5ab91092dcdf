DROP INDEX index_alert_change_first_bad;
DROP INDEX index_alert_change_last_good;
DROP INDEX index_alert_change_threshold;
DROP TABLE alert_change;
