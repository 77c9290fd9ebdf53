"""Getting files into ``data/raw``: from there, a mirror, an address or a package; verified or not kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from exprml.base.errors import DownloadError, NotAvailableError, ParameterError
from exprml.base.files import data_folder, project_root
from exprml.base.hashing import text_hash
from exprml.base.locks import held
from exprml.data.catalogue import packages
from exprml.data.catalogue.checking import DiskFullError, check, expected_of, keep_safe, record
from exprml.data.catalogue.downloading import download
from exprml.data.catalogue.entries import DataFile, entry

EVERYWHERE = ("mirror", "url")


def fetch(name: str, *, sources: tuple[str, ...] = EVERYWHERE) -> dict[str, Path]:
    """Return the files of a data set, fetched where they are missing and verified in any case.

    A first download whose hash could not be known is recorded: later ones must match.

    Parameters
    ----------
    name : str
        As in the catalogue.
    sources : tuple of str
        Where to look besides ``data/raw``: "mirror" (``EXPRML_MIRROR``, a folder or a base address),
        "folder" (the mirror only if it is a folder), "url" (the public address, or the package index).

    Returns
    -------
    dict
        Key of the file -> its path below ``data/raw``.

    Raises
    ------
    NotAvailableError
        If a file can be had nowhere; the message lists what was tried.
    DownloadError
        If it arrived, but not as expected.
    """
    found = entry(name)
    try:
        paths = {file.key: fetch_file(name, file, sources) for file in found.files}
    except NotAvailableError as error:
        if found.how_to_get:
            raise NotAvailableError(f"{error}. {found.how_to_get}") from error
        raise
    for file in found.files:
        if expected_of(file)[0] is None:
            record(file, paths[file.key])
    return paths


def mirror() -> str | None:
    """Return the mirror: an address, or an existing folder as absolute path.

    Raises
    ------
    ParameterError
        If ``EXPRML_MIRROR`` names no folder.
    """
    given = os.environ.get("EXPRML_MIRROR", "").strip()
    if not given or "://" in given:
        return given.rstrip("/") or None
    for folder in (Path(given).expanduser(), project_root() / given):
        if folder.is_dir():
            return str(folder.resolve())
    raise ParameterError(f"EXPRML_MIRROR={given!r} names no folder; correct it or unset it")


def in_raw(file: DataFile) -> Iterator[tuple[DataFile, Path]]:
    """Yield what is below ``data/raw`` of a file: in which form (itself, or its conversion), and where."""
    for form in file.forms:
        paths = [data_folder("raw", variant) for variant in form.variants]
        yield from [(form, path) for path in paths if path.is_file()][:1]


def fetch_file(name: str, file: DataFile, sources: tuple[str, ...] = EVERYWHERE) -> Path:
    """Return the path of one file, which need not be listed in the catalogue; see :func:`fetch`.

    Parameters
    ----------
    name : str
        The data set, for messages.
    """
    tried: list[str] = []
    damaged = False
    with held(data_folder("raw", ".locks", text_hash(file.path)[:16])):
        for get in _attempts(file, sources):
            try:
                return get()
            except DiskFullError:
                raise
            except (DownloadError, NotAvailableError) as error:
                damaged |= isinstance(error, DownloadError)
                tried.append(str(error))
    message = f"{name}: {file.path} cannot be had. Tried: " + "; ".join(tried or ["data/raw: not there"])
    raise (DownloadError if damaged else NotAvailableError)(message)


def _attempts(file: DataFile, sources: tuple[str, ...]) -> Iterator[Callable[[], Path]]:
    for form, there in in_raw(file):
        yield lambda f=form, path=there: check(f, path, "data/raw") and path
    base = mirror() if {"mirror", "folder"} & set(sources) else None
    for form in file.forms if base else ():
        if "://" not in base:
            yield lambda f=form: _from_folder(f, Path(base))
        elif "mirror" in sources:
            for variant in form.variants:
                yield lambda f=form, v=variant: _from_address(f, f"{base}/{v}", v, is_mirror=True)
    if "url" in sources and file.package:
        yield lambda: _brought(file, file.path, str(file.package), partial(packages.unpack, file))
    elif "url" in sources:
        yield lambda: _from_address(file, file.url, file.path)


def _from_folder(file: DataFile, folder: Path) -> Path:
    source = next((folder / one for one in file.variants if (folder / one).is_file()), None)
    if source is None:
        raise NotAvailableError(f"the mirror has no {file.path}")

    def copy(part: Path) -> None:
        with keep_safe(part, source.name):
            shutil.copyfile(source, part)

    return _brought(file, source.relative_to(folder).as_posix(), "the mirror", copy)


def _from_address(file: DataFile, url: str | None, variant: str, *, is_mirror: bool = False) -> Path:
    if not url:
        raise NotAvailableError("it has no public address: see `exprml data show`")
    return _brought(file, variant, url, partial(download, url, limit=file.bytes, is_mirror=is_mirror))


def _brought(file: DataFile, variant: str, source: str, fill: Callable[[Path], None]) -> Path:
    """Fill a part, and move it into place once it is complete and right; delete any other."""
    target = data_folder("raw", variant)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{text_hash(source)[:8]}.part")
    fill(part)
    try:
        check(file, part, source)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    for other in [data_folder("raw", one) for one in set(file.variants) - {variant}]:
        other.unlink(missing_ok=True)  # a damaged one would be found first
    for left in target.parent.glob(f".{target.name}.*.part"):
        left.unlink(missing_ok=True)  # of other sources
    return target
