"""One project's samples through the paper's filters, in the paper's order, each filter counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from exprml.data.recount3.counts import GeneSums, gene_sums

FILTERS = (
    "id seen before",
    "malformed",
    "no metadata",
    "no predicted type",  # in the paper's code only: it asks for the length of a missing value and passes on
    "sparse or single cell",
    "no TPM",
)
SPARSE = 0.75  # share of genes without a read, above which a sample is left out
SINGLE_CELL = "scrna-seq"


class Project:
    """The samples of one project that pass all filters but the last two, which need the counts.

    Attributes
    ----------
    seen : list of str
        All its ids that were new.
    audit : dict
        samples, the filters, kept: counts.
    kept : list of str
        Filled by :meth:`tpm`, in order.
    """

    def __init__(self, sums: GeneSums, metadata: pd.DataFrame, seen: set[str]) -> None:
        self._sums, self.metadata = sums, metadata
        self.audit = dict.fromkeys(("samples", *FILTERS, "kept"), 0) | {"samples": len(sums.samples)}
        self.seen: list[str] = []
        self.kept: list[str] = []
        self._left = np.array([i for i, one in enumerate(sums.samples) if self._passes(i, one, seen)], int)

    def tpm(self, lengths: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield TPM of the genes with a length (samples x genes, float64) and which samples have one.

        Parameters
        ----------
        lengths : ndarray, shape (genes of the file,)
            Bases; NaN where unknown.
        """
        known = ~np.isnan(lengths)
        for positions, rows in self._sums.rows(self._left):
            dense = self._dense(positions, rows)
            rates = rows[dense][:, known].astype(np.float64) / lengths[known]
            totals = rates.sum(axis=1, keepdims=True)
            usable = totals[:, 0] > 0
            self.audit["no TPM"] += int((~usable).sum())
            ids = [self._sums.samples[one] for one in positions[dense][usable]]
            self.kept += ids
            self.audit["kept"] += len(ids)
            yield rates * (1e6 / np.where(totals > 0, totals, 1)), usable

    def _passes(self, position: int, name: str, seen: set[str]) -> bool:
        why = self._refused(position, name, seen)
        if why != "id seen before":
            seen.add(name)
            self.seen.append(name)
        if why:
            self.audit[why] += 1
        return not why

    def _refused(self, position: int, name: str, seen: set[str]) -> str:
        if name in seen:
            return "id seen before"
        if self._sums.malformed[position]:
            return "malformed"
        if name not in self.metadata.index:
            return "no metadata"
        return "" if self.metadata.at[name, "type"] else "no predicted type"

    def _dense(self, positions: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return which samples are neither sparse, over all genes of the file, nor single cells."""
        types = self.metadata.loc[[self._sums.samples[one] for one in positions], "type"].to_numpy()
        dense = ((rows == 0).mean(axis=1) <= SPARSE) & (types != SINGLE_CELL)
        self.audit["sparse or single cell"] += int((~dense).sum())
        return dense


@contextmanager
def open_project(path: Path, genes: list[str], metadata: pd.DataFrame, seen: set[str]) -> Iterator[Project]:
    """Open a project's gene sums and put its samples through the filters; `seen` grows by its ids."""
    with gene_sums(path, genes) as sums:
        yield Project(sums, metadata, seen)
