"""Files that are whole or absent, and readable by whom the umask lets."""

import errno
import os

import pytest

from exprml.base.files import atomic_path, write_text


@pytest.fixture
def umask():
    """Set the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_the_umask_says_who_may_read(tmp_path, umask, mask, mode):
    umask(mask)
    write_text(tmp_path / "plain", "text")
    with atomic_path(tmp_path / "made") as part:  # as safetensors and others do it
        part.unlink()
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600))
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("plain", "made")] == [mode, mode]


def test_a_full_disk_names_the_file_that_was_to_be_written_and_leaves_the_old_one(tmp_path):
    write_text(tmp_path / "table", "old")
    with pytest.raises(OSError, match="No space") as caught, atomic_path(tmp_path / "table"):
        raise OSError(errno.ENOSPC, "No space left", "/the/source/of/a/copy")
    assert caught.value.filename == str(tmp_path / "table")
    assert [path.name for path in tmp_path.iterdir()] == ["table"]
    assert (tmp_path / "table").read_text() == "old"
