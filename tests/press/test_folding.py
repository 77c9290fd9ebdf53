"""Which cells fold on a page: those that only import, draw, write or print."""

import pytest

from exprml_press import folding

IMPORTS = (
    "import numpy as np\nfrom sklearn.pipeline import make_pipeline\n"
    "from exprml.book import figures, report, results, tables\n"
    "from exprml.models import presets\nfrom exprml.evaluation import scoring"
)


def cells_of(*sources, **metadata):
    return [{"cell_type": "code", "metadata": dict(metadata), "source": one} for one in (IMPORTS, *sources)]


@pytest.mark.parametrize(
    "source",
    [
        "figures.show(figures.confusion(counts), name='fig', alt='x')",
        "print(f'{len(rows)} rows')",
        "wide = rows.pivot_table(index='model')\ntables.show(wide)",
        "results.write(rows, run, 'x-forest')",
        "def drawn(rows):\n    return figures.confusion(rows)\n\n\ndrawn(rows)\ntables.say('so')",
    ],
)
def test_what_draws_writes_or_prints_folds(source):
    assert folding.plumbing_cells(cells_of(source))[1]


@pytest.mark.parametrize(
    "source",
    [
        "run = report.start('a', seed=0)",
        "model = presets.make('heil2022/five-layer')",
        "models = {name: make_pipeline(presets.make(name)) for name in names}",
        "rows = scoring.cross_validate(models, data)\nresults.write(rows, run)",
        "built = list(map(presets.make, names))\nprint(built)",
        "values = np.log1p(counts)",
        "%matplotlib inline",
    ],
)
def test_data_models_splits_fits_and_scores_stay_open(source):
    assert not folding.plumbing_cells(cells_of(source))[1]


def test_a_function_of_the_notebook_is_what_it_calls():
    define = "def build(name):\n    return presets.make(name)"
    again = "def both(name):\n    return [build(name), build(name)]"
    assert folding.plumbing_cells(cells_of(define, again, "print(both('a'))")) == [True, False, False, False]


def test_the_answer_folds_whatever_it_calls():
    (_, answer) = cells_of("tables.answer(run, scoring.at_full_size(table), '')", tags=["answer"])
    folding.fold([cells_of()[0], answer])
    assert answer["metadata"]["tags"] == ["answer", "hide-input"]


def test_cells_are_tagged_and_a_tag_decides():
    folded, shown, kept = (
        cells_of("print(1)")[1],
        cells_of("print(1)", tags=["show-input"])[1],
        cells_of("x = 1")[1],
    )
    cells = [
        cells_of()[0],
        folded,
        shown,
        kept,
        {"cell_type": "markdown", "metadata": {}, "source": "print(1)"},
    ]
    folding.fold(cells)
    folding.fold(cells)
    assert [cell["metadata"].get("tags") for cell in cells[1:]] == [
        ["hide-input"],
        ["show-input"],
        None,
        None,
    ]
