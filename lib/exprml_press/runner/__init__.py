"""Running notebooks: one by papermill, or all of them and the site by the run graph."""
