"""Tables and computed sentences on the page."""

import html
import re

import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError
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
    assert shown.startswith('<div class="exprml-scroll"><table class="dataframe exprml-table">')


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
