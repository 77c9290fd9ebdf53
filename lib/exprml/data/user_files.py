"""A reader's own data: an expression file and a labels file become one checked AnnData, samples x genes.

Nothing is guessed and nothing is left out in silence: ``uns["user_files"]`` says what was dropped (``notes``)
and what should make the reader think twice (``warnings``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, ParameterError, UnknownNameError, check_known
from exprml.base.hashing import file_hash, text_hash
from exprml.base.roles import READERS_OWN
from exprml.data import formats
from exprml.data.formats.container import DUPLICATES
from exprml.data.formats.guard import as_dense
from exprml.data.labels import labelled, read_labels, with_better_ids
from exprml.data.preprocess import keep_classes, log_transform, plate_scores
from exprml.data.suspicions import refuse_metadata_genes, warnings_of

EACH_SAMPLE = "each sample"  # the group column when the reader names none
HUGE = 1e15  # far above any count, TPM or intensity; squares of such values leave the range of float32


def load(
    expression: str | Path,
    labels: str | Path = "",
    *,
    label: str = "",
    group: str = "",
    plate: str = "",
    samples_in: str = "",
    sample_column: str = "",
    metadata_columns: Sequence[str] = (),
    exclude: Sequence[str] = (),
    missing_label: Sequence[str] = (),
    log: bool = False,
    missing: str = "genes",
    **of_file: str,
) -> AnnData:
    """Read a reader's values and labels, match them by sample id, and note everything that is left out.

    Parameters
    ----------
    expression : str or Path
        GCT, GCTX, TSV/CSV, h5ad or R data.
    labels : str or Path
        TSV/CSV, one line a sample; empty if the labels stand in the expression file itself (h5ad, GCT 1.3,
        GCTX, or columns of a table with its samples in rows).
    label, group, plate : str
        Columns with the class (empty: none is asked), with what must not be split (donor, patient, study; if
        empty every sample is taken for its own), and with the plate, if any.
    samples_in : {"rows", "columns"}
        Of tables and R data, where it is never guessed.
    sample_column : str
        Column of the labels file with the sample ids; the first one unless told.
    metadata_columns : sequence of str
        Columns of an expression table that are no genes (no samples, where those stand in columns).
    exclude : sequence of str
        Genes, samples or columns that are left out.
    missing_label : sequence of str
        Words that stand for "not known" in the label and the group; empty cells always do.
    log : bool
        Take log2(x + 1).
    missing : {"genes", "samples", "error"}
        What is left out where a value is missing; "error" refuses.
    **of_file
        What only some formats have; refused where the format has no such thing.
        r_object: which object of an R file, if it holds several. layer: which layer of an h5ad file, in place
        of X. duplicates: what becomes of genes with one id ("error", "sum", "mean", "first"). delimiter,
        decimal, encoding: of tables, both files'; found by their first lines unless told.

    Returns
    -------
    AnnData
        ``obs[label]``, ``obs[plate]`` and ``obs[group]`` (or ``obs["each sample"]``) are text without gaps.

    Raises
    ------
    DataError, ParameterError, UnknownNameError
        Naming the file, the column and the nearest name.
    """
    check_known("--missing", [missing], ("genes", "samples", "error"))
    if label == group:
        raise ParameterError(f"label and group are both {label!r}: the group is the donor, patient or study")
    columns = {"label": label, "group": group, "plate": plate}
    texts = [*([] if labels else filter(None, columns.values())), *metadata_columns]
    data = read_values(Path(expression), samples_in, texts, **of_file)
    told = {"notes": [data.uns["provenance"]["steps"][-1]], "warnings": []}
    data = _changes_of_tests(data, Path(expression).stem, told)
    data = _without(data, exclude, str(expression))
    if labels:
        layout = {name: of_file.get(name, "") for name in ("delimiter", "decimal", "encoding")}
        table = read_labels(Path(labels), sample_column, **layout)
        told["notes"].append(f"read {Path(labels).name}: {table.attrs['said']}, {len(table)} lines")
        table = table if sample_column else with_better_ids(data, table, Path(labels), told)
        data = labelled(data, Path(expression).name, table, Path(labels), told)
    data = _with_texts(data, columns, missing_label, str(labels or expression), told)
    refuse_metadata_genes(data, label, group, str(expression))
    n_before = data.n_vars
    data = _without_gaps(data, str(expression), missing, told)
    _refuse_huge(data, str(expression))
    _note_scale(data, str(expression), log, told)
    told["warnings"] += warnings_of(data, label, group, log)
    data = _varying(log_transform(data, offset=1.0) if log else data, str(expression), told)
    if data.n_vars < n_before / 2:
        lost = f"{n_before - data.n_vars} of {n_before} genes"
        told["warnings"].append(f"{lost} are left out: is the file whole?")
    if not group:
        data.obs[EACH_SAMPLE] = list(data.obs_names)
        told["warnings"].append(_NO_GROUP)
    data.uns["user_files"] = {**told, "source": source_of(expression, labels)}
    return data


_NO_GROUP = (
    "no group was named, so every sample counts as its own. If several samples come from one donor, patient "
    "or study, the scores will be too good: name that column as the group"
)


def on_plates(data: AnnData, label: str, group: str, plate: str = "") -> AnnData:
    """Return wells scored within their plates, unless they are already; what was read is a layer, "as read".

    Parameters
    ----------
    data : AnnData
        From `load`: all wells, since controls and rare classes count for their plate too.
    label, group, plate : str
        Columns of obs; without a plate the values stay as they are.

    Raises
    ------
    DataError
        If a few groups hold several classes where others hold one, or a plate has fewer than three wells.
    """
    told, classes = data.uns["user_files"], data.obs.groupby(group)[label].nunique()
    crossing = classes.index[classes > 1]
    if 0 < len(crossing) <= len(classes) / 5:
        words = data.obs.loc[data.obs[group] == crossing[0], label].value_counts()
        counted = ", ".join(f"{name!r} in {count} wells" for name, count in words.items())
        raise DataError(
            f"{len(crossing)} of {len(classes)} groups of {group!r} have several classes of {label!r}, as "
            f"{crossing[0]!r} ({counted}): give each one class, or leave wells out (--exclude)"
        )
    if not plate:
        told["warnings"].append("no plate was named: what a plate does to its wells stays in the values")
        return data
    wells = data.obs.groupby(plate)
    few = wells.size()[wells.size() < 3]
    if len(few):
        raise DataError(
            f"{len(few)} plates of {plate!r} have fewer than 3 wells with a label, as {few.index[0]!r} "
            f"({few.iloc[0]}): no median can be taken there; leave those wells out (--exclude "
            f"{' '.join(data.obs_names[data.obs[plate].isin(few.index)][:3])} ...) or leave out --plate"
        )
    if (wells[label].nunique() == 1).all():
        told["warnings"].append(f"every plate holds one class of {label!r}: scores within plates remove it")
    medians = [np.median(data.X[rows], axis=0) for rows in wells.indices.values()]
    if np.median(np.abs(medians)) < data.X.std() / 10:
        told["notes"].append("plates have median 0: their values are taken for scores within plates already")
        return data
    data.layers["as read"] = data.X
    data.X = plate_scores(data.X, data.obs[plate])
    told["notes"].append(f"robust z-scores of every gene within each of {len(medians)} plates")
    return data


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
            f"are needed. Groups of each: {listed}; take fewer --folds or lower --min-groups "
            "(one group for each fold at least), or another label"
        )
    return keep_classes(data, label, unit, min_groups=min_groups, unknown=())


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
    return {"dataset": files[0].name, "role": READERS_OWN, "hash": digest, "why": "given by the reader"}


def read_values(path: Path, samples_in: str, texts: Sequence[str] = (), **options: Any) -> AnnData:
    """Return a reader's expression file of any format, dense float32 values, metadata as in the file.

    Parameters
    ----------
    path : Path
    samples_in : {"rows", "columns", ""}
        Tables and R data must be told; other formats say it themselves.
    texts : sequence of str
        Columns that are metadata, where the samples stand in rows, or of genes, where in columns.
    **options
        r_object, layer, duplicates, delimiter, decimal, encoding: as in :func:`load`; refused, if they say
        something, where the format has no such thing.
    """
    kind = formats.file_kind(path)
    turned = kind in ("table", "rda", "rds")
    check_known("--samples-in", [samples_in or "rows"], ("rows", "columns"))
    check_known("--duplicates", [options.get("duplicates", "error")], DUPLICATES)
    if turned and not samples_in:
        raise ParameterError(f"{path}: say where the samples stand: --samples-in rows or columns")
    if samples_in and not turned:
        raise ParameterError(f"{path}: a {kind} file says itself where samples stand; leave out --samples-in")
    told = {name: value for name, value in options.items() if value not in ("", "error")}
    foreign = next((name for name in told if name not in formats.options_of(kind)), None)
    if foreign:
        option = foreign.replace("_", "-")
        raise ParameterError(f"{path}: a {kind} file has no --{option}; leave it out")
    if turned:
        told |= {"samples_in": samples_in, "metadata_columns": list(dict.fromkeys(texts))}
    data = formats.read(path, **told)
    values = as_dense(data.X, path)
    provenance = {"provenance": dict(data.uns.get("provenance", {}))}
    return AnnData(X=values.astype(np.float32, copy=False), obs=data.obs, var=data.var, uns=provenance)


def _changes_of_tests(data: AnnData, stem: str, told: Mapping) -> AnnData:
    """Keep the changes of a table of DESeq2, whose columns are what was tested, five or six a contrast."""
    changes = data.obs_names.str.endswith("log2FoldChange")
    if not changes.any() or not data.obs_names.str.endswith("lfcSE").any():
        return data
    told["notes"].append(f"a table of tests: {changes.sum()} of {len(changes)} columns, log2FoldChange, kept")
    data = data[changes].copy()
    data.obs_names = [name.removesuffix("log2FoldChange").rstrip("_.") or stem for name in data.obs_names]
    return data


def _without(data: AnnData, exclude: Sequence[str], where: str) -> AnnData:
    """Return the data without the genes, samples or columns of obs that the reader names."""
    known = {*data.var_names, *data.obs_names, *data.obs.columns}
    check_known("gene, sample or column to exclude", exclude, known, where)
    data = data[~data.obs_names.isin(exclude), ~data.var_names.isin(exclude)].copy()
    data.obs = data.obs.drop(columns=[name for name in exclude if name in data.obs])
    return data


def _with_texts(
    data: AnnData, columns: Mapping[str, str], missing: Sequence[str], where: str, told: Mapping
) -> AnnData:
    """Return the samples whose label, group and plate are known, these columns as text."""
    for kind, name in columns.items():
        if not name:
            continue
        if name not in data.obs:
            raise UnknownNameError(f"{kind} column", name, data.obs.columns, where)
        texts = _words(data.obs[name])
        blank = (texts.isin(list(missing)) | (texts == "")).to_numpy()
        if blank.all():
            raise DataError(f"{where}: column {name!r} is empty for every sample")
        for word, count in texts[blank].value_counts().items():
            why = f"{word!r}, --missing-label" if word else "is empty"
            told["notes"].append(f"{count} samples without a {kind} ({name!r} {why}) are left out")
        data.obs[name] = texts.to_numpy()
        data = data[~blank].copy()
    return data


def _words(column: pd.Series) -> pd.Series:
    """Return a column as words; "" where a value is missing, whole floats without their .0."""
    gaps = column.isna()
    texts = column.astype(object).where(~gaps, "").astype(str).str.strip()
    return texts.str.removesuffix(".0") if pd.api.types.is_float_dtype(column.dtype) else texts


def _without_gaps(data: AnnData, where: str, missing: str, told: Mapping) -> AnnData:
    """Return the data without missing values, by the policy."""
    if np.isinf(data.X).any():
        place = _place(data, np.isinf(data.X).argmax())
        raise DataError(f"{where}: infinite value at {place}: was a logarithm taken of zero?")
    gaps = np.isnan(data.X)
    if not gaps.any():
        return data
    if missing == "error":
        raise DataError(
            f"{where}: {int(gaps.sum())} values are missing; fill them, or say --missing genes or samples"
        )
    keep = (slice(None), ~gaps.any(axis=0)) if missing == "genes" else (~gaps.any(axis=1), slice(None))
    if not keep[missing == "genes"].any():
        worst = data.obs_names[gaps.sum(axis=1).argmax()]
        raise DataError(
            f"{where}: each of the {missing} has missing values, nothing is left ({worst!r} lacks most: "
            f"{int(gaps.sum(axis=1).max())} of {data.n_vars} genes); leave it out (--exclude), or say "
            f"--missing {'samples' if missing == 'genes' else 'genes'}"
        )
    lost = int((~keep[missing == "genes"]).sum())
    told["notes"].append(f"{lost} {missing} with missing values ({int(gaps.sum()):,} of them) are left out")
    return data[keep].copy()


def _refuse_huge(data: AnnData, where: str) -> None:
    """Refuse values that no measurement gives: models would end in overflow, after hours."""
    if abs(data.X).max() <= HUGE:
        return
    largest = np.abs(data.X).argmax()
    raise DataError(
        f"{where}: implausibly large value {data.X.flat[largest]:g} at {_place(data, largest)} "
        f"({int((abs(data.X) > HUGE).sum()):,} above {HUGE:g}): no count, TPM or intensity is that large; "
        "correct the file"
    )


def _place(data: AnnData, at: int) -> str:
    """Return sample and gene of the value at a position of the flattened values."""
    sample, gene = np.unravel_index(at, data.shape)
    return f"sample {data.obs_names[sample]!r}, gene {data.var_names[gene]!r}"


def _note_scale(data: AnnData, where: str, log: bool, told: Mapping) -> None:
    """Note the scale of the values; refuse the logarithm of negative ones."""
    low, high = float(data.X.min()), float(data.X.max())
    if log and low < 0:
        raise DataError(f"{where}: smallest value {low:g}: already a logarithm, or centred? Leave out --log")
    told["notes"].append(f"values from {low:.4g} to {high:.4g}" + (", then log2(x + 1)" if log else ""))


def _varying(data: AnnData, where: str, told: Mapping) -> AnnData:
    """Return the data without the genes that are the same in every sample."""
    varies = np.ptp(data.X, axis=0) > 0
    if not varies.any():
        raise DataError(f"{where}: every gene has one value in all {data.n_obs} samples: nothing to learn")
    if not varies.all():
        told["notes"].append(f"{int((~varies).sum())} genes with one value in all samples are left out")
    return data[:, varies].copy()
