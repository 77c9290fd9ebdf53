"""What tests of the command line share."""

from collections.abc import Callable

import pytest


@pytest.fixture
def refused(project, capsys) -> Callable[[Callable[..., int], list[str], str], None]:
    """Return a check that a command ends with an error in the given words and leaves no file behind."""

    def check(command, arguments, words):
        before = sorted(project.root.rglob("*"))
        assert command(*arguments) == 1
        error = capsys.readouterr().err
        assert words in error
        assert "Traceback" not in error
        assert sorted(project.root.rglob("*")) == before

    return check
