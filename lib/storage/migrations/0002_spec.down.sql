DROP INDEX index_spec_fallback;
DROP TABLE spec;
