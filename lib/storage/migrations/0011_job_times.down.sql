ALTER TABLE job DROP COLUMN time_processed;
ALTER TABLE job DROP COLUMN time_ran;
ALTER TABLE job DROP COLUMN time_booted;
ALTER TABLE job DROP COLUMN time_pulled;
ALTER TABLE job DROP COLUMN time_claimed;
ALTER TABLE job DROP COLUMN time_queued;
