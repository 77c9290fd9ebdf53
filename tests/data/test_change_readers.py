"""Readers of contrasts: tiny files of the true form."""

import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError
from exprml.data.readers import okeke2023

NAMES = {
    "2024_06_JAX_RNAseq_Neuroectoderm_CBO_day_3_4_LHX5|LHX5_CE": (
        "2024_06_JAX_RNAseq_Neuroectoderm", "CBO", "3_4", "LHX5", "CE",
    ),
    "2024_09_JAX_RNAseq5_ExE_CBO_CBO_day_22_NR2F1|NR2F1_PTC": (
        "2024_09_JAX_RNAseq5_ExE_CBO", "CBO", "22", "NR2F1", "PTC",
    ),
    "2025_06_JAX_RNAseq08_PrS_day_6_WT_WT_hyp_vs_nor|hyp_vs_nor": (
        "2025_06_JAX_RNAseq08", "PrS", "6", "hyp_vs_nor", "",
    ),
    "2024_09_UCSF_Bulk_EB_Timecourse_EB_WT_day_10_vs_day_8|day_10_vs_day_8": (
        "2024_09_UCSF_Bulk_EB_Timecourse", "EB_WT", "10", "day_10_vs_day_8", "",
    ),
    "2024_10_NW_RNAseq_1_CHD1_Auxin_24h_vs_DMSO|Auxin_24h_vs_DMSO": (
        "2024_10_NW_RNAseq_1", "CHD1", "", "Auxin_24h_vs_DMSO", "",
    ),
}  # fmt: skip


def matrix(names, write_file):
    rows = [
        f"ENSG{number:011d}\t" + "\t".join(["1.5", ""] + ["-0.25"] * (len(names) - 2)) for number in (3, 4)
    ]
    return {"changes": write_file("matrix.tsv", "\n".join(["\t".join(["gene_ID", *names]), *rows]) + "\n")}


def test_a_contrast_says_study_cells_day_target_and_kind(write_file):
    adata = okeke2023.morphic_changes(matrix(list(NAMES), write_file))
    assert adata.shape == (5, 2)
    np.testing.assert_array_equal(adata.X[:, 0], [1.5, np.nan, -0.25, -0.25, -0.25])
    for name, (series, cells, day, target, kind) in NAMES.items():
        assert adata.obs.loc[name, ["series", "cells", "day", "target", "kind"]].tolist() == [
            series, cells, day, target, kind,
        ]  # fmt: skip


def test_a_contrast_of_another_name_is_refused(write_file):
    with pytest.raises(DataError, match="names no study"):
        okeke2023.morphic_changes(matrix([*NAMES, "odd|A"], write_file))


def test_a_pair_is_its_tumour_minus_its_normal_tissue(monkeypatch):
    from anndata import AnnData

    obs = pd.DataFrame(
        {
            "patient": ["p2", "p1", "p1", "p2"],
            "cohort": ["B", "A", "A", "B"],
            "sample_type": ["tumour", "normal", "tumour", "normal"],
        },
        index=list("abcd"),
    )
    X = np.array([[5, 1], [1, 1], [4, 1], [3, np.nan]], np.float32)
    monkeypatch.setattr(okeke2023, "tcga_paired", lambda paths: AnnData(X, obs=obs))
    adata = okeke2023.tcga_changes({})
    assert adata.obs_names.tolist() == ["p2", "p1"]
    assert adata.obs["series"].tolist() == ["B", "A"]
    np.testing.assert_array_equal(adata.X, [[2, np.nan], [3, 0]])


@pytest.mark.mirror
def test_the_true_matrix_has_thirteen_studies(mirror):
    adata = okeke2023.morphic_changes({"changes": mirror / "logfc_morphic" / "log2FoldChange_matrix.tsv.gz"})
    assert adata.shape == (167, 22_606)
    assert adata.obs["series"].value_counts().iloc[0] == 36
    assert adata.obs["series"].nunique() == 13
    assert np.isfinite(adata.X).all(axis=0).sum() == 14_296
