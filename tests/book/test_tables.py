"""Tables and computed sentences on the page."""

import html
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from nbconvert.filters.markdown import markdown2html

from exprml.base.errors import DataError
from exprml.base.files import project_root
from exprml.book import tables


def cells(table, **options):
    """Return the cells of the shown table, row by row."""
    lines = re.findall(r"<tr>(.*?)</tr>", tables.show(table, **options).data, re.DOTALL)
    return [[html.unescape(cell) for cell in re.findall("<td>(.*?)</td>", line)] for line in lines]


def test_texts_and_rows_are_never_cut():
    long = "word " * 200 + "end"
    shown = tables.show(pd.DataFrame({"text": [long] * 150})).data
    assert shown.count(long) == 150
    assert "..." not in shown


def test_markup_in_cells_and_heads_is_escaped():
    shown = tables.show(pd.DataFrame({"<b>head": ["a < b & <script>x</script>"]})).data
    assert "&lt;b&gt;head" in shown
    assert "a &lt; b &amp; &lt;script&gt;" in shown
    assert "<script" not in shown


def test_missing_values_of_every_kind_are_a_dash_and_zero_is_not():
    table = pd.DataFrame({
        "float": [np.nan, 0.0], "text": [None, ""], "whole": pd.array([None, 0], dtype="Int64"),
        "mixed": [pd.NA, 0.25], "time": [pd.NaT, "now"],
    })  # fmt: skip
    assert cells(table) == [["–"] * 5, ["0.000", "", "0", "0.250", "now"]]


def test_digits_are_those_asked_for():
    assert cells(pd.DataFrame({"x": [1234.5678], "n": [17382]}), digits=1) == [["1,234.6", "17,382"]]
    assert cells(pd.DataFrame({"x": [0.00012]}), digits=5) == [["0.00012"]]


def test_the_index_is_left_out_and_the_table_can_scroll():
    shown = tables.show(pd.DataFrame({"x": [1]}, index=["nobody reads this"])).data
    assert "nobody" not in shown
    assert shown.startswith(
        '<div class="exprml-scroll mathjax_ignore"><table class="dataframe exprml-table">'
    )


def test_intervals_are_percentages_by_comparison():
    table = pd.DataFrame({
        "comparison": ["net", "ridge"], "mean": [0.0214, -0.1], "low": [0.009, -0.2], "high": [0.0337, 0.0],
    })  # fmt: skip
    assert tables.intervals(table) == {"net": "+2.1% [+0.9%, +3.4%]", "ridge": "-10.0% [-20.0%, +0.0%]"}
    assert tables.intervals(table, digits=0)["net"] == "+2% [+1%, +3%]"


def test_sentences_are_joined_into_one_paragraph():
    assert tables.say("One\n  is.", "", "Two  are.").data == "One is. Two are."


def test_sentences_become_a_paragraph_or_a_list_and_empty_ones_go():
    assert tables.say("One  thing.", "", "Two.").data == "One thing. Two."
    assert tables.say("One.", "", "Two.", bullets=True).data == "- One.\n- Two."


def test_a_name_of_the_columns_makes_no_empty_column():
    table = pd.DataFrame({"a": [1]}).rename_axis(columns="source")
    assert "source" not in tables.show(table).data


def test_a_reduction_is_below_and_its_opposite_above():
    assert tables.below(0.0312, "ridge's") == "3.1% below ridge's"
    assert tables.below(-0.2) == "20.0% above"


def test_a_part_that_the_data_do_not_allow_is_named_and_the_page_goes_on():
    def part():
        raise DataError("8 groups cannot be cut into 10 folds")

    said = tables.where_possible(part, "Plate to plate")
    assert said.data == "**Plate to plate** is left out here: 8 groups cannot be cut into 10 folds."
    assert tables.where_possible(lambda: "a figure", "Plate to plate") == "a figure"


def test_a_fault_of_the_code_is_no_part_left_out():
    with pytest.raises(ZeroDivisionError):
        tables.where_possible(lambda: 1 / 0, "Plate to plate")


HOSTILE = [
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](https://example.org/x.png)",
    "**bold** _em_ `code` ~~gone~~",
    "$x_{1}$ and \\(y\\) and $$z$$",
    "{ref}`x` {raw}`y`",
    "https://example.org a@example.org",
    "&lt;b&gt; \\* <!-- x",
    "- item",
    "1. item",
    "# title",
    "| a | b |",
    "=1+1",
    "\u80bf\u7624 \u05e9\u05dc\u05d5\u05dd",
]


@pytest.mark.parametrize("word", HOSTILE)
def test_a_word_from_a_file_stands_as_it_is_in_a_sentence(word):
    said = tables.say(f"**Mind:** {tables.plain(word)}.").data
    site = yaml.safe_load((project_root() / "_config.yml").read_text())["parse"]["myst_enable_extensions"]
    reader = create_md_parser(MdParserConfig(enable_extensions=set(site)), RendererHTML)
    for shown in (markdown2html(said), reader.render(said)):
        assert re.fullmatch(r"<p><strong>Mind:</strong> [^<]*</p>\s*", shown)
        assert html.unescape(re.sub("<[^>]*>", "", shown)).strip() == f"Mind: {word}."


def test_a_sentence_is_never_taken_for_the_name_of_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "liver").write_text("what stands in the file")
    assert tables.say(tables.plain("liver")).data == "liver"


