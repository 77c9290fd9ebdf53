"""Some hundred mutated files, as `tests/data/mutate.py` makes ten thousand of."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # mutate.py is a script and imports what lies beside it


def load():
    spec = importlib.util.spec_from_file_location("mutate", Path(__file__).with_name("mutate.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mutated_files_are_refused_in_our_words_or_read_as_what_they_say(tmp_path):
    found = list(load().run(200, 1, tmp_path))
    assert [f"{kind}: {what}: {finding}" for kind, what, finding, _ in found if finding] == []
    assert {"refused", "shape"} <= {key for *_, answer in found for key in answer}


@pytest.mark.parametrize(
    ("answer", "must", "finding"),
    [
        ({"refused": "a.gct: damaged", "growth": 0}, "refuse", ""),
        ({"shape": [7, 5], "counted": True, "growth": 0}, "claims", ""),
        (
            {"shape": [7, 5], "counted": True, "growth": 0},
            "refuse",
            "unseen: read, but its structure is broken",
        ),
        ({"shape": [5, 7], "counted": True, "growth": 0}, "claims", r"unseen: shape \[5, 7\]"),
        ({"shape": [7, 5], "counted": False, "growth": 0}, "", "unseen: missing or infinite values"),
        ({"shape": [7, 5], "counted": True, "growth": 1e9}, "", "memory: grew by 1,000 MB"),
        ({"foreign": "KeyError: 'x'", "growth": 0}, "refuse", "foreign: KeyError"),
        ({"crash": "exit -11"}, "refuse", "crash: exit -11"),
    ],
)
def test_what_is_a_finding(answer, must, finding):
    import re

    judged = load().judge(answer, must)
    assert re.match(finding, judged) if finding else judged == ""
