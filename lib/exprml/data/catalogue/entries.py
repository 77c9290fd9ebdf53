"""The entries of ``data/catalogue.yml``, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from exprml.base.errors import DataError, ExprmlError, check_known
from exprml.base.files import data_folder, from_yaml
from exprml.base.roles import PAPERS_ROLES

WHERE = "data/catalogue.yml"
_FORMS = {
    "path": (re.compile(r"(?!/|(.*/)?\.\.(/|$))[^\\]+"), "leaves the folder"),
    "url": (re.compile(r"https://.+"), "is no https address"),
    "sha256": (re.compile(r"[0-9a-f]{64}"), "is no SHA-256"),
}
_READER = re.compile(r"(readers|simulate)\.\w+\.\w+")
_PACKAGE, _VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*"), re.compile(r"[0-9][0-9A-Za-z.+!]*")


@dataclass(frozen=True)
class Package:
    """A member of a Python package's wheel.

    Attributes
    ----------
    name, version : str
        As the package index has them.
    path : str
        Of the member.
    """

    name: str
    version: str
    path: str

    def __str__(self) -> str:
        return f"the Python package {self.name} {self.version}"


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    Attributes
    ----------
    key : str
        What the reader calls it.
    path : str
        Where it lies below ``data/raw`` and below a mirror; there also with ``.gz`` added or taken away.
    url : str or None
        Public address, https; None if the data must be asked for, or are in a package.
    package : Package or None
        The Python package that carries the file, got through the package index.
    sha256, bytes : str and int, or None
        Of the content: the file as published, or unpacked if only a mirror's copy is gzipped. None where it
        cannot be known beforehand: then the first download is recorded and later ones must match.
    note : str
        What a reader should know about this file or its address.
    conversion : DataFile or None
        A text table of the same values, taken in place of an R original that is not there: from ``data/raw``
        or a mirror, never from an address of its own. Same key; read by
        :func:`exprml.data.formats.read_r_frame`, which gives one table from either.
    """

    key: str
    path: str
    url: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    note: str = ""
    conversion: DataFile | None = None
    package: Package | None = None

    @property
    def origin(self) -> str | None:
        """Where the file is published, in words: its address, or its place in a package; None if nowhere."""
        return f"{self.package.path} in {self.package}" if self.package else self.url

    @property
    def forms(self) -> tuple[DataFile, ...]:
        """The file itself and, if it has one, its conversion: what may lie in ``data/raw``, best first."""
        return (self, self.conversion) if self.conversion else (self,)

    @property
    def variants(self) -> tuple[str, str]:
        """The path and its twin with ``.gz`` added or taken away."""
        return self.path, self.path.removesuffix(".gz") if self.path.endswith(".gz") else f"{self.path}.gz"