def test_a_word_alone_on_its_line_is_no_list_or_title():
    for word in HOSTILE:
        shown = markdown2html(tables.say(tables.plain(word)).data)
        assert html.unescape(shown.strip()) == f"<p>{word}</p>"


def test_signs_that_turn_what_follows_around_are_replaced():
    assert tables.plain("a\u202eb\x00c\nd") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c d"


def test_a_table_shows_names_from_a_file_as_they_are():
    shown = tables.show(pd.DataFrame({"<b>$c$</b>": ["<script>alert(1)</script>"]})).data
    assert "&lt;b&gt;$c$&lt;/b&gt;" in shown
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert "mathjax_ignore" in shown


def test_a_function_is_shown_in_its_source_without_its_docstring():
    shown = tables.source(tables.plain).data
    assert shown.startswith("```python\n# exprml.book.tables\ndef plain(value: object) -> str:\n    text = ")
    assert "Parameters" not in shown
    assert shown.endswith("\n```")


SCORES = pd.DataFrame(
    {
        "task": "t", "setting": "removed", "control": "", "split": "group", "seed": 0, "n_train": 80,
        "metric": "balanced_accuracy", "fold": [*range(5)] * 2,
        "model": ["control/forest"] * 5 + ["ridge"] * 5,
        "value": [0.9, 0.91, 0.92, 0.9, 0.91, 0.5, 0.52, 0.5, 0.51, 0.5],
    }
)  # fmt: skip


def test_who_is_ahead_is_said_of_five_folds_and_of_no_fewer():
    assert "forest is clearly ahead of tuned ridge, by 0.4" in tables.ahead(SCORES, "control/forest", "ridge")
    assert "forest is clearly ahead of tuned ridge, by 0.4" in tables.ahead(SCORES, "ridge", "control/forest")
    assert "too few to decide" in tables.ahead(SCORES[SCORES["fold"] < 4], "control/forest", "ridge")
    assert "single fold" in tables.ahead(SCORES[SCORES["fold"] < 1], "control/forest", "ridge")


def test_of_errors_the_lower_is_ahead_and_overlap_is_no_order():
    errors = SCORES.assign(metric="mean_absolute_error")
    assert "ridge is clearly ahead" in tables.ahead(
        errors, "control/forest", "ridge", metric="mean_absolute_error"
    )
    mixed = SCORES.assign(value=[0.9, 0.5, 0.9, 0.5, 0.7, 0.5, 0.9, 0.5, 0.9, 0.7])
    assert "no clear order" in tables.ahead(mixed, "control/forest", "ridge")


def test_models_are_ranked_in_words():
    means = pd.Series({"corrected/logistic-regression": 0.5, "corrected/five-layer": 0.94, "none": np.nan})
    assert tables.ranked(means) == "five-layer net 0.94, logistic regression 0.50"
    assert tables.ranked(means[:0]) == "not run here"


def folds_of(first, second, n_folds):
    made = {first: 0.9, second: 0.6}
    rows = [
        {"model": model, "fold": fold, "seed": 0, "metric": "balanced_accuracy", "value": value + 0.01 * fold}
        for model, value in made.items()
        for fold in range(n_folds)
    ]
    return pd.DataFrame(rows)


def test_a_model_that_was_not_run_is_neither_ahead_nor_behind():
    scores = folds_of("corrected/five-layer", "random forest", 5)
    said = tables.ahead(scores, "corrected/five-layer", "corrected/three-layer")
    assert said == "five-layer net and three-layer net are not both run here"


def test_one_model_by_two_protocols_keeps_their_names():
    pair = "corrected/five-layer", "heil2022/five-layer"
    assert "corrected five-layer net is clearly ahead of published five-layer net, by" in tables.ahead(
        folds_of(*pair, 5), *pair
    )


def fits(*late: float, control: str = "") -> pd.DataFrame:
    """Return a row for each fit of a network that says whether it was still improving."""
    words = {"metric": "still_improving", "model": "corrected/three-layer", "control": control}
    return pd.DataFrame({"value": late}).assign(**words)


def test_an_answer_names_the_networks_that_were_still_improving():
    table = pd.concat([fits(1.0, 0.0, 1.0), fits(1.0, control="shuffled labels")])
    run = SimpleNamespace(data_words="a set", plan={}, table=lambda: table)
    assert "ended: three-layer net (2 of 3 fits).\n\n" in tables.answer(run, "yes", "quite.").data
    late = {"heil2022/three-layer": [1.0] * 3, "a": [1.0], "b": [1.0]}
    others = [fits(*times, 0.0, 0.0).assign(model=one) for one, times in late.items()]
    table = pd.concat([table, *others])
    said = tables.answer(run, "yes", "quite.").data
    assert "ended: published three-layer net (3 of 5 fits); corrected three-layer net (2 of 3 fits); " in said
    assert "; 1 more.\n\n" in said


@pytest.mark.parametrize(
    ("roles", "title"),
    [
        (["twin"], "Answer for simulated data"),
        (["twin", "stand-in"], "Answer"),
        (["made"], "Answer"),
        ([], "Answer"),
    ],
)
def test_an_answer_on_twins_alone_says_that_it_is_no_evidence(roles, title):
    plan = {str(i): {"role": one} for i, one in enumerate(roles)}
    run = SimpleNamespace(data_words="a set", plan=plan, table=lambda: fits(0.0))
    said = tables.answer(run, "yes", "quite").data
    assert said.startswith(f"**{title}.** Yes\n\n**How sure.** Quite\n\n**On what data.** A set.")
    assert ("no evidence about real data" in said) == (title != "Answer")
