"""Mutations of HDF5 files, for mutate.py: items changed in place; whether the reader must refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

REFUSE, CLAIMS = "refuse", "claims"
WORDS = ["", "nonsense", "csc_matrix", "csr_matrix", "array", "dict"]
STRUCTURE = ("0", "X", "obs", "var", "layers", "raw", "obsp", "obsm")  # what tells the shape in HDF5


def mutated_hdf5(path: Path, rng: np.random.Generator) -> tuple[str, str]:
    """Change an item of an HDF5 file in place; return what was done, and what must happen."""
    edits: list[Callable] = [_gone, _shape, _kind, _value, _link, _group, _claim, _attribute, _sparse, _loop]
    with h5py.File(path, "r+") as file:
        items: list[Any] = []
        file.visititems(lambda name, item: items.append(item))
        edit = edits[int(rng.integers(len(edits)))]
        item = items[int(rng.integers(len(items)))]
        return f"{edit.__name__[1:]} {item.name}", edit(file, item, rng)


def _told(item: Any) -> bool:
    """Tell whether the reader must refuse the file without this item, or with it changed in shape."""
    return isinstance(item, h5py.Dataset) and item.name.split("/")[1] in STRUCTURE


def _replace(item: Any, value: Any, **options: Any) -> None:
    file, name, attributes = item.file, item.name, dict(item.attrs)
    del file[name]
    made = file.create_dataset(name, **(options or {"data": value}))
    made.attrs.update(attributes)


def _gone(file: h5py.File, item: Any, rng: np.random.Generator) -> str:
    del file[item.name]
    return CLAIMS


def _shape(file: h5py.File, item: Any, rng: np.random.Generator) -> str:
    if not isinstance(item, h5py.Dataset) or not item.shape:
        return CLAIMS
    must, values, name = _told(item), item[()], item.name
    grown = np.concatenate([values, values[-1:]]) if rng.integers(2) and len(values) else values[:-1]
    deeper = not rng.integers(4)
    _replace(item, values[..., None] if deeper else grown)
    free = name.endswith("categories") or "/uns/" in name or (name.startswith("/raw") and "/var" in name)
    free = free or (deeper and name.startswith("/obsm"))  # such arrays may have more dimensions
    return REFUSE if must and not free else CLAIMS


def _kind(file: h5py.File, item: Any, rng: np.random.Generator) -> str:
    if not isinstance(item, h5py.Dataset) or not item.shape:
        return CLAIMS
    kinds: list[Any] = [np.full(item.shape, b"x"), np.zeros(item.shape, complex), np.zeros(item.shape, "V4")]
    kinds += [np.zeros(item.shape, "f4,i8"), np.full(item.shape, item.file.ref, h5py.ref_dtype)]
    chosen = int(rng.integers(len(kinds)))
    must = _told(item) and (item.dtype.kind in "fiu" or chosen)
    must = must and not (item.name.startswith(("/0/META", "/obs/", "/var/", "/raw/var", "/obsm")))
    _replace(item, kinds[chosen])
    return REFUSE if must else CLAIMS


def _value(file: h5py.File, item: Any, rng: np.random.Generator) -> str:
    if not isinstance(item, h5py.Dataset) or not item.size or not item.shape or item.dtype.kind not in "fiu":
        return CLAIMS
    at = tuple(int(rng.integers(size)) for size in item.shape)
    choices: list[Any] = [np.inf, np.nan, 1e38, -0.0, 5e-324]
    if item.dtype.kind in "iu":
        choices = [-1, 10**8, np.iinfo(item.dtype).max, -(10**8)]
    item[at] = np.array(choices[int(rng.integers(len(choices)))]).astype(item.dtype)
    broken = item.name.rsplit("/", 1)[-1] in ("indices", "indptr") and "/uns" not in item.name
    return REFUSE if broken else CLAIMS


def _link(file: h5py.File, item: Any, rng: np.random.Generator) -> str:
    name, other = item.name, list(file)[int(rng.integers(len(list(file))))]
    del file[name]
    links = [h5py.SoftLink(f"/{other}"), h5py.SoftLink("/nowhere"), h5py.ExternalLink("x.h5", "/")]
    file[name] = links[int(rng.integers(3))]
    return REFUSE


def _group(file: h5py.File, item: Any, rng: np.random.Generator) -> str:
    must, name = _told(item), item.name
    del file[name]
    file.create_group(name)
    return REFUSE if must and not name.endswith("/categories") else CLAIMS


def _claim(file: h5py.File, item: Any, rng: np.random.Generator) -> str:
    if not isinstance(item, h5py.Dataset):
        return CLAIMS
    size = int(10 ** rng.integers(8, 15))
    shape = (size, *item.shape[1:]) if item.shape else (size,)
    _replace(item, None, shape=shape, dtype=item.dtype, chunks=(1 << 10, *(1 for _ in shape[1:])))
    return REFUSE


def _attribute(file: h5py.File, item: Any, rng: np.random.Generator) -> str:
    owner = item if rng.integers(4) else file
    names = list(owner.attrs)
    if not names:
        return CLAIMS
    name = names[int(rng.integers(len(names)))]
    values = [*WORDS, 3, -1, [7, 5, 1], [10**12, 5], [-7, 5], b"\xff\xfe"]
    chosen = values[int(rng.integers(len(values) + 1)) - 1]
    old = owner.attrs[name]
    if rng.integers(5):
        owner.attrs[name] = chosen
    else:
        del owner.attrs[name]
    square = isinstance(owner, h5py.Group) and np.array_equal(old, [7, 7])
    return REFUSE if name == "shape" and not square else CLAIMS


def _sparse(file: h5py.File, item: Any, rng: np.random.Generator) -> str:
    found: list[h5py.Group] = []
    file.visititems(lambda name, one: found.append(one.parent) if name.endswith("/indptr") else None)
    if not found:
        return CLAIMS
    group = found[int(rng.integers(len(found)))]
    which = int(rng.integers(5))
    indices, indptr = group["indices"][:], group["indptr"][:]
    if which == 0:
        longer = np.flatnonzero(np.diff(indptr) > 1)
        if not longer.size:
            return CLAIMS
        row = longer[0]
        group["indices"][indptr[row]] = indices[indptr[row] + 1]
    elif which == 1:
        group["indptr"][1:-1] = indptr[1:-1][::-1] + 1
    elif which == 2:
        _replace(group["data"], group["data"][:-1])
    elif which == 3:
        _replace(group["indices"], indices.astype("f8"))
    else:
        group["indptr"][-1] = len(indices) - 1
    return REFUSE


def _loop(file: h5py.File, item: Any, rng: np.random.Generator) -> str:
    if not isinstance(item, h5py.Group):
        return CLAIMS
    item["again"] = file["/"]
    return REFUSE
