"""Fetching: right bytes from raw, mirror or address, or a clear error and nothing kept."""

import errno
import gzip
import hashlib
import http.server
import shutil
import threading

import pytest
import requests
import yaml

from exprml.base.errors import DataError, DownloadError, NotAvailableError, ParameterError, UnknownNameError
from exprml.base.files import data_folder
from exprml.base.hashing import text_hash
from exprml.data import catalogue
from exprml.data.catalogue import downloading
from exprml.data.catalogue.checking import DiskFullError
from exprml_press import inventory

CONTENT = b"gene\tsample\nTP53\t1.5\n" * 8000
PATH = "somewhere/values.tsv"


def write_catalogue(folder, **file):
    known = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "bytes": len(CONTENT)}
    texts = dict.fromkeys(("licence", "about", "shows", "cannot_show", "floor"), "x")
    one = {"title": "T", "kind": "real", "roles": {"paper": "own"}, **texts}
    one["reader"] = "readers.heil2022.gtex_v8"
    one["files"] = {"values": {"path": PATH, **known, **file}}
    (folder / "catalogue.yml").write_text(yaml.safe_dump({"small": one}))


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Make a data folder with a catalogue of one file, and an empty mirror."""
    (tmp_path / "data").mkdir()
    (tmp_path / "mirror" / "somewhere").mkdir(parents=True)
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("EXPRML_ROOT", str(tmp_path))
    monkeypatch.setenv("EXPRML_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr(downloading, "_offline", {})
    write_catalogue(tmp_path / "data")
    return tmp_path


def kept(house):
    """Return what lies below data/raw but the locks."""
    files = [path for path in (house / "data" / "raw").rglob("*") if path.is_file()]
    return sorted(path.name for path in files if ".locks" not in path.parts)


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `files` (a text redirects), with Range; `cut` sends only so many bytes and hangs up."""

    files, cut, asked = {}, None, []

    def do_GET(self):
        type(self).asked.append((self.path, self.headers.get("Range")))
        body = self.files.get(self.path)
        if body is None:
            return self.send_error(404)
        if isinstance(body, str):  # a redirect
            self.send_response(302)
            self.send_header("Location", body)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if start > len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start:][: self.cut])
        return None

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(house, monkeypatch):
    """Run a mirror by address on this machine."""
    Server.files, Server.cut, Server.asked = {}, None, []
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    monkeypatch.setenv("EXPRML_MIRROR", f"http://127.0.0.1:{running.server_port}/m")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,127.0.0.2")
    Server.port = running.server_port
    yield Server
    running.shutdown()
    running.server_close()


def test_plain_file_from_a_mirror_folder(house):
    (house / "mirror" / PATH).write_bytes(CONTENT)
    assert catalogue.fetch("small")["values"].read_bytes() == CONTENT


def test_gzipped_copy_in_a_mirror_is_known_by_its_content_and_kept_as_it_is(house):
    packed = gzip.compress(CONTENT)
    (house / "mirror" / f"{PATH}.gz").write_bytes(packed)
    path = catalogue.fetch("small")["values"]
    assert path.name == "values.tsv.gz"
    assert path.read_bytes() == packed


def test_wrong_hash_names_file_expected_and_found_and_keeps_nothing(house):
    (house / "mirror" / PATH).write_bytes(b"something else")
    with pytest.raises(DownloadError) as caught:
        catalogue.fetch("small")
    for part in (PATH, hashlib.sha256(CONTENT).hexdigest(), hashlib.sha256(b"something else").hexdigest()):
        assert part in str(caught.value)
    assert kept(house) == []


def test_truncated_gzip_is_refused(house):
    (house / "mirror" / f"{PATH}.gz").write_bytes(gzip.compress(CONTENT)[:-12])
    with pytest.raises(DownloadError, match="cut short"):
        catalogue.fetch("small")
    assert kept(house) == []


def test_a_right_file_in_raw_needs_no_source(house):
    (house / "mirror" / PATH).write_bytes(CONTENT)
    catalogue.fetch("small")
    assert catalogue.fetch("small", sources=())["values"].read_bytes() == CONTENT


