DROP TABLE plot_measure;
DROP TABLE plot_benchmark;
DROP TABLE plot_testbed;
DROP TABLE plot_branch;
DROP INDEX index_plot_project_created;
DROP TABLE plot;
