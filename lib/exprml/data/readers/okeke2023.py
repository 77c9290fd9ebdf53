"""Readers of the data of okeke2023: contrasts, each a profile of changes between two groups of samples.

Contrasts are contrasts x genes, values log2 fold changes. Their `obs` has series (what must not be split) and
target (the gene or condition that was changed, "" if none is named).
"""

from __future__ import annotations

import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError
from exprml.base.provenance import with_steps
from exprml.data import formats
from exprml.data.readers.heil2022 import tcga_paired
from exprml.data.readers.shared import Paths, reading

# What follows the name of a MorPhiC study: cells and day, or the words of a time course.
_MORPHIC = (
    r"^(?P<series>\d{4}_\d\d_.+?)_(?P<cells>[A-Za-z]+)_day_(?P<day>\d+(?:_\d)?)_",
    r"^(?P<series>\d{4}_\d\d_.+?)_(?P<cells>EB_WT)_day_(?P<day>\d+)_",
    r"^(?P<series>\d{4}_\d\d_.+?)_(?P<cells>[A-Z0-9]+)_(?P<day>)Auxin_",
)


def morphic_changes(paths: Paths) -> AnnData:
    """Read the contrasts of the MorPhiC consortium: human cells with a gene switched off, or in time.

    Parameters
    ----------
    paths : dict
        changes (genes in rows, contrasts "analysis|contrast" in columns, empty where not tested).

    Returns
    -------
    AnnData, 167 contrasts x 22,606 genes
        log2 fold changes by DESeq2, NaN where a gene was not tested; obs: series (the study), cells, day,
        target (gene, or the comparison without one), kind ("KO", "CE", "PTC" and so on; "" if none).

    Raises
    ------
    DataError
        If a contrast has another name than these have.
    """
    adata = formats.read_table(paths["changes"], samples_in="columns")
    names = adata.obs_names.to_series()
    about = pd.concat([names.str.extract(form) for form in reversed(_MORPHIC)]).dropna(subset="series")
    about = about[~about.index.duplicated()].reindex(names.index)
    unknown = about.index[about["series"].isna()]
    if len(unknown):
        raise DataError(f"{paths['changes'].name}: {unknown[0]!r} names no study, cells and day")
    ending = names.str.split("|").str[-1]
    parts = ending.str.extract(r"^(?P<target>[A-Z0-9-]+)_(?P<kind>KO|CE|PTC|reverted)$")
    about["target"], about["kind"] = parts["target"].fillna(ending), parts["kind"].fillna("")
    adata.obs = about.rename_axis("contrast")
    return with_steps(adata, [*reading(paths), "series: the study before the cells in a contrast's name"])


def tcga_changes(paths: Paths) -> AnnData:
    """Read the pairs of TCGA as contrasts: the tumour of a patient minus the normal tissue beside it.

    Parameters
    ----------
    paths : dict
        Cohort (BRCA, ...) -> R data.

    Returns
    -------
    AnnData, 602 contrasts x 3,556 genes
        Differences of log2 values, NaN where either is missing; obs: series (the cohort), patient, target "".
    """
    samples = tcga_paired(paths)
    tumour, normal = (samples[samples.obs["sample_type"] == kind] for kind in ("tumour", "normal"))
    normal = normal[pd.Index(normal.obs["patient"]).get_indexer(tumour.obs["patient"])]
    obs = tumour.obs[["cohort", "patient"]].rename(columns={"cohort": "series"}).assign(target="")
    obs = obs.set_index("patient", drop=False).rename_axis("contrast")
    adata = AnnData(tumour.X - normal.X, obs=obs, var=samples.var)
    return with_steps(
        adata, [*reading(paths), "tumour minus normal tissue of every patient; series: the cohort"]
    )
