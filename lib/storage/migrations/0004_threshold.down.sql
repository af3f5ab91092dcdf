DROP INDEX index_model_threshold_created;
DROP INDEX index_threshold_model;
DROP INDEX index_threshold_measure;
DROP INDEX index_threshold_testbed;
DROP INDEX index_threshold_project_created;
UPDATE threshold SET model_id = NULL;
DROP TABLE model;
DROP TABLE threshold;
