"""A reader's own data: an expression file and a labels file become one checked AnnData, samples x genes.

Nothing is guessed and nothing is left out in silence: what was dropped stands in ``uns["own"]["notes"]``,
what should make the reader think twice in ``uns["own"]["warnings"]``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, FormatError, ParameterError, UnknownNameError
from exprml.base.hashing import file_hash, text_hash
from exprml.data import formats
from exprml.data.formats.container import check_choice
from exprml.data.formats.guard import as_dense
from exprml.data.formats.metadata import MISSING
from exprml.data.formats.sniff import require_kind
from exprml.data.formats.text import numbered_lines
from exprml.data.preprocess import UNKNOWN_LABELS, keep_classes, log_transform

EACH_SAMPLE = "each sample"  # the group column when the reader names none
ROLE = "reader's own"
HUGE = 1e15  # far above any count, TPM or intensity; squares of such values leave the range of float32
LINEAR_SCALE = 50  # no logarithm to base 2 of a count or TPM reaches it
_GAPS = {*UNKNOWN_LABELS, *(word.lower() for word in MISSING), "<na>", "none"}


def load(
    expression: str | Path,
    labels: str | Path = "",
    *,
    label: str,
    group: str = "",
    samples_in: str = "",
    sample_column: str = "",
    metadata_columns: Sequence[str] = (),
    r_object: str = "",
    log: bool = False,
    missing: str = "genes",
) -> AnnData:
    """Read a reader's values and labels, match them by sample id, and note everything that is left out.

    Parameters
    ----------
    expression : str or Path
        GCT, GCTX, TSV/CSV, h5ad or R data.
    labels : str or Path
        TSV/CSV, one line a sample; empty if the labels stand in the expression file itself (h5ad, GCT 1.3,
        GCTX, or columns of a table with its samples in rows).
    label, group : str
        Columns with the class, and with what must not be split (donor, patient, study). Without a group
        every sample is taken for its own.
    samples_in : {"rows", "columns"}
        Of tables and R data, where it is never guessed.
    sample_column : str
        Column of the labels file with the sample ids; the first one unless told.
    metadata_columns : sequence of str
        Further text columns of an expression table.
    r_object : str
        Which object of an R file, if it holds several.
    log : bool
        Take log2(x + 1).
    missing : {"genes", "samples", "error"}
        What is left out where a value is missing; "error" refuses.

    Returns
    -------
    AnnData
        ``obs[label]`` and ``obs[group]`` (or ``obs["each sample"]``) are text without gaps.

    Raises
    ------
    DataError, ParameterError, UnknownNameError
        Naming the file, the column and the nearest name.
    """
    check_choice("missing", missing, ("genes", "samples", "error"))
    texts = [label, *([group] if group else []), *metadata_columns]
    if label == group:
        raise ParameterError(f"label and group are both {label!r}: the group is the donor, patient or study")
    data = _read(Path(expression), samples_in, texts if not labels else list(metadata_columns), r_object)
    told = {"notes": [], "warnings": []}
    if labels:
        data = _labelled(data, Path(expression), Path(labels), sample_column, told)
    data = _with_texts(data, label, group, str(labels or expression), told)
    data = _without_gaps(data, str(expression), missing, told)
    _refuse_huge(data, str(expression))
    _look_at_scale(data, str(expression), log, told)
    data = _varying(log_transform(data, offset=1.0) if log else data, str(expression), told)
    if not group:
        data.obs[EACH_SAMPLE] = list(data.obs_names)
        told["warnings"].append(_NO_GROUP)
    data.uns["own"] = {**told, "source": source_of(expression, labels)}
    return data


_NO_GROUP = (
    "no group was named, so every sample counts as its own. If several samples come from one donor, patient "
    "or study, the scores will be too good: name that column as the group"
)


def usable_classes(data: AnnData, label: str, group: str, min_groups: int) -> tuple[AnnData, pd.DataFrame]:
    """Keep the classes with at least `min_groups` groups; return them, and what is left out and why.

    Two groups for each fold are a sound least: a class with one sample in a test fold stands exactly at the
    common mean after removal of linear signal, and is recognised by that.

    Raises
    ------
    DataError
        If fewer than two classes are left; lists them all with their groups.
    """
    unit = group or EACH_SAMPLE
    groups = data.obs.groupby(label, observed=True)[unit].nunique().sort_values(ascending=False)
    if (groups >= min_groups).sum() < 2:
        listed = ", ".join(f"{name!r} ({count})" for name, count in groups.head(12).items())
        raise DataError(
            f"{label!r} has {int((groups >= min_groups).sum())} classes with {min_groups} groups; two "
            f"are needed. Groups of each: {listed}; take fewer folds or lower min-groups "
            "(one group for each fold at least), or another label"
        )
    return keep_classes(data, label, unit, min_groups=min_groups)


def duplicates(data: AnnData, label: str, group: str) -> pd.DataFrame:
    """Return sets of samples with the very same values: columns samples, groups, classes, first sample.

    One that spans several groups leaks from training to test even when the folds keep groups together.
    """
    rows = pd.Series([hash(row.tobytes()) for row in np.ascontiguousarray(data.X)], index=data.obs_names)
    sets = [list(one.index) for _, one in rows.groupby(rows, sort=False) if len(one) > 1]  # as they stand
    counted = [
        {"samples": len(names), "groups": data.obs.loc[names, group or EACH_SAMPLE].nunique(),
         "classes": data.obs.loc[names, label].nunique(), "first sample": names[0]}
        for names in sets
    ]  # fmt: skip
    return pd.DataFrame(counted, columns=["samples", "groups", "classes", "first sample"])


def floor_shares(data: AnnData, axis: str = "genes") -> pd.Series:
    """Return the share of values at the gene's smallest value, of every gene or of every sample.

    Undetected genes stand there, all at one number.
    """
    along, names = {"genes": (0, data.var_names), "samples": (1, data.obs_names)}[axis]
    return pd.Series(np.equal(data.X, data.X.min(axis=0)).mean(axis=along), index=names)


def source_of(expression: str | Path, labels: str | Path = "") -> dict[str, Any]:
    """Return what a run says of the reader's files: name, role, hash of their bytes."""
    if not expression:
        raise ParameterError("expression is empty: give the file with the values")
    files = [Path(one) for one in (expression, labels) if one]
    for path in files:
        formats.file_kind(path)  # says what is wrong with a file that is not there
    digest = text_hash("".join(file_hash(path) for path in files))
    return {"dataset": files[0].name, "role": ROLE, "hash": digest, "why": "given by the reader"}


