"""The answer at the head of a page comes from its results table: other results, another answer."""

import json
import re
from types import SimpleNamespace

import pandas as pd
import pytest

from exprml.base.files import project_root
from exprml.book import results

CHAPTERS = [  # the front page answers from the tables of others
    path for path in sorted((project_root() / "notebooks").rglob("*.ipynb")) if path.stem != "index"
]


def name_of(path) -> str:
    return path.relative_to(project_root() / "notebooks").with_suffix("").as_posix()


def answer_on(path, table: pd.DataFrame) -> str:
    """Run the cell of the answer on a results table, with the notebook's imports and nothing else."""
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    (answer,) = ["".join(cell["source"]) for cell in cells if "answer" in cell["metadata"].get("tags", [])]
    *before, last = re.split(r"^(?=tables\.answer\()", answer, flags=re.M)
    known = {"run": SimpleNamespace(table=lambda: table.copy(), data_words="some data", plan={})}
    exec("".join(cells[0]["source"]), known)
    exec("".join(before), known)
    return eval(last, known).data


def turned_around(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table in which the best model has the rows of the worst, and so on inwards."""
    plain = table[(table["control"] == "") & (table["model"] != "")]
    order = plain.groupby("model")["value"].mean().sort_values().index
    return table.assign(model=table["model"].replace(dict(zip(order, order[::-1], strict=True))))


@pytest.mark.parametrize("path", CHAPTERS, ids=name_of)
def test_the_answer_follows_the_results(path):
    table = results.read_reference(name_of(path))
    said = answer_on(path, table)
    assert re.findall(r"^\*\*([A-Z][\w ]+)\.\*\*", said, flags=re.M) == ["Answer", "How sure", "On what data"]
    assert "nan" not in said
    assert answer_on(path, turned_around(table)) != said


BY_SETTING = {  # no models are compared: two settings, and where the answer says the number of each
    "bhukya2021/01-how-many-dimensions": {
        "uncentred": r"([\d,]+) principal components uncentred",
        "standardised": r"([\d,]+) standardised\.",
    },
    "chen2016/01-landmarks-and-targets": {
        "ranks: all": r"exchanged: by ([\d.]+)",
        "ranks: landmarks apart": r"by ([\d.]+) if ranked",
    },
}


@pytest.mark.parametrize("name", BY_SETTING)
def test_an_answer_about_settings_follows_them(name):
    path, table = project_root() / "notebooks" / f"{name}.ipynb", results.read_reference(name)
    one, other = BY_SETTING[name]
    swapped = table.assign(setting=table["setting"].replace({one: other, other: one}))
    first, second = (
        [re.search(pattern, answer_on(path, each))[1] for pattern in BY_SETTING[name].values()]
        for each in (table, swapped)
    )
    assert first[0] != first[1]
    assert second == first[::-1]


@pytest.mark.parametrize("path", CHAPTERS, ids=name_of)
def test_an_answer_fits_the_first_screen(path):
    table = results.read_reference(name_of(path))
    for rows in (table, turned_around(table)):
        found, sure, _ = re.findall(r"^\*\*[A-Z][\w ]+\.\*\* (.*)$", answer_on(path, rows), flags=re.M)
        first = re.split(r"(?<=[.!?]) (?=[A-Z])", found)[0]  # stands alone in the part's introduction
        assert len(first.split()) >= 6, first
        assert len(found.split()) <= 40, found
        sure = sure.partition("Still improving when training ended")[0]
        assert len(sure.split()) <= 45, sure
