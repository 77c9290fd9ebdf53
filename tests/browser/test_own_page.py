"""The page of a reader's own files in a real browser: what a file says is shown there, never done."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd

EXPRML = [sys.executable, "-c", "import sys; from exprml_press.cli import main; sys.exit(main())"]
TINY = ["epochs=1", "n_trees=2", "n_genes=10", "fractions=[1.0]", "check_folds=1", "n_folds=2"]
CLASSES = ["<script>document.title = 'done'</script>", "<img src=x onerror=\"document.title='done'\">"]


def test_a_class_named_like_a_script_is_shown_and_does_nothing(project, visit):
    names = [f"S{number}" for number in range(24)]
    values = np.random.default_rng(0).normal(5, 1, (24, 12))
    pd.DataFrame(values, names, [f"G{n}" for n in range(12)]).to_csv(project.root / "x.csv")
    labels = pd.DataFrame({"sample": names, "tissue": CLASSES * 12, "donor": [f"d{n}" for n in range(24)]})
    labels.to_csv(project.root / "y.csv", index=False)
    files = ["--expression", "x.csv", "--samples-in", "rows", "--labels", "y.csv"]
    columns = ["--label", "tissue", "--group", "donor", "--folds", "2", "--output", "my/page"]
    for command in (
        ["new", "tissue-benchmark", *files, *columns],
        ["run", "my/page", *(word for one in TINY for word in ("-p", one))],
    ):
        done = subprocess.run(
            [*EXPRML, *command],
            cwd=project.root,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    there = visit((project.root / "my" / "page-changed.html").as_uri())
    shown = there.run("return document.body.innerText")
    assert all(one in shown for one in CLASSES)
    assert there.run("return document.title") != "done"
    assert not there.run(
        "return [...document.scripts].filter(one => one.textContent.includes('done')).length"
    )
    assert not [url for url in there.asked if url.endswith("/x")]