def _read(path: Path, samples_in: str, texts: Sequence[str], r_object: str) -> AnnData:
    """Read the expression file; tables and R data must be told where the samples stand."""
    kind, options = formats.file_kind(path), {}
    if kind in ("table", "rda", "rds"):
        if not samples_in:
            raise ParameterError(
                f"{path}: say where the samples stand: samples-in rows, or samples-in columns"
            )
        own = texts if samples_in == "rows" else []
        options = {"samples_in": samples_in, "metadata_columns": list(dict.fromkeys(own))}
        options |= {"name": r_object} if r_object and kind != "table" else {}
    elif samples_in:
        raise ParameterError(
            f"{path}: a {kind} file says itself where its samples stand; leave out samples-in"
        )
    data = formats.read(path, **options)
    values = as_dense(data.X, path)
    provenance = {"provenance": dict(data.uns.get("provenance", {}))}
    return AnnData(X=values.astype(np.float32, copy=False), obs=data.obs, var=data.var, uns=provenance)


def read_labels(path: Path, sample_column: str = "") -> pd.DataFrame:
    """Return a labels file as texts, indexed by sample id.

    Parameters
    ----------
    path : Path
        Comma, tab or semicolon between the cells, names in the first line; plain or gzipped.
    sample_column : str
        Column with the ids; the first one unless told.

    Raises
    ------
    FormatError
        If it is no such table.
    DataError
        If a sample stands twice; says in which lines.
    """
    path = require_kind(path, "table")
    try:
        with closing(numbered_lines(path)) as lines:
            head = next(lines)[1].decode("utf-8")
            separator = max(",\t;", key=head.count)
            rest = io.StringIO("\n".join([head, *(raw.decode("utf-8") for _, raw in lines)]))
        table = pd.read_csv(rest, sep=separator, dtype=str, keep_default_na=False)
    except (UnicodeDecodeError, pd.errors.ParserError) as error:
        raise FormatError(f"{path}: no readable table ({error}); save it as CSV in UTF-8") from error
    if not isinstance(table.index, pd.RangeIndex):  # R leaves the column of row names without a name
        table = table.rename_axis("sample").reset_index()
    column = sample_column or str(table.columns[0])
    if column not in table:
        raise UnknownNameError("sample column", column, table.columns, str(path))
    ids = table[column].str.strip()
    twice = ids[ids.duplicated(keep=False)]
    if len(twice):
        lines = ", ".join(str(line + 2) for line in twice.index[twice == twice.iloc[0]][:3])
        raise DataError(f"{path}: sample {twice.iloc[0]!r} stands in lines {lines}; write one line a sample")
    return table.set_index(pd.Index(ids, dtype=object, name=None))


