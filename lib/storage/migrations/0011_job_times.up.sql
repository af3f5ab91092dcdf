-- When a job reached each stage, in milliseconds since 1970 UTC.
ALTER TABLE job ADD COLUMN time_queued INTEGER;
ALTER TABLE job ADD COLUMN time_claimed INTEGER;
ALTER TABLE job ADD COLUMN time_pulled INTEGER;
ALTER TABLE job ADD COLUMN time_booted INTEGER;
ALTER TABLE job ADD COLUMN time_ran INTEGER;
ALTER TABLE job ADD COLUMN time_processed INTEGER;
