"""Running notebooks: one by papermill, or all of them and the site by the run graph."""

from exprml_press.runner.worker import Outcome, run_notebook

__all__ = ["Outcome", "run_notebook"]