def _labelled(data: AnnData, values: Path, path: Path, sample_column: str, told: Mapping) -> AnnData:
    """Return the samples that have a line in the labels file, with its columns in obs."""
    table = read_labels(path, sample_column)
    known = data.obs_names.isin(table.index)
    if not known.any():
        raise DataError(
            f"{path}: none of its {len(table)} samples ({_few(table.index)}) is among the {data.n_obs} of "
            f"{values.name} ({_few(data.obs_names)}){_why_no_match(data, table)}"
        )
    lost, unused = int((~known).sum()), int((~table.index.isin(data.obs_names)).sum())
    if lost:
        gone = _few(data.obs_names[~known])
        told["notes"].append(
            f"{lost} samples of {values.name} have no line in {path.name} and are left out: {gone}"
        )
    if unused:
        told["notes"].append(f"{unused} lines of {path.name} have no sample in {values.name}")
    if lost > data.n_obs / 10:
        told["warnings"].append(f"{lost} of {data.n_obs} samples have no label: do the ids agree everywhere?")
    data = data[known].copy()
    data.obs = table.loc[data.obs_names]
    return data


def _why_no_match(data: AnnData, table: pd.DataFrame) -> str:
    """Return what is probably wrong when no sample id of the labels file is found."""
    ids = set(data.obs_names)
    other = next((name for name in table if table[name].str.strip().isin(ids).any()), None)
    if other is not None:
        return f"; its column {other!r} has them: sample-column {other}"
    if set(table.index) & set(data.var_names):
        return "; they stand where genes were expected: change samples-in"
    plain = {_plain(one): one for one in ids}
    alike = next((one for one in table.index if _plain(one) in plain), None)
    if alike is not None:
        return f"; {alike!r} is {plain[_plain(alike)]!r} there: write the ids alike (R turns - into .)"
    return "; write the ids as they stand there"


def _with_texts(data: AnnData, label: str, group: str, where: str, told: Mapping) -> AnnData:
    """Return the samples whose label and group are known, both columns as text."""
    for kind, name in (("label", label), ("group", group)):
        if not name:
            continue
        if name not in data.obs:
            raise UnknownNameError(f"{kind} column", name, data.obs.columns, where)
        texts = data.obs[name].astype(object).where(data.obs[name].notna(), "").astype(str).str.strip()
        blank = texts.str.lower().isin(_GAPS).to_numpy()
        if blank.all():
            raise DataError(f"{where}: column {name!r} is empty for every sample")
        if blank.any():
            told["notes"].append(
                f"{int(blank.sum())} samples without a {kind} ({name!r} is empty) are left out"
            )
        data.obs[name] = texts.to_numpy()
        data = data[~blank].copy()
    return data


