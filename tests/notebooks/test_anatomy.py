"""Every notebook keeps the anatomy that CONTRIBUTING.md asks for."""

import ast
import json
import re

import pandas as pd
import pytest

from exprml.base.files import data_folder, project_root
from exprml.book import claims, profiles
from exprml_press import folding

NOTEBOOKS = sorted((project_root() / "notebooks").rglob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.stem != "index"]
LEAST_WORDS, MOST_PARAMETERS = 700, 12
MOST_LINES = {
    "shown": 12,
    "folded": 25,
    "remove-input": 25,
    "answer": 25,
}  # folded on the page; not on it at all
MOST_TAGS = 2  # cells of a notebook that a tag folds or shows, whatever they call
MOST_PLUMBING = 1 / 3  # of the code lines that stand open
SUBJECT = r"\.fit\(|\binfer(_across)?\(|cross_validate\(|before_and_after\(|presets\.make\(|three_parts\("


def name_of(path) -> str:
    return path.relative_to(project_root() / "notebooks").with_suffix("").as_posix()


@pytest.fixture(params=NOTEBOOKS, ids=name_of)
def path(request):
    return request.param


@pytest.fixture(params=CHAPTERS, ids=name_of)
def chapter(request):
    return request.param


def cells(path, kind: str) -> list[dict]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def sources(path, kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(path, kind)]


def parameter_cells(path) -> list[str]:
    return [
        "".join(cell["source"])
        for cell in cells(path, "code")
        if "parameters" in cell["metadata"].get("tags", [])
    ]


def test_outputs_are_stripped(path):
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells(path, "code"))


def test_one_parameters_cell_of_typed_literals_with_a_comment_each(path):
    (source,) = parameter_cells(path)
    lines = source.splitlines()
    assert len(lines) <= MOST_PARAMETERS
    assert all(re.match(r"\w+: (int|float|str|bool|list) = .+  # \w", line) for line in lines)


def test_code_cells_are_short_and_folded_ones_only_show(path):
    code_cells = cells(path, "code")
    folding.fold(code_cells)
    for cell in code_cells:
        code, tags = "".join(cell["source"]), set(cell["metadata"].get("tags", []))
        kind = next((one for one in ("remove-input", "answer") if one in tags), "shown")
        kind = "folded" if "hide-input" in tags and kind == "shown" else kind
        lines = [line for line in code.splitlines() if line.strip()]
        assert len(lines) <= MOST_LINES[kind], code
        assert kind not in ("folded", "answer") or not re.search(SUBJECT, code), f"folded on the page: {code}"


def test_what_tables_return_stands_last_in_its_cell_or_nobody_sees_it(path):
    for cell in cells(path, "code"):
        body = ast.parse("".join(cell["source"])).body
        alone = [
            node
            for top in body
            for node in ast.walk(top)
            if isinstance(node, ast.Expr) and node is not body[-1]
        ]
        lost = [one for one in map(ast.unparse, alone) if re.match(r"tables\.\w+\(", one)]
        assert not lost, lost


def open_lines(code_cells: list[dict]) -> tuple[int, int]:
    """Return the code lines that stand open on a page, and those of them in statements of plumbing."""
    folding.fold(code_cells)
    statements = [
        {"cell_type": "code", "metadata": cell["metadata"], "source": ast.unparse(node)}
        for cell in code_cells
        for node in ast.parse("".join(cell["source"])).body
    ]
    told = zip(statements, folding.plumbing_cells(statements), strict=True)
    lines = [
        (len(one["source"].splitlines()), plumbing)
        for one, plumbing in told
        if not {"hide-input", "answer"} & {*one["metadata"].get("tags", [])}
    ]
    return sum(count for count, _ in lines), sum(count for count, plumbing in lines if plumbing)


def test_what_stands_open_is_method(chapter):
    """Cells fold by what they call; of the lines that stand open at most a third draw, write or print."""
    code_cells = cells(chapter, "code")
    assert (
        sum(bool({"hide-input", "show-input"} & {*cell["metadata"].get("tags", [])}) for cell in code_cells)
        <= MOST_TAGS
    )
    every, plumbing = open_lines(code_cells)
    assert plumbing <= MOST_PLUMBING * every


