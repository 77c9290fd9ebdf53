"""What should make a reader think twice about a file: said, or refused where it would leak the label."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError
from exprml.base.files import from_yaml
from exprml.data.formats.layout import few
from exprml.data.labels import plain
from exprml.data.preprocess import UNKNOWN_LABELS

LINEAR_SCALE = 50  # no logarithm to base 2 of a count or TPM reaches it
_WORDS = set(from_yaml(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8")))
_GENE_FORMS = re.compile(
    r"C\d+orf\d+.*|mt-.*|(hsa|mmu)-.*|ERCC-\d+|LOC\d+|ENS[A-Z]*\d+.*|\d+(_[a-z]+)*_at|AFFX.*"
    r"|[A-Z0-9]+[-.][A-Z0-9.]+"
)
_NOT_KNOWN = {*UNKNOWN_LABELS, "na", "n/a", "none", "null"}
_NO_VALUE = (-9999, -999, -666, -99)  # written for "not measured"
_WAS = {"mar": "MARCH{0} (MARCHF{0}) or MARC{0} (MTARC{0})", "sep": "SEPT{0} (SEPTIN{0})",
        "dec": "DEC{0} (DELEC{0})",
        "oct": "OCT{0}", "apr": "APR{0}", "feb": "FEB{0}", "nov": "NOV{0}"}  # fmt: skip
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ELSEWHERE = {"mrz": "mar", "mär": "mar", "okt": "oct", "dez": "dec", "mai": "may"}


def refuse_metadata_genes(data: AnnData, label: str, group: str, where: str) -> None:
    """Raise where columns among the genes look like metadata: age, dose, a copy of the label.

    Raises
    ------
    DataError
        Listing them, and the two answers: ``--metadata`` and ``--exclude``.
    """
    found = {name: "named like metadata" for name in data.var_names if _metadata_name(str(name))}
    odd = _odd_names(data.var_names)
    found |= {name: why for name, why in _odd_scale(data, odd).items() if name not in found}
    for kind, column in (("label", label), ("group", group)):
        copies = _constant_within(data, column, odd) if column else []
        found |= {name: f"one value for each {kind}" for name in copies if name not in found}
    if not found or len(found) == data.n_vars:
        return
    listed = "; ".join(f"{name!r} ({why})" for name, why in list(found.items())[:8])
    typed = " ".join(shlex.quote(str(name)) for name in found)
    raise DataError(
        f"{where}: {len(found)} of {data.n_vars} genes look like metadata and not like genes: {listed}. "
        f"--metadata {typed} keeps them beside the samples (columns of a table), --exclude {typed} leaves "
        "them out; a gene that is meant needs the name of a gene"
    )


def warnings_of(data: AnnData, label: str, group: str, log: bool) -> list[str]:
    """Return what is odd about names, labels and values, a sentence each."""
    found = _dates(list(map(str, data.var_names)))
    found += _alike_words(data.obs[label], f"classes of {label!r}") if label else []
    found += _alike_words(data.obs[group], f"groups of {group!r}") if group else []
    for column in filter(None, (label, group)):
        words = data.obs[column]
        for word, count in words[words.str.lower().isin(_NOT_KNOWN)].value_counts().items():
            kept = f"{word!r} of {column!r} ({count} samples) is a name here"
            found.append(f"{kept}; --missing-label {word} leaves it out")
    return found + _marks(data) + _samples(data) + _scale(data, log)


def _metadata_name(name: str) -> bool:
    tokens = re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    tokens = [one if one.isupper() else one.rstrip("0123456789") for one in tokens]
    return any(one.lower() in _WORDS for one in tokens) and len(tokens) < 6


def _form(name: str) -> str:
    if re.fullmatch(r"\d+", name):
        return "number"
    if re.match(r"ENS[A-Z]*\d", name):
        return "ensembl"
    if re.fullmatch(r"\d+(_[a-z]+)*_at", name):
        return "probe"
    return "upper" if name.isupper() else "lower" if name.islower() else "mixed"


def _odd_names(names: Sequence[str]) -> set[str]:
    """Return names of another form than nine tenths of them have, and of no form known of genes."""
    forms = pd.Series([_form(str(name)) for name in names], index=names)
    usual = forms.mode().iloc[0]
    if (forms == usual).mean() < 0.9 or len(forms) < 10:
        return set()
    return {name for name in forms.index[forms != usual] if not _GENE_FORMS.fullmatch(str(name))}


def _odd_scale(data: AnnData, odd: set[str]) -> dict[str, str]:
    if not odd:
        return {}
    is_odd = data.var_names.isin(odd)
    X = np.nan_to_num(data.X)
    middle, whole = np.median(X, axis=0), (np.round(X) == X).all(axis=0)
    others = middle[~is_odd]
    low, high = others.min(), others.max()
    far = (middle > 2 * high) | (middle < low - abs(low))
    strange = is_odd & (far | (whole & (whole[~is_odd].mean() < 0.1)))
    return dict.fromkeys(data.var_names[strange], "another kind of name and of values")


def _constant_within(data: AnnData, column: str, odd: set[str]) -> list[str]:
    """Return genes with one value in each class or group of several samples, and not the same in all."""
    codes, names = pd.factorize(data.obs[column])
    counts = np.bincount(codes)
    repeated = np.flatnonzero(counts > 1)
    if len(names) < 2 or counts[repeated].sum() < 8 or len(repeated) < 2:
        return []
    inside = np.isin(codes, repeated)
    X, codes = data.X[inside], codes[inside]
    same = np.ptp(X, axis=0) > 0
    for code in repeated:
        same &= np.ptp(X[codes == code], axis=0) == 0
    found = data.var_names[same]
    if len(found) > max(3, data.n_vars / 20):
        return []  # repeated samples, not metadata
    enough = len(X) - len(repeated) >= 15  # by chance in counts of few reads
    return [name for name in found if enough or name in odd]


def _dates(names: list[str]) -> list[str]:
    whole = sum(name.isdecimal() for name in names)
    found = {name: was for name in names if (was := _was(name, whole < len(names) / 2))}
    if not found:
        return []
    listed = ", ".join(f"{name!r} was {was}" for name, was in list(found.items())[:5])
    what = f"{len(found)} gene names are dates, as spreadsheets make them of genes"
    return [f"{what}: {listed}; correct the file"]


def _was(name: str, serial: bool) -> str:
    plain_name = name.strip().lower()
    if serial and re.fullmatch(r"[34]\d{4}", plain_name):
        day = date(1899, 12, 30) + timedelta(days=int(plain_name))
        number, month = day.day, _MONTHS[day.month - 1]
    elif match := re.fullmatch(r"(\d{1,2})[-./ ]+([a-zä]{3})[a-z]*\.?([-./ ]\d{2,4})?", plain_name):
        number, month = int(match[1]), match[2]
    elif match := re.fullmatch(r"([a-zä]{3})[-./ ]+(\d{1,2})", plain_name):
        number, month = int(match[2]), match[1]
    elif match := re.fullmatch(r"\d{4}-(\d{2})-(\d{2})( 00:00:00)?", plain_name):
        number, month = int(match[2]), _MONTHS[(int(match[1]) - 1) % 12]
    else:
        return ""
    month = _ELSEWHERE.get(month, month)
    return _WAS.get(month, "a gene").format(number) if month in _MONTHS else ""


def _alike_words(column: pd.Series, what: str) -> list[str]:
    words = pd.Series(column.unique())
    keys = words.map(lambda one: plain(str(one)) or str(one))
    twins = [list(words[keys == key]) for key in keys[keys.duplicated()].unique()]
    # digits apart by a sign are other names: 1.1 and 11
    twins = [pair for pair in twins if len({re.sub(r"\D+", " ", one) for one in pair}) == 1]
    return [f"{what} that differ in case or signs only: {few(pair)}; one and the same?" for pair in twins[:3]]


def _marks(data: AnnData) -> list[str]:
    counts = {mark: int((mark == data.X).sum()) for mark in _NO_VALUE}
    return [
        f"{count:,} values are {mark}, which often stands for 'not measured': leave such cells empty"
        for mark, count in counts.items()
        if count
    ]


def _samples(data: AnnData) -> list[str]:
    same = np.ptp(data.X, axis=1) == 0
    if not same.any() or data.n_vars < 2:
        return []
    what = f"{int(same.sum())} samples have one value ({data.X[same][0, 0]:g}) for every gene"
    return [f"{what}: {few(data.obs_names[same])}"]


def _scale(data: AnnData, log: bool) -> list[str]:
    X = data.X
    low, high = float(X.min()), float(X.max())
    whole, up_to = bool((np.round(X) == X).all()), f"the largest value is {high:.3g}"
    if log and high <= LINEAR_SCALE and not whole:
        return [f"{up_to} before --log: logarithms already? Their logarithm is of no use"]
    if log or data.n_obs < 5:
        return []
    if low >= 0 and high > LINEAR_SCALE:
        return [f"the largest value is {high:,.0f}: counts or TPM, it seems; --log takes log2(x + 1)"]
    if low >= 0 and whole and high > 1:
        found = f"all values are whole numbers up to {high:.0f}: small counts, it seems"
        return [f"{found}; --log takes log2(x + 1)"]
    scaled = "scaled over all samples, test samples too; better unscaled"
    varying = X[:, np.ptp(X, axis=0) > 0]
    mean, spread = varying.mean(axis=0), varying.std(axis=0)
    if low < 0 and np.median(np.abs(mean)) < 0.05 and np.abs(np.median(spread) - 1) < 0.1:
        return [f"genes have mean 0 and spread 1: {scaled}"]
    if varying.size and (varying.min(axis=0) == 0).all() and (varying.max(axis=0) == 1).all() and not whole:
        return [f"every gene goes from 0 to 1: {scaled}"]
    if low >= 0 and high < 5 and not whole:
        return [f"{up_to}: a logarithm of logarithms? log2 of counts or TPM reaches 15"]
    return []
