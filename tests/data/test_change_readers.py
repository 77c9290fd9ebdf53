"""Readers of contrasts: tiny files of the true form."""

import gzip
import zipfile

import h5py
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


def bulk(tmp_path, write_file, **members):
    """Write the bulk form of the same download: HDF5 with a matrix and two lists of names, and two tables."""
    parts = {
        "bigmatrix": np.array([[9, 9], [0, 12], [5, 7]]),
        "rowname": ["SRR9", "SRR2", "SRR1"],
        "colname": ["G1", "G2"],
    } | members
    with h5py.File(tmp_path / "se.h5", "w") as file:
        for name, values in parts.items():
            file[name] = values
    about = "SRR_accession\tQC_summary\tSample_name\tGEO_series\n"
    about += "SRR1\tWARN(1)\tGSM1\tGSE1\nSRR2\tPASS\tGSM2\tGSE1\nSRR9\tPASS\tGSM9\tGSE9\n"
    told = "sample\tsource\tline\nGSM1\troot\t\nGSM2\tleaf\tage: 5 d\n"
    return {
        "bulk": tmp_path / "se.h5",
        "metadata": write_file("metadata.tsv", about),
        "annotation": write_file("annotation.tsv", told),
    }


def test_the_bulk_form_gives_the_annotated_runs_alone(tmp_path, write_file):
    adata = okeke2023.dee2_runs(bulk(tmp_path, write_file))
    assert adata.obs_names.tolist() == ["SRR2", "SRR1"]
    np.testing.assert_array_equal(adata.X, [[0, 12], [5, 7]])
    assert adata.obs.loc["SRR2"].tolist() == ["GSE1", "GSM2", "PASS", "leaf\nage: 5 d"]
    assert adata.var_names.tolist() == ["G1", "G2"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"colname": ["G1", "G2", "G3", "G4"]}, "not a matrix with the names"),
        ({"bigmatrix": np.ones((3, 3)), "colname": ["G1", "G2", "G3"]}, "not a matrix with the names"),
        ({"rowname": ["X1", "X2", "X3"]}, "holds no run of the samples in annotation.tsv"),
    ],
)
def test_a_bulk_file_that_does_not_fit_together_is_refused(tmp_path, write_file, members, words):
    with pytest.raises(DataError, match=words):
        okeke2023.dee2_runs(bulk(tmp_path, write_file, **members))


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


OBO = """format-version: 1.2
ontology: go

[Term]
id: GO:1
name: process

[Term]
id: GO:2
name: death
alt_id: GO:22
is_a: GO:1 {source="x"} ! process

[Term]
id: GO:3
name: end of death
is_obsolete: true
replaced_by: GO:2

[Term]
id: GO:4
name: step of death
relationship: part_of GO:2 ! death
relationship: regulates GO:5 ! other

[Term]
id: GO:5
name: other

[Term]
id: GO:6
name: gone
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""


def gaf(*rows):
    """Return lines of GAF 2.2: 17 columns, of which four are read."""
    lines = [
        ["MGI", "MGI:1", gene, qualifier, term, "MGI:2", evidence, *[""] * 10]
        for gene, qualifier, term, evidence in rows
    ]
    return "".join(["!gaf-version: 2.2\n", *("\t".join(line) + "\n" for line in lines)])


GAF = (
    ("Akt3", "involved_in", "GO:4", "IDA"),
    ("Tp53", "involved_in", "GO:22", "IEA"),
    ("Brca1", "involved_in", "GO:3", "IEA"),
    ("Myc", "NOT|involved_in", "GO:2", "IDA"),
    ("Fos", "involved_in", "GO:1", "ND"),
    ("Jun", "enables", "GO:6", "TAS"),
    ("Sox2", "enables", "GO:1", "TAS"),
)


def ontology(write_file, obo=OBO, rows=GAF):
    return {"ontology": write_file("go.obo", obo), "annotation": write_file("mgi.gaf", gaf(*rows))}


def test_a_gene_of_a_term_is_one_of_every_broader_term(write_file):
    adata = okeke2023.gene_ontology(ontology(write_file))
    assert adata.uns["terms"] == ["GO:1 process", "GO:2 death", "GO:4 step of death"]
    found = pd.DataFrame(adata.varm["terms"].toarray().astype(int), adata.var["symbol"])
    expected = {"AKT3": [1, 1, 1], "BRCA1": [1, 1, 0], "SOX2": [1, 0, 0], "TP53": [1, 1, 0]}
    assert {gene: list(row) for gene, row in found.T.items()} == expected
    step = adata.uns["provenance"]["steps"][-1]
    assert "1 lines of obsolete terms left out; 50% of the rest electronic" in step


@pytest.mark.parametrize(
    ("obo", "rows", "words"),
    [
        (OBO.replace("name: process\n", "name: process\nis_a: GO:4 ! step\n"), GAF, "GO:1 lies above itself"),
        (OBO.replace("is_a: GO:1 {", "is_a: GO:99 {"), GAF, "terms are not in it, as 'GO:99'"),
        (OBO, [*GAF, ("Akt3", "", "GO:77", "IDA")], "terms are not in it, as 'GO:77'"),
        (OBO.replace("id: GO:5\n", ""), GAF, r"go\.obo"),
    ],
)
def test_an_ontology_that_is_none_is_refused(write_file, obo, rows, words):
    with pytest.raises(DataError, match=words):
        okeke2023.gene_ontology(ontology(write_file, obo, rows))


def test_a_table_without_the_columns_of_gaf_is_refused_by_name(write_file):
    paths = ontology(write_file) | {"annotation": write_file("x.gaf", "gene\tGO:1\n")}
    with pytest.raises(DataError, match=r"x\.gaf"):
        okeke2023.gene_ontology(paths)


@pytest.mark.mirror
def test_the_true_slim_of_the_ontology_has_no_cycle(mirror, write_file):
    obo = next((mirror / "go").glob("goslim_generic.obo*"))
    rows = [("Akt3", "", "GO:0000228", "IDA")]
    adata = okeke2023.gene_ontology({"ontology": obo, "annotation": write_file("a.gaf", gaf(*rows))})
    assert "GO:0005694 chromosome" in adata.uns["terms"]  # is_a
    assert "GO:0005634 nucleus" in adata.uns["terms"]  # part_of


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