def _without_gaps(data: AnnData, where: str, missing: str, told: Mapping) -> AnnData:
    """Return the data without missing values, by the policy."""
    if np.isinf(data.X).any():
        sample, gene = np.argwhere(np.isinf(data.X))[0]
        place = f"sample {data.obs_names[sample]!r}, gene {data.var_names[gene]!r}"
        raise DataError(f"{where}: infinite value at {place}: was a logarithm taken of zero?")
    gaps = np.isnan(data.X)
    if not gaps.any():
        return data
    if missing == "error":
        raise DataError(
            f"{where}: {int(gaps.sum())} values are missing; fill them or leave them out (missing)"
        )
    keep = (slice(None), ~gaps.any(axis=0)) if missing == "genes" else (~gaps.any(axis=1), slice(None))
    if not keep[missing == "genes"].any():
        worst = data.obs_names[gaps.sum(axis=1).argmax()]
        raise DataError(
            f"{where}: each of the {missing} has missing values, nothing is left ({worst!r} lacks most: "
            f"{int(gaps.sum(axis=1).max())} of {data.n_vars} genes); leave out that sample, or pass missing="
            f"{'samples' if missing == 'genes' else 'genes'}"
        )
    lost = int((~keep[missing == "genes"]).sum())
    told["notes"].append(f"{lost} {missing} with missing values ({int(gaps.sum()):,} of them) are left out")
    return data[keep].copy()


def _refuse_huge(data: AnnData, where: str) -> None:
    """Refuse values that no measurement gives: models would end in overflow, after hours."""
    if abs(data.X).max() <= HUGE:
        return
    sample, gene = np.unravel_index(np.abs(data.X).argmax(), data.shape)
    raise DataError(
        f"{where}: implausibly large value {data.X[sample, gene]:g} at sample {data.obs_names[sample]!r}, "
        f"gene {data.var_names[gene]!r} ({int((abs(data.X) > HUGE).sum()):,} above {HUGE:g}): no count, "
        "TPM or intensity is that large; correct the file"
    )


def _look_at_scale(data: AnnData, where: str, log: bool, told: Mapping) -> None:
    """Note the scale of the values; warn when they are no logarithms, refuse that of negative ones."""
    low, high = float(data.X.min()), float(data.X.max())
    if log and low < 0:
        raise DataError(f"{where}: smallest value {low:g}: already a logarithm, or centred? Leave out log")
    told["notes"].append(f"values from {low:.4g} to {high:.4g}" + (", then log2(x + 1)" if log else ""))
    if low >= 0 and high > LINEAR_SCALE and not log:
        told["warnings"].append(
            f"the largest value is {high:,.0f}: counts or TPM, it seems; --log takes log2(x + 1)"
        )


def _varying(data: AnnData, where: str, told: Mapping) -> AnnData:
    """Return the data without the genes that are the same in every sample."""
    varies = np.ptp(data.X, axis=0) > 0
    if not varies.any():
        raise DataError(
            f"{where}: every gene has one value in all {data.n_obs} samples: nothing to learn from"
        )
    if not varies.all():
        told["notes"].append(f"{int((~varies).sum())} genes with one value in all samples are left out")
    return data[:, varies].copy()


def _few(names: Sequence[str]) -> str:
    """Return the first three names."""
    return ", ".join(repr(str(one)) for one in names[:3]) + (", ..." if len(names) > 3 else "")


def _plain(name: str) -> str:
    """Return an id without what programs change in it: case, signs, R's leading X."""
    return re.sub(r"[^a-z0-9]", "", name.lower()).removeprefix("x")
