"""Readers of contrasts: tiny files of the true form."""

import gzip
import zipfile

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
    table = "\n".join(["\t".join(["gene_ID", *names]), *rows]) + "\n"
    genes = "gene_id\tlength\tsymbol\tensembl_id\n1\t900\tTSPAN6\tENSG00000000003\n"
    return {"changes": write_file("matrix.tsv", table), "genes": write_file("genes.tsv", genes)}


def test_a_contrast_says_study_cells_day_target_and_kind(write_file):
    adata = okeke2023.morphic_changes(matrix(list(NAMES), write_file))
    assert adata.shape == (5, 2)
    assert adata.var["symbol"].tolist() == ["TSPAN6", ""]
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
    changes = mirror / "logfc_morphic" / "log2FoldChange_matrix.tsv.gz"
    genes = mirror / "gene_lengths" / "hs_gene_length.tsv.gz"
    adata = okeke2023.morphic_changes({"changes": changes, "genes": genes})
    assert adata.shape == (167, 22_606)
    assert adata.obs["series"].value_counts().iloc[0] == 36
    assert adata.obs["series"].nunique() == 13
    assert np.isfinite(adata.X).all(axis=0).sum() == 14_296


def bundle(tmp_path, **members):
    tables = {
        "GeneCountMatrix.tsv": "GeneID\tSRR1\tSRR2\nG1\t5\t0\nG2\t7\t12\n",
        "MetadataFull.tsv": "SRR_accession\tQC_summary\tGSE_accession\tGSM_accession\tsample.attributes\n"
        'SRR2\tPASS\tGSE1\tGSM2\tlist(tag = c("source_name", "age"), value = c("leaf", "5 d"))\n'
        'SRR1\tWARN(1)\tGSE1\tGSM1\tlist(tag = "source_name", value = "root")\n',
        "GeneInfo.tsv": "GeneID\tGeneSymbol\nG2\tBRCA\n",
    } | members
    path = tmp_path / "runs.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in tables.items():
            if text:
                packed.writestr(name, text)
    return {"bundle": path}


def test_a_download_of_dee2_gives_counts_and_words_by_run(tmp_path):
    adata = okeke2023.dee2_runs(bundle(tmp_path))
    np.testing.assert_array_equal(adata.X, [[5, 7], [0, 12]])
    assert adata.obs.loc["SRR1"].tolist() == ["GSE1", "GSM1", "WARN(1)", "source_name: root"]
    assert adata.obs.loc["SRR2", "annotation"] == "source_name: leaf\nage: 5 d"
    assert adata.var["symbol"].tolist() == ["", "BRCA"]


def test_words_of_geo_may_lie_beside_the_download(tmp_path, write_file):
    paths = bundle(tmp_path) | {
        "annotation": write_file("a.tsv", "sample\tsource\tline\nGSM1\tliver\tage: 3\n")
    }
    assert okeke2023.dee2_runs(paths).obs["annotation"].tolist() == ["liver\nage: 3", ""]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"GeneInfo.tsv": ""}, "no GeneInfo.tsv in it"),
        ({"../evil.tsv": "a"}, "'../evil.tsv' would leave the folder"),
        ({"/etc/evil.tsv": "a"}, "would leave the folder"),
        ({"MetadataFull.tsv": "SRR_accession\nSRR1\n"}, "1 of 2 runs are not in it"),
    ],
)
def test_a_download_that_is_none_is_refused(tmp_path, members, words):
    with pytest.raises(DataError, match=words):
        okeke2023.dee2_runs(bundle(tmp_path, **members))


def test_a_damaged_zip_is_refused_by_name(write_file):
    with pytest.raises(DataError, match=r"runs\.zip"):
        okeke2023.dee2_runs({"bundle": write_file("runs.zip", b"PK\x03\x04 no zip")})


def test_sets_of_genes_are_read_with_each_gene_once(write_file):
    adata = okeke2023.gene_sets({"sets": write_file("s.gmt", "A\tnote\tAkt3\tTp53\tAKT3\t\nB\t\tTp53\n\n")})
    assert adata.uns["terms"] == ["A", "B"]
    assert adata.var_names.tolist() == ["AKT3", "TP53"]
    np.testing.assert_array_equal(adata.varm["terms"].toarray(), [[1, 0], [1, 1]])


@pytest.mark.parametrize(
    ("text", "words"),
    [("A\tnote\tX\nB\tnote\n", "line 2: the set 'B' has no genes"), ("A\t\tX\nA\t\tY\n", "'A' stands twice")],
)
def test_sets_without_genes_and_names_twice_are_refused(write_file, text, words):
    with pytest.raises(DataError, match=words):
        okeke2023.gene_sets({"sets": write_file("s.gmt", text)})


def test_the_series_of_the_report_are_counted(write_file):
    adata = okeke2023.report_series({"series": write_file("series.txt", "GSE1\nGSE22\n")})
    assert adata.obs["series"].tolist() == ["GSE1", "GSE22"]


def as_r_matrix(table, converter):
    from rdata.conversion.to_r import build_r_object

    values = converter.convert_to_r_object(table.to_numpy().ravel(order="F"))
    sides = [side.to_numpy(dtype=str) for side in (table.index, table.columns)]
    attributes = {"dim": np.array(table.shape), "dimnames": sides}
    told = converter.convert_to_r_attributes(attributes)
    return build_r_object(values.info.type, value=values.value, attributes=told)


class Matrix(pd.DataFrame):
    """Numbers with names on both sides: in R no data frame."""


def studies(tmp_path):
    """Write the list of R objects; its strings are UTF-8 and say ASCII, as in the true file."""
    import rdata
    from rdata.conversion.to_r import DEFAULT_CLASS_MAP

    calls = Matrix([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]], ["7503", "86"], list("bac"))
    table = pd.DataFrame(
        {
            "rsc.ID": list("abc"),
            "ee.Name": ["GSE2", "GSE11512-Human", "GSE14834.1"],
            "ad.Name": ["GPL570"] * 3,
            "cf.Val": ["5 \u00b5M", "tumour", "x"],
            "cf.Baseline": ["none", "normal", "y"],
        }
    )
    path = tmp_path / "PNAS_data.RDS"
    written = {"deg_matrix": calls, "metadata": table}
    known = {Matrix: as_r_matrix, **DEFAULT_CLASS_MAP}
    rdata.write_rds(path, written, compression=None, constructor_dict=known)
    content = path.read_bytes()
    assert b"\x00\x00\x80\x09" in content
    path.write_bytes(gzip.compress(content.replace(b"\x00\x00\x80\x09", b"\x00\x04\x00\x09")))
    return {"studies": path}


def test_lists_of_hits_are_read_though_their_strings_say_ascii(tmp_path):
    adata = okeke2023.hit_lists(studies(tmp_path))
    assert adata.obs_names.tolist() == ["b", "a", "c"]
    assert adata.var_names.tolist() == ["7503", "86"]
    np.testing.assert_array_equal(adata.X, [[0, 0], [1, 0], [1, 1]])


@pytest.mark.mirror
def test_the_true_lists_are_of_635_studies(mirror):
    path = mirror / "changes" / "DEprior_20191023_PNAS_data.RDS"
    adata = okeke2023.hit_lists({"studies": path})
    assert adata.shape == (635, 19_172)
    assert (adata.X.sum(axis=1) >= 5).sum() == 549
