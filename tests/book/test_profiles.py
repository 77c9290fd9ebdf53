"""profiles.yml and the notebooks agree, or the error names what does not."""

import pytest

from exprml.base.errors import ExprmlError, ParameterError, UnknownNameError
from exprml.book import profiles

PARAMETERS = "n_folds: int = 5  # folds\nrate: float = 0.1  # step"
LISTS = "widths: list = [3, 9]  # units\nkinds: list = ['a', 'b']  # words\ncentred: bool = True  # or not"


def test_values_are_the_cells_own_with_what_the_profile_changes(project):
    project.add("index", parameters=PARAMETERS, smoke={"n_folds": 2}, paper={"rate": 1})
    notebook = profiles.find("index")
    assert notebook.values("default") == {"n_folds": 5, "rate": 0.1}
    assert notebook.values("smoke") == {"n_folds": 2, "rate": 0.1}
    assert notebook.values("paper", {"n_folds": 9}) == {"n_folds": 9, "rate": 1.0}


def test_a_rehearsal_has_the_papers_values_with_smaller_sizes(project):
    sizes = {"n_folds": 2, "widths": [2, 3], "kinds": ["b"]}
    rates = {"rate": 0.5, "n_folds": 9}
    project.add(
        "index", parameters=f"{PARAMETERS}\n{LISTS}", smoke={"n_folds": 3}, paper=rates, rehearse=sizes
    )
    assert profiles.find("index").values("rehearsal") == {"rate": 0.5, "centred": True, **sizes}


def test_unknown_names_come_with_the_nearest(project):
    project.add("index", parameters=PARAMETERS)
    project.add("heil2022/01-simulated", "1")
    project.add("heil2022/02-gtex", "1")
    with pytest.raises(UnknownNameError, match="did you mean 'smoke'"):
        profiles.find("index").values("smoky")
    with pytest.raises(UnknownNameError, match="did you mean 'n_folds'"):
        profiles.find("index").values("smoke", {"n_fold": 1})
    with pytest.raises(UnknownNameError, match="did you mean 'heil2022/01-simulated'"):
        profiles.find("heil2022/01-simulatd")
    assert profiles.find("02-gtex").name == "heil2022/02-gtex"
    with pytest.raises(UnknownNameError, match="fits 2"):
        profiles.find("heil2022")


@pytest.mark.parametrize(
    ("entry", "error", "words"),
    [
        ({"smoke": None}, ExprmlError, "`smoke:` is missing"),
        ({"rehearse": None}, ExprmlError, "`rehearse:` is missing"),
        ({"rehearse": {"rate": 0.05}}, ParameterError, "no smaller size than 0.1 under paper"),
        ({"rehearse": {"n_folds": 6}}, ParameterError, "no smaller size than 5 under paper"),
        ({"rehearse": {"widths": [4, 5]}}, ParameterError, "no smaller size than \\[3, 9\\] under paper"),
        ({"rehearse": {"kinds": ["c"]}}, ParameterError, "no smaller size"),
        ({"rehearse": {"centred": False}}, ParameterError, "no smaller size"),
        ({"smoke": {"folds": 2}}, UnknownNameError, "did you mean 'n_folds'"),
        ({"smoke": {"n_folds": "two"}}, ParameterError, "expected int"),
        ({"paper": {"rate": True}}, ParameterError, "expected float"),
        ({"need": []}, UnknownNameError, "did you mean 'needs'"),
        ({"needs": ["other"]}, UnknownNameError, "needed by 'index'"),
        ({"needs": ["index"]}, ExprmlError, "circle: index -> index"),
        ({"data": {"x": {"smok": []}}}, UnknownNameError, "did you mean 'smoke'"),
        ({"published": {"x": "GTEx v8"}}, UnknownNameError, "data slot"),
    ],
)
def test_an_entry_that_contradicts_its_notebook_is_refused(project, entry, error, words):
    project.add("index", parameters=f"{PARAMETERS}\n{LISTS}", **entry)
    with pytest.raises(error, match=words):
        profiles.notebooks()


def test_a_notebook_without_entry_and_an_entry_without_notebook_are_refused(project):
    path = project.add("index", "1")
    other = path.with_name("other.ipynb")
    other.write_bytes(path.read_bytes())
    with pytest.raises(ExprmlError, match="'other' has no entry"):
        profiles.notebooks()
    other.unlink()
    path.rename(other)
    with pytest.raises(UnknownNameError, match="'index'"):
        profiles.notebooks()


def test_order_puts_what_is_needed_first(project):
    project.add("a", needs=["c"])
    project.add("b")
    project.add("c", needs=["b"])
    assert profiles.in_order(profiles.notebooks()) == ["b", "c", "a"]
