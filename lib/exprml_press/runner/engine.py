"""Papermill's engine, without its habit of writing the whole notebook twice for every cell."""

from __future__ import annotations

from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines


class SavingAtTheEnd(NBClientEngine):
    """Writes the notebook when it begins and when it ends, however it ends.

    Nobody reads it before: a run cut short leaves nothing. Written after every cell, a page full of
    pictures cost two seconds.
    """

    name = "saving at the end"

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any
    ) -> None:
        """Run the cells with nowhere to save to; papermill saves once more afterwards."""
        place, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.output_path = place


papermill_engines.register(SavingAtTheEnd.name, SavingAtTheEnd)