def test_prose_carries_the_page(chapter):
    assert len(" ".join(sources(chapter, "markdown")).split()) >= LEAST_WORDS


def test_title_is_a_question_and_the_sections_are_there(chapter):
    first, *rest = sources(chapter, "markdown")
    assert re.match(r"# .+\?\n", first)
    for words in ("What you'll do", "What you'll learn", "What you'll need", "Minutes"):
        assert f"**{words}" in first
    text = "\n".join(rest)
    for words in ("**Predict.**", "## Published and reproduced", "## Exercises", "## Summary", "**Limits.**"):
        assert words in text


def test_two_to_four_exercises_each_with_a_solution(chapter):
    text = "\n".join(sources(chapter, "markdown"))
    labels = re.findall(r"```\{exercise\}\n:label: (\S+)", text)
    assert 2 <= len(labels) <= 4
    assert re.findall(r"```\{solution\} (\S+)", text) == labels


def test_every_figure_has_name_and_caption_and_is_last_in_its_cell(path):
    for code in sources(path, "code"):
        shown = len(re.findall(r"figures\.show\(", code))
        if not shown:
            continue
        assert shown == 1
        assert all(f"    {word}=" in code for word in ("name", "caption"))
        assert code.rstrip().endswith(")")
        last = re.findall(r"^\S.*", code, flags=re.M)
        assert last[-2].startswith("figures.show(") or last[-1].startswith("tables.where_possible(")


def test_low_errors_and_high_scores_run_through_the_colours_in_opposite_directions(path):
    for code in sources(path, "code"):
        if "heatmap_table(" in code:
            caption = code.partition("caption=")[2].partition("role=")[0].lower()
            assert ("error" in caption or "flatter" in caption) == ('better="lower"' in code), code


def test_no_two_figures_of_the_book_have_one_name():
    """A name is a label of the site: a second one is a warning, and warnings stop the build."""
    names = [
        name
        for path in NOTEBOOKS
        for source in sources(path, "code")
        for name in re.findall(r'name="(fig-[\w-]+)"', source)
    ]
    assert len(names) > 50
    assert sorted(names) == sorted(set(names))


def test_no_paths_no_profiles_and_a_run_report_at_the_end(path):
    code = "\n".join(sources(path, "code"))
    assert not re.search(r"\bprofile\s*==|open\(|Path\(|read_csv|['\"]/", code)
    assert sources(path, "code")[-1] == "run.finish()"


def test_experiments_of_the_metadata_are_known_and_written(chapter):
    listed = json.loads(chapter.read_text())["metadata"]["exprml"]["experiments"]
    known = set(pd.read_csv(data_folder("experiments.csv"))["id"])
    assert listed
    assert set(listed) <= known
    results = data_folder("reference", name_of(chapter) + ".csv")
    drawings = set(pd.read_csv(data_folder("experiments.csv")).query("models == 'drawing'")["id"])
    assert set(pd.read_csv(results)["experiment"]) == set(listed) - drawings


def test_a_reference_run_is_stamped(chapter):
    stamp = json.loads(data_folder("reference", name_of(chapter) + ".json").read_text())
    assert stamp["parameters"]


def test_each_chapter_has_claims_and_each_notebook_an_entry(chapter):
    assert claims.ledger(notebook=name_of(chapter))
    assert profiles.find(name_of(chapter)).entry["minutes"]["default"] <= 3


def test_terms_are_in_the_glossary():
    book = project_root() / "book"
    lines = (book / "glossary.md").read_text(encoding="utf-8").splitlines()
    known = {line.lower() for line in lines if line and not line.startswith((" ", "`", "#"))}
    pages = {path: "".join(sources(path, "markdown")) for path in NOTEBOOKS}
    pages |= {path: path.read_text(encoding="utf-8") for path in book.glob("*.md")}
    asked = {
        (path.stem, term) for path, text in pages.items() for term in re.findall(r"{term}`([^`]+)`", text)
    }
    unknown = {one for one in asked if re.sub(r".*<(.+)>", r"\1", one[1]).lower() not in known}
    assert not unknown
