"""The private folder of a kernel: what killed workers left goes, what others have stays."""

import os
import subprocess
import sys

import pytest

from exprml.book.runner import kernel


@pytest.fixture
def dead() -> int:
    """Return the number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_folders_of_killed_workers_go_and_those_of_live_ones_stay(tmp_path, dead):
    for name in (f"exprml-{dead}-abc", f"exprml-{os.getpid()}-abc", "exprml-notes-abc"):
        (tmp_path / name).mkdir()
    kernel._remove_abandoned(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"exprml-{os.getpid()}-abc", "exprml-notes-abc"}


def test_a_folder_that_another_worker_removes_meanwhile_is_no_failure(tmp_path, dead):
    vanished = tmp_path / f"exprml-{dead}-abc"  # listed, but gone when it is looked at: a link into nothing
    vanished.symlink_to(tmp_path / "nowhere")
    left = tmp_path / f"exprml-{dead}-xyz"
    left.mkdir()
    kernel._remove_abandoned(tmp_path)
    assert not left.exists()
