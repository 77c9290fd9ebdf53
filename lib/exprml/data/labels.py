"""A labels file, and how its lines meet the samples of an expression file: by id, never by place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, UnknownNameError
from exprml.data.formats.container import check_ids
from exprml.data.formats.guard import Growing
from exprml.data.formats.layout import ID_TITLES, TextLayout, are_row_numbers, few, read_by_layout, title

_CELL_BYTES = 70  # of memory for a text of Python's and its place in a list


def read_labels(path: Path, sample_column: str = "", **layout: str) -> pd.DataFrame:
    """Return a labels file as texts, indexed by sample id.

    Parameters
    ----------
    path : Path
        A table with names in its first line; plain or gzipped.
    sample_column : str
        Column with the ids; the first one unless told.
    **layout
        As for :func:`exprml.data.formats.layout.read_by_layout`.

    Returns
    -------
    DataFrame
        Every cell as it stands in the file; ``attrs["said"]`` tells how the file was read.

    Raises
    ------
    FormatError
        If it is no such table.
    DataError
        If a sample stands twice; says in which lines.
    """

    def read(layout: TextLayout) -> pd.DataFrame:
        lines, memory = [], Growing(path, "its cells")
        for line, raw in layout.lines():
            lines.append((line, [cell.strip() for cell in layout.cells(raw, line)]))
            memory.add(_CELL_BYTES * (3 + len(layout.names)) + len(raw))
        names = [name or ("sample" if not at else f"column {at + 1}") for at, name in enumerate(layout.names)]
        check_ids(names, "column", path, lambda at: f"line {layout.line}, column {at + 1}")
        table = pd.DataFrame([cells for _, cells in lines], columns=names, dtype=object)
        table.attrs = {"said": layout.said(), "lines": [line for line, _ in lines]}
        return table

    table = read_by_layout(path, read, **layout)
    if not len(table):
        raise DataError(f"{path}: no lines but the header, nothing to read")
    column = sample_column or str(table.columns[0])
    if column not in table:
        raise UnknownNameError("sample column", column, table.columns, str(path))
    return _indexed(table, column, path)


def _indexed(table: pd.DataFrame, column: str, path: Path) -> pd.DataFrame:
    """Return a table of labels with the ids of a column as its index."""
    ids = table[column]
    twice = ids[ids.duplicated(keep=False)]
    if len(twice):
        lines = table.attrs["lines"]
        places = ", ".join(str(lines[at]) for at in twice.index[twice == twice.iloc[0]][:3])
        raise DataError(
            f"{path}: sample {twice.iloc[0]!r} stands in lines {places} (column {column!r}); write one "
            "line a sample, or name the column of the ids by --sample-column"
        )
    return table.set_index(pd.Index(ids, dtype=object, name=None))


def labelled(data: AnnData, values: str, table: pd.DataFrame, path: Path, told: Mapping) -> AnnData:
    """Return the samples that have a line in the labels file, with its columns in obs.

    Parameters
    ----------
    data : AnnData
        Samples x genes.
    values : str
        Name of the expression file, for messages.
    table : DataFrame
        From :func:`read_labels`.
    path : Path
        The labels file, for messages.
    told : mapping
        Its lists "notes" and "warnings" are added to.

    Raises
    ------
    DataError
        If no sample meets a line; says why, with a pair of ids.
    """
    known = data.obs_names.isin(table.index)
    if not known.any():
        raise DataError(
            f"{path}: none of its {len(table)} samples ({few(table.index)}) is among the {data.n_obs} of "
            f"{values} ({few(data.obs_names)}){_why_no_match(data, table)}"
        )
    lost, unused = int((~known).sum()), table.index[~table.index.isin(data.obs_names)]
    if lost:
        gone = few(data.obs_names[~known])
        told["notes"].append(
            f"{lost} samples of {values} have no line in {path.name} and are left out: {gone}"
        )
    if len(unused):
        told["notes"].append(f"{len(unused)} lines of {path.name} have no sample in {values}: {few(unused)}")
    if lost and (alike := _alike(data.obs_names[~known], unused)):
        told["warnings"].append(f"some ids do not meet: {alike}")
    if lost > data.n_obs / 10:
        told["warnings"].append(f"{lost} of {data.n_obs} samples have no label: do the ids agree everywhere?")
    data = data[known].copy()
    data.obs = table.loc[data.obs_names]
    data.obs.attrs = {}
    return data


def with_better_ids(data: AnnData, table: pd.DataFrame, path: Path, told: Mapping) -> pd.DataFrame:
    """Return the labels by the column that names ids, where more than one column would meet the samples.

    Row numbers 1..n meet ids that are numbers by chance.

    Raises
    ------
    DataError
        If two columns fit in different ways and the names do not tell which one is meant.
    """
    first, ids = str(table.columns[0]), set(data.obs_names)
    enough = min(len(ids), len(table)) / 2
    fitting = [name for name in table if table[name].is_unique and table[name].isin(ids).sum() >= enough]
    others = [name for name in fitting if list(table[name]) != list(table[first])]
    if first not in fitting or not others:
        return table
    named = [name for name in others if title(name) in ID_TITLES]
    counts = are_row_numbers(list(table[first]))
    if counts and len(named) == 1:
        told["warnings"].append(
            f"sample ids of {path.name} are taken from column {named[0]!r}; its first column, which numbers "
            f"the rows, would meet the samples otherwise (--sample-column says which)"
        )
        return _indexed(table.reset_index(drop=True), named[0], path)
    if counts or named:
        raise DataError(
            f"{path}: columns {', '.join(map(repr, [first, *others]))} all hold ids of the samples, in "
            f"different order: say which by --sample-column"
        )
    told["notes"].append(f"sample ids of {path.name} are taken from column {first!r}, not {others[0]!r}")
    return table


def _why_no_match(data: AnnData, table: pd.DataFrame) -> str:
    """Return what is probably wrong when no sample id of the labels file is found."""
    ids = set(data.obs_names)
    other = next((name for name in table if table[name].isin(ids).any()), None)
    if other is not None:
        return f"; its column {other!r} has them: --sample-column {other}"
    if set(table.index) & set(data.var_names):
        return "; they stand where genes were expected: change --samples-in, or save h5ad turned (adata.T)"
    alike = _alike(data.obs_names, table.index)
    return f"; {alike}: write the ids alike" if alike else "; write the ids as they stand there"


_SIGNS = re.compile(r"[.\-_\s]+")
_FORMS = {
    "leading zeros": lambda one: re.sub(r"(?<!\d)0+(?=\d)", "", one),
    "'.0' at the end": lambda one: re.sub(r"\.0+$", "", one),
    "upper and lower case": str.lower,
    "'.', '-', '_' and blanks": lambda one: _SIGNS.sub("-", one),
    "a '+' before it": lambda one: one.removeprefix("+"),
    "R's X before a digit (R turns - into .)": lambda one: _SIGNS.sub("-", re.sub(r"^X(?=\d)", "", one)),
    "its folder and ending": lambda one: re.sub(r"(\.\w+)+$", "", re.split(r"[/\\]", one)[-1]),
    "case and signs (R turns - into . and writes X before a digit)": lambda one: plain(one),
}


def _alike(there: Sequence[str], here: Sequence[str]) -> str:
    """Return the first pair of ids that differ in one way only, and the way; "" if none does."""
    for what, form in _FORMS.items():
        forms = {form(one): one for one in there}
        found = next((one for one in here if form(one) in forms), None)
        if found is not None:
            return f"{found!r} is {forms[form(found)]!r} there (they differ only in {what})"
    return ""


def plain(name: str) -> str:
    """Return an id without what programs change in it: case, signs, R's leading X."""
    return re.sub(r"[\W_]", "", name.lower()).removeprefix("x")