def test_a_damaged_file_in_raw_is_replaced(house):
    raw = house / "data" / "raw" / f"{PATH}.gz"
    raw.parent.mkdir(parents=True)
    raw.write_bytes(gzip.compress(CONTENT)[:-12])
    (house / "mirror" / PATH).write_bytes(CONTENT)
    assert catalogue.fetch("small")["values"].read_bytes() == CONTENT
    assert kept(house) == ["values.tsv"]


def test_full_disk_keeps_nothing_and_says_so(house, monkeypatch):
    (house / "mirror" / PATH).write_bytes(CONTENT)

    def half_a_copy(source, target):
        target.write_bytes(CONTENT[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", half_a_copy)
    with pytest.raises(DiskFullError, match=r"for values\.tsv: \d+ MiB are free in .*data/raw"):
        catalogue.fetch("small")
    assert kept(house) == []


def test_full_disk_in_the_middle_of_a_download_keeps_nothing(house, server, monkeypatch):
    server.files = {f"/m/{PATH}": CONTENT}

    def full(path, mode):
        path.write_bytes(CONTENT[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloading, "open", full, raising=False)
    with pytest.raises(DiskFullError):
        catalogue.fetch("small")
    assert kept(house) == []


def test_mirror_by_address_plain_or_gzipped(house, server):
    server.files = {f"/m/{PATH}.gz": gzip.compress(CONTENT)}
    assert catalogue.fetch("small")["values"].name == "values.tsv.gz"
    assert [path for path, _ in server.asked] == [f"/m/{PATH}", f"/m/{PATH}.gz"]


def test_a_broken_download_goes_on_where_it_stopped(house, server, monkeypatch):
    server.files, server.cut = {f"/m/{PATH}": CONTENT}, 100_000
    with pytest.raises(NotAvailableError, match="broke off after 65536 bytes"):
        catalogue.fetch("small")
    assert len(kept(house)) == 1
    server.cut, server.asked = None, []
    monkeypatch.setattr(downloading, "_offline", {})  # the next process
    assert catalogue.fetch("small")["values"].read_bytes() == CONTENT
    assert server.asked == [(f"/m/{PATH}", "bytes=65536-")]
    assert kept(house) == ["values.tsv"]


def test_a_server_that_starts_over_is_followed(house, server):
    server.files = {f"/m/{PATH}": CONTENT}
    digest = text_hash(f"http://127.0.0.1:{server.port}/m/{PATH}")[:8]
    part = data_folder("raw", "somewhere", f".values.tsv.{digest}.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT + b"more than there is")
    assert catalogue.fetch("small")["values"].read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [f"bytes={len(CONTENT) + 18}-", None]


def test_an_answer_longer_than_expected_is_refused(house, server, monkeypatch):
    monkeypatch.setattr(downloading, "_SLACK", 10)
    server.files = {f"/m/{PATH}": CONTENT + b"x" * 70_000}
    with pytest.raises(DownloadError, match="longer than"):
        catalogue.fetch("small")
    assert kept(house) == []


def test_damaged_bytes_from_an_address_keep_nothing(house, server):
    server.files = {f"/m/{PATH}": CONTENT[:-1] + b"?"}
    with pytest.raises(DownloadError, match="expected SHA-256"):
        catalogue.fetch("small")
    assert kept(house) == []


@pytest.mark.parametrize("url", ["http://example.org/a", "ftp://example.org/a", "file:///etc/passwd"])
def test_only_https_is_fetched(house, url):
    with pytest.raises(DownloadError, match="only https"):
        downloading.download(url, house / "part")
    with pytest.raises(DownloadError, match="only https"):
        downloading.download(url, house / "part", is_mirror=True)  # http is for this machine alone


def test_the_catalogue_refuses_an_http_address(house):
    write_catalogue(house / "data", url="http://example.org/values.tsv")
    with pytest.raises(DataError, match="no https address"):
        catalogue.entry("small")


def test_the_catalogue_refuses_a_path_that_leaves_the_folder(house):
    write_catalogue(house / "data", path="../../values.tsv")
    with pytest.raises(DataError, match="leaves the folder"):
        catalogue.entry("small")


def test_the_first_failure_marks_a_host_offline(house, monkeypatch):
    write_catalogue(house / "data", url="https://example.org/values.tsv")
    asked = []

    def refuse(url, **options):
        asked.append(options["timeout"])
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(requests, "get", refuse)
    for _ in range(2):
        with pytest.raises(NotAvailableError, match=r"example\.org is offline"):
            catalogue.fetch("small")
    assert asked == [(5, 30)]


def test_a_host_that_never_answers_is_given_up(house, monkeypatch):
    write_catalogue(house / "data", url="https://example.org/values.tsv")
    never = threading.Event()
    monkeypatch.setattr(requests, "get", lambda url, **options: never.wait(5))
    monkeypatch.setattr(downloading, "ANSWER_SECONDS", 0.05)
    with pytest.raises(NotAvailableError, match="no answer within"):
        catalogue.fetch("small")
    never.set()


def test_a_hash_unknown_beforehand_is_recorded_and_later_files_must_match(house):
    write_catalogue(house / "data", sha256=None, bytes=None)
    (house / "mirror" / PATH).write_bytes(CONTENT)
    raw = catalogue.fetch("small")["values"]
    raw.unlink()
    (house / "mirror" / PATH).write_bytes(CONTENT + b"changed")
    with pytest.raises(DownloadError, match=hashlib.sha256(CONTENT).hexdigest()):
        catalogue.fetch("small")
    assert kept(house) == ["recorded.json"]


@pytest.mark.parametrize(("content", "what"), [(b" <!DOCTYPE html><p>sign in", "a web page"), (b"", "empty")])
def test_a_mislabelled_first_download_is_refused(house, content, what):
    write_catalogue(house / "data", sha256=None, bytes=None)
    (house / "mirror" / PATH).write_bytes(content)
    with pytest.raises(DownloadError, match=what):
        catalogue.fetch("small")
    assert kept(house) == []


def test_verify_tells_missing_right_and_wrong(house):
    (house / "mirror" / PATH).write_bytes(CONTENT)
    states = [inventory.verify("small")[0]["state"]]
    raw = catalogue.fetch("small")["values"]
    states.append(inventory.verify()[0]["state"])
    raw.write_bytes(CONTENT[:-1])
    states.append(inventory.verify("small")[0]["state"])
    assert states == ["missing", "right", "wrong"]


def test_a_mirror_that_is_no_folder_is_an_error(house, monkeypatch):
    monkeypatch.setenv("EXPRML_MIRROR", "no-such-folder")
    with pytest.raises(ParameterError, match="no-such-folder"):
        catalogue.fetch("small")


def test_unknown_names_get_the_nearest(house):
    with pytest.raises(UnknownNameError, match="did you mean 'small'"):
        catalogue.fetch("smal")


def test_unknown_keys_of_the_catalogue_are_errors(house):
    path = house / "data" / "catalogue.yml"
    path.write_text(path.read_text().replace("licence:", "license:"))
    with pytest.raises(UnknownNameError, match="did you mean 'licence'"):
        catalogue.names()


@pytest.mark.parametrize("target", ["http://{host}/leak", "HTTP://{host}/leak", "//{host}/leak"])
def test_a_redirect_to_http_is_refused_before_it_is_followed(server, house, target):
    elsewhere = http.server.ThreadingHTTPServer(("127.0.0.2", 0), Server)  # no address a mirror may have
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    server.files = {"/leak": CONTENT, "/m/a": target.format(host=f"127.0.0.2:{elsewhere.server_port}")}
    with pytest.raises(DownloadError, match="only https addresses are fetched"):
        downloading.download(f"http://127.0.0.1:{server.port}/m/a", house / "part", is_mirror=True)
    elsewhere.shutdown()
    elsewhere.server_close()
    assert [path for path, _ in server.asked] == ["/m/a"]
    assert not (house / "part").exists()


def test_a_redirect_within_a_mirror_is_followed(server, house):
    server.files = {"/m/b": CONTENT, "/m/a": "b"}
    downloading.download(f"http://127.0.0.1:{server.port}/m/a", house / "part", is_mirror=True)
    assert (house / "part").read_bytes() == CONTENT
