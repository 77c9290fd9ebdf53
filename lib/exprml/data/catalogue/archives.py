"""Unpacking an archive that may be hostile: nothing outside the folder, no links, no pickles."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from exprml.base.errors import FormatError
from exprml.base.files import part_beside

_PICKLES = (".pkl", ".pickle", ".p", ".pt", ".pth", ".joblib")
_MEMBER_LIMIT, _BYTES_LIMIT = 100_000, 64 * 2**30


def extract(archive: str | Path, folder: str | Path, *, max_bytes: int = _BYTES_LIMIT) -> list[Path]:
    """Unpack a zip or tar archive into a new folder; all of it or nothing.

    Parameters
    ----------
    archive : str or Path
        .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz, told by content.
    folder : str or Path
        Must not exist yet.
    max_bytes : int
        Of all files together, unpacked.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    FormatError
        If a member leaves the folder, is a link, device or pickle, or the archive is damaged or too large.
    """
    archive, folder = Path(archive), Path(folder)
    if folder.exists():
        raise FormatError(f"{folder} exists: unpack {archive.name} into a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = part_beside(folder)
    part.mkdir()
    try:
        names = _unpack(archive, part, max_bytes)
        part.rename(folder)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise FormatError(f"{archive.name}: damaged archive ({error}); fetch it again") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [folder / name for name in names]


def _unpack(archive: Path, folder: Path, max_bytes: int) -> list[str]:
    names: list[str] = []
    left = max_bytes
    for name, stream in _members(archive):
        _refuse_unsafe(archive, name)
        if len(names) == _MEMBER_LIMIT:
            raise FormatError(f"{archive.name}: more than {_MEMBER_LIMIT} files")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as out:
            while block := stream.read(1 << 20):
                left -= len(block)
                if left < 0:
                    raise FormatError(f"{archive.name}: more than {max_bytes} bytes unpacked")
                out.write(block)
        names.append(name)
    return names


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield name and content of the plain files; folders are passed over, anything else is refused."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for one in packed.infolist():
                if (one.external_attr >> 16) & 0o170000 == 0o120000:
                    raise FormatError(f"{archive.name}: {one.filename!r} is a link")
                if not one.is_dir():
                    with packed.open(one) as stream:
                        yield one.filename, stream
        return
    with tarfile.open(archive) as packed:
        for one in packed:
            if not (one.isfile() or one.isdir()):
                raise FormatError(f"{archive.name}: {one.name!r} is a link or a device")
            if one.isfile():
                yield one.name, packed.extractfile(one)


def _refuse_unsafe(archive: Path, name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise FormatError(f"{archive.name}: {name!r} leaves the folder")
    if path.suffix.lower() in _PICKLES:
        raise FormatError(f"{archive.name}: {name!r} may hold a pickle, which is never loaded")
