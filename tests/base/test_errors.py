"""One form for a name or a choice that is none: what was asked for, the nearest, and what there is."""

import pytest

from exprml.base.errors import ParameterError, UnknownNameError, check_known


def test_the_nearest_name_and_the_known_ones_are_said():
    known = ["none", "cumulative", "consecutive"]
    with pytest.raises(UnknownNameError) as caught:
        check_known("early_stopping", ["none", "consecutiv"], known, "the docs")
    assert str(caught.value) == (
        "unknown early_stopping 'consecutiv': did you mean 'consecutive'? "
        "Known: consecutive, cumulative, none. They are listed in the docs."
    )


def test_without_a_near_one_it_says_only_what_there_is():
    with pytest.raises(ParameterError, match=r"^unknown side 'x'\. Known: columns, rows\.$"):
        check_known("side", ["x"], ["rows", "columns"])
