"""What the worker writes about a page beside what the notebook says."""

import json

from exprml.book.context import results_path
from exprml_press.runner import worker


def test_a_page_that_reads_results_carries_the_roles_behind_them(project):
    project.add("heil2022/a")
    stamp = results_path("heil2022/a", "smoke", ".json")
    stamp.parent.mkdir(parents=True)
    stamp.write_text(json.dumps({"roles": {"tissues": "twin"}}))
    assert worker.roles_behind(["heil2022/a", "heil2022/b"], "smoke") == {"heil2022/a tissues": "twin"}
    assert worker.roles_behind(["heil2022/a"], "default") == {}
