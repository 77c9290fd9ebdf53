"""The private folder of a kernel: what killed workers left goes, what others have stays."""

import os
import subprocess
import sys

import pytest

from exprml.base.errors import ExprmlError
from exprml_press.runner import kernel

HOLD = (
    "from exprml_press.runner.kernel import private_folder\n"
    "with private_folder() as folder: print(folder, flush=True); input()"
)


@pytest.fixture
def base(tmp_path, monkeypatch):
    """Give an empty temporary folder to this process and to those it starts."""
    monkeypatch.setattr(kernel, "_short_base", lambda: tmp_path)
    return tmp_path


def test_a_worker_of_another_container_keeps_its_folder(base, monkeypatch):
    def never_heard_of(*_):
        raise ProcessLookupError  # numbers of processes mean nothing across containers

    monkeypatch.setattr(os, "kill", never_heard_of)
    with kernel.private_folder() as held:
        with kernel.private_folder():
            assert held.is_dir()
        assert [path.name for path in base.iterdir()] == [held.name]
    assert not list(base.iterdir())


def test_the_folder_of_a_killed_worker_goes():
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=pipe, stdout=pipe, text=True) as worker:
        left = kernel.Path(worker.stdout.readline().strip())
        kernel._remove_abandoned(left.parent)
        assert (left / "lock").is_file()
        worker.kill()
    assert left.is_dir()
    kernel._remove_abandoned(left.parent)
    assert not left.exists()


def test_what_is_not_ours_stays_and_what_vanishes_meanwhile_is_no_failure(base):
    (base / "exprml-notes").mkdir()
    (base / "exprml-gone").symlink_to(base / "nowhere")  # listed, but not there when it is looked at
    (base / "exprml-left").mkdir()
    (base / "exprml-left" / "lock").touch()
    kernel._remove_abandoned(base)
    assert sorted(path.name for path in base.iterdir()) == ["exprml-gone", "exprml-notes"]


@pytest.mark.parametrize(
    ("usual", "words"), [(None, "No usable temporary"), ("/" + "long/" * 20, "too long a path")]
)
def test_no_place_for_temporary_files_is_said_in_one_sentence(monkeypatch, usual, words):
    def base():
        if usual is None:
            raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")
        return usual

    monkeypatch.setattr(kernel.os, "access", lambda *_: False)
    monkeypatch.setattr(kernel.tempfile, "gettempdir", base)
    with pytest.raises(ExprmlError, match=words):
        kernel._short_base()
