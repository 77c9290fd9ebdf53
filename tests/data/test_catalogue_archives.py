"""Hostile archives are refused, and nothing of them is left."""

import io
import os
import tarfile
import zipfile

import pytest

from exprml.base.errors import FormatError
from exprml.data.catalogue import extract


def make_zip(path, members):
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def make_tar(path, *members):
    with tarfile.open(path, "w:gz") as packed:
        for member in members:
            packed.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def a_file(name, size=3):
    member = tarfile.TarInfo(name)
    member.size = size
    return member


def a_link(name, kind, target):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_only_whom_the_umask_lets_may_look_inside(tmp_path):
    before = os.umask(0o077)
    try:
        extract(make_zip(tmp_path / "a.zip", {"one.txt": "1"}), tmp_path / "out")
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700


def test_good_archives_are_unpacked(tmp_path):
    make_zip(tmp_path / "a.zip", {"one.txt": "1", "sub/two.txt": "2"})
    assert [p.read_text() for p in extract(tmp_path / "a.zip", tmp_path / "a")] == ["1", "2"]
    make_tar(tmp_path / "b.tar.gz", a_file("sub/three.txt"))
    assert extract(tmp_path / "b.tar.gz", tmp_path / "b")[0].read_text() == "xxx"


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a/../../out.txt", "..\\out.txt", "C:out.txt"])
def test_members_that_leave_the_folder_are_refused(tmp_path, name):
    make_zip(tmp_path / "a.zip", {"good.txt": "1", name: "2"})
    with pytest.raises(FormatError, match="leaves the folder"):
        extract(tmp_path / "a.zip", tmp_path / "inner" / "a")
    assert not list((tmp_path / "inner").iterdir())
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    make_tar(tmp_path / "a.tar.gz", a_link("innocent.txt", kind, "/etc/passwd"))
    with pytest.raises(FormatError, match="link or a device"):
        extract(tmp_path / "a.tar.gz", tmp_path / "a")


def test_a_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("innocent.txt")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(FormatError, match="is a link"):
        extract(tmp_path / "a.zip", tmp_path / "a")


@pytest.mark.parametrize("name", ["model.pkl", "sub/WEIGHTS.PT", "a.joblib"])
def test_pickles_are_refused(tmp_path, name):
    with pytest.raises(FormatError, match="pickle"):
        extract(make_zip(tmp_path / "a.zip", {name: "1"}), tmp_path / "a")


def test_a_bomb_is_refused(tmp_path):
    make_zip(tmp_path / "a.zip", {"big.txt": "0" * 5000})
    with pytest.raises(FormatError, match="more than 4000 bytes"):
        extract(tmp_path / "a.zip", tmp_path / "a", max_bytes=4000)


def test_a_damaged_archive_is_refused_and_leaves_nothing(tmp_path):
    whole = make_tar(tmp_path / "a.tar.gz", a_file("a.txt", 50_000)).read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="damaged archive"):
        extract(tmp_path / "a.tar.gz", tmp_path / "a")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tar.gz"]


def test_an_existing_folder_is_not_written_into(tmp_path):
    make_zip(tmp_path / "a.zip", {"one.txt": "1"})
    with pytest.raises(FormatError, match="exists"):
        extract(tmp_path / "a.zip", tmp_path)
