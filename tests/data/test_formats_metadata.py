import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError
from exprml.data.formats.metadata import as_texts, typed, typed_frame


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "-2"], np.array([1, -2])),
        (["1", "2.5"], np.array([1, 2.5])),
        (["1", "-666"], np.array([1, np.nan])),
        (["-666", "-666"], np.array([np.nan, np.nan])),
        (["1e-05", "3"], np.array([1e-5, 3])),
        (["True", "False"], np.array([True, False])),
    ],
)
def test_numbers_and_truth(texts, expected):
    found = typed(texts)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "texts",
    [
        ["007", "12"],
        ["2310009E13", "1"],
        ["A01", "B02"],
        ["", ""],
        ["1_000", "2"],
        ["9" * 19, "x"],
        ["1.1", "1.10"],
        ["+1", "1"],
        ["1", "1.0"],
        ["12345678901234567.5", "2.5"],
        ["1", "NA"],
        ["TRUE", "FALSE"],
        ["True", "TRUE"],
        ["nan", "inf"],
    ],
)
def test_identifiers_stay_text(texts):
    assert typed(texts).dtype == object
    assert typed(texts).tolist() == texts


def test_text_with_gaps_is_categorical():
    found = typed(["um", "-666", "nM"])
    assert isinstance(found, pd.Categorical)
    assert found.isna().tolist() == [False, True, False]


def test_a_column_that_repeats_the_names_is_dropped():
    frame = typed_frame({"id": ["a", "b"], "dose": ["1", "2"]}, ["a", "b"])
    assert list(frame) == ["dose"]
    assert list(typed_frame({"id": ["b", "a"]}, ["a", "b"])) == ["id"]


def test_texts_read_back():
    columns = [[0.1, np.nan], [1, 2], ["x", None], [True, False], ["007", "008"]]
    for values in columns:
        column = pd.Series(values, name="c")
        again = pd.Series(typed(as_texts(column, "obs")), name="c")
        assert again.isna().tolist() == column.isna().tolist()
        assert again.dropna().tolist() == column.dropna().tolist()


def test_float32_is_written_short():
    assert as_texts(pd.Series(np.array([0.1, 2.65362], np.float32)), "obs") == ["0.1", "2.65362"]


def test_line_breaks_are_refused():
    with pytest.raises(DataError, match=r"var column 'title': 'a\\nb' holds a tab or line break"):
        as_texts(pd.Series(["a\nb"], name="title"), "var")