@dataclass(frozen=True)
class Entry:
    """One data set of the catalogue.

    Attributes
    ----------
    name, title : str
    kind : str
        "real", or "simulated" if the library makes it.
    roles : dict
        Paper -> own, stand-in, twin or made.
    group : str
        The column of `obs` that must not be split between training and test; "" if there are no samples.
    labels : tuple of str
        The columns of `obs` that notebooks predict.
    reader, options : str, dict
        Function with its module, of :mod:`exprml.data.readers` or :mod:`~exprml.data.simulate`; its keywords.
    files : tuple of DataFile
        Its own, and those of the entries named in `files_of`.
    files_of : tuple of str
        Data sets whose files this one reads too, by their keys.
    licence, how_to_get, about, shows, cannot_show, floor, units : str
        Sentences of the data card.
    citations : tuple of dict
        Each with text and doi.
    """

    name: str
    title: str
    kind: str
    roles: Mapping[str, str]
    reader: str
    licence: str
    about: str
    shows: str
    cannot_show: str
    floor: str
    group: str = ""
    units: str = ""
    how_to_get: str = ""
    labels: tuple[str, ...] = ()
    citations: tuple[Mapping[str, str], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[DataFile, ...] = ()
    files_of: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether the library makes the data itself."""
        return self.kind == "simulated"

    @property
    def role(self) -> str:
        """The role, where one word is enough: in every paper the same, else all of them."""
        return ", ".join(dict.fromkeys(self.roles.values()))

    def role_for(self, notebook: str) -> str:
        """Return the role in the paper of a notebook ("heil2022/02-gtex-tissues").

        Raises
        ------
        ExprmlError
            If the catalogue gives the data set no role in that paper.
        """
        paper = notebook.split("/")[0]
        if paper not in self.roles:
            raise ExprmlError(f"{WHERE}, {self.name}: no role for {paper!r}, which {notebook} needs; add one")
        return self.roles[paper]


def names() -> list[str]:
    """Return the names of all data sets, in the order of the catalogue."""
    return list(_catalogue())


def entry(name: str) -> Entry:
    """Return one entry of the catalogue.

    Raises
    ------
    UnknownNameError
        If there is none of that name; the nearest is suggested.
    """
    known = _catalogue()
    check_known("data set", [name], known, WHERE)
    return known[name]


def _catalogue() -> Mapping[str, Entry]:
    path = data_folder("catalogue.yml")
    if not path.is_file():
        path = Path(__file__).resolve().parents[4] / WHERE  # EXPRML_DATA moved the data, not the list
    if not path.is_file():
        raise ExprmlError(f"{WHERE} is missing: it lists every data set; restore it from the project")
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> Mapping[str, Entry]:
    try:
        listed = from_yaml(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DataError(f"{WHERE} is no valid YAML: {error}") from error
    own = {name: _entry(name, fields) for name, fields in listed.items()}
    return {name: _with_shared_files(found, own) for name, found in own.items()}


def _with_shared_files(found: Entry, own: Mapping[str, Entry]) -> Entry:
    check_known(f"files_of of data set {found.name!r}", found.files_of, own, WHERE)
    files = [*found.files, *(file for name in found.files_of for file in own[name].files)]
    keys = [file.key for file in files]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise DataError(f"{WHERE}, {found.name}: two files are called {twice!r}; rename its own")
    return replace(found, files=tuple(files))


def _entry(name: str, values: Mapping[str, Any]) -> Entry:
    known = {one.name for one in fields(Entry)} - {"name"}
    check_known(f"key of data set {name!r}", values, known, WHERE)
    try:
        found = Entry(
            name,
            **{key: value.strip() if isinstance(value, str) else value for key, value in values.items()}
            | {key: tuple(values.get(key) or ()) for key in ("labels", "citations", "files_of")}
            | {"files": tuple(_file(name, key, one) for key, one in (values.get("files") or {}).items())},
        )
    except TypeError as error:
        raise DataError(f"{WHERE}, {name}: {error}") from error
    _check(found)
    return found


def _file(name: str, key: str, values: Mapping[str, Any]) -> DataFile:
    try:
        conversion = DataFile(key=key, **given) if (given := values.get("conversion")) else None
        package = Package(**given) if (given := values.get("package")) else None
        return DataFile(key=key, **{**values, "conversion": conversion, "package": package})
    except TypeError as error:
        raise DataError(f"{WHERE}, {name}, file {key!r}: {error}") from error


def _check(found: Entry) -> None:
    where = f"{WHERE}, {found.name}"
    if found.kind not in ("real", "simulated"):
        raise DataError(f"{where}: kind {found.kind!r}, expected real or simulated")
    if not _READER.fullmatch(found.reader):
        raise DataError(
            f"{where}: reader {found.reader!r}, expected readers.<module>.<function>, or simulate."
        )
    check_known(f"role of {found.name!r}", found.roles.values(), PAPERS_ROLES, WHERE)
    for file in found.files:
        _check_file(where, file)


def _check_file(where: str, whole: DataFile) -> None:
    for file, (name, (form, why)) in product(whole.forms, _FORMS.items()):
        value = getattr(file, name)
        if value and not form.fullmatch(value):
            raise DataError(f"{where}: {name} {value!r} {why}")
    given, package = whole.conversion, whole.package
    if given and (given.url or given.conversion or not given.sha256):
        raise DataError(
            f"{where}: the conversion of {whole.path} needs a SHA-256 and has no address of its own"
        )
    if not package:
        return
    if not (_PACKAGE.fullmatch(str(package.name)) and _VERSION.fullmatch(str(package.version))):
        raise DataError(
            f"{where}, {whole.path}: {package.name!r} {package.version!r}: no package and version"
        )
    if whole.url or not whole.sha256 or not whole.bytes:
        raise DataError(f"{where}: {whole.path} from {package} needs sha256 and bytes, and has no url")
