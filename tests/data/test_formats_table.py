import gzip

import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError, FormatError, ParameterError, UnknownNameError
from exprml.data.formats import read_rdata, read_table

SAMPLES_IN_ROWS = "sample\ttissue\tgA\tgB\ns1\tliver\t1.5\t-9.9658\ns2\tlung\t\t4\ns3\tliver\t3\t1e-3\n"
EXPECTED = np.array([[1.5, -9.9658], [np.nan, 4], [3, 1e-3]], np.float32)


def test_samples_in_rows(write_file):
    adata = read_table(write_file("a.tsv", SAMPLES_IN_ROWS), metadata_columns=["tissue"])
    assert (list(adata.obs_names), list(adata.var_names)) == (["s1", "s2", "s3"], ["gA", "gB"])
    np.testing.assert_array_equal(adata.X, EXPECTED)
    assert adata.obs["tissue"].tolist() == ["liver", "lung", "liver"]
    assert adata.uns["provenance"]["missing"] == 1


def test_samples_in_columns(write_file):
    text = "gene,s1,symbol,s2,s3\ngA,1.5,TP53,,3\ngB,-9.9658,,4,1e-3\n"
    adata = read_table(write_file("a.csv.gz", text), samples_in="columns", metadata_columns=["symbol"])
    assert (list(adata.obs_names), list(adata.var_names)) == (["s1", "s2", "s3"], ["gA", "gB"])
    np.testing.assert_array_equal(adata.X, EXPECTED)
    assert adata.var["symbol"].tolist() == ["TP53", ""]


def test_table_as_r_writes_it(write_file):
    text = '"gA" "gB"\n"s1" 1.5 -9.9658\n"s2" NA 4\n"s3" 3 1e-3\n'  # write.table's defaults
    adata = read_table(write_file("a.txt", text), delimiter=" ")
    assert (list(adata.obs_names), list(adata.var_names)) == (["s1", "s2", "s3"], ["gA", "gB"])
    np.testing.assert_array_equal(adata.X, EXPECTED)


def test_delimiter_inside_quotes(write_file):
    text = 'id,drug,gA\ns1,"Na, K",2\ns2,"a ""b""",3\n'
    adata = read_table(write_file("a.csv", text), metadata_columns=["drug"])
    assert adata.obs["drug"].tolist() == ["Na, K", 'a "b"']


BAD = {
    "no number": (
        {"metadata_columns": ["tissue"]},
        ("4", "4,0"),
        r"line 3, column 4 \(sample 's2', gene 'gB'\).*found '4,0'",
    ),
    "short row": (
        {"metadata_columns": ["tissue"]},
        ("\t4", ""),
        r"line 3 \('s2'\): expected 4 cells as in line 1, found 3",
    ),
    "long row": (
        {"metadata_columns": ["tissue"]},
        ("\t4", "\t4\t5"),
        "expected 4 cells as in line 1, found 5",
    ),
    "duplicate sample": (
        {"metadata_columns": ["tissue"]},
        ("s3", "s1"),
        "duplicate sample id 's1' at line 2 and line 4",
    ),
    "duplicate gene": (
        {"metadata_columns": ["tissue"]},
        ("gB", "gA"),
        "duplicate gene id 'gA' at line 1, column 3 and line 1, column 4",
    ),
    "blank sample": ({"metadata_columns": ["tissue"]}, ("s3", ""), "line 4: expected a sample id, found ''"),
    "unknown metadata": (
        {"metadata_columns": ["tisue"]},
        ("", ""),
        "unknown metadata column 'tisue': did you mean 'tissue'",
    ),
    "wrong delimiter": ({"delimiter": ";"}, ("", ""), "expected columns of numbers after the ids"),
    "only metadata": ({"metadata_columns": ["tissue", "gA", "gB"]}, ("", ""), "expected columns of numbers"),
    "side": ({"samples_in": "genes"}, ("", ""), "unknown samples_in 'genes'. Known: columns, rows"),
}


@pytest.mark.parametrize("change", BAD)
def test_a_bad_table_is_refused(write_file, change):
    options, (old, new), message = BAD[change]
    path = write_file("bad.tsv", SAMPLES_IN_ROWS.replace(old, new) if old else SAMPLES_IN_ROWS)
    with pytest.raises((DataError, ParameterError, UnknownNameError), match=message):
        read_table(path, **options)


def test_a_table_without_rows_is_empty(write_file):
    with pytest.raises(FormatError, match="empty matrix, no rows after line 1"):
        read_table(write_file("a.tsv", "id\tgA\n"))


def test_not_utf8(write_file):
    path = write_file("a.csv", "id,gA\nlé,1\n".encode("latin-1"))
    with pytest.raises(FormatError, match="line 2, byte 2: expected utf-8 text, found byte 0xe9"):
        read_table(path, encoding="utf-8")
    assert list(read_table(path).obs_names) == ["lé"]


def test_truncated_gzip(tmp_path):
    text = "id\tgA\n" + "".join(f"s{i}\t{i * 7919 % 1000}\n" for i in range(20_000))
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(text.encode())[:30_000])
    with pytest.raises(FormatError, match=r"cut short after line \d{3,}"):
        read_table(tmp_path / "a.tsv.gz")


@pytest.mark.mirror
def test_real_gtex_table_equals_pandas_and_the_r_original(mirror):
    folder = mirror / "gtex_toil_1000genes"
    adata = read_table(folder / "gtex_v8.tsv.gz", metadata_columns=["upstream_split", "tissue"])
    frame = pd.read_csv(folder / "gtex_v8.tsv.gz", sep="\t", index_col=0)
    np.testing.assert_array_equal(adata.X, frame.iloc[:, 2:].astype(np.float32))
    original = read_rdata(folder / "gtex_v8.rda")["gtex_v8"]
    both = np.concatenate([original["X_train"].values, original["X_test"].values])
    np.testing.assert_array_equal(adata.X, both.astype(np.float32))
    assert list(adata.var_names) == list(original["X_train"].coords["dim_1"].values)
    assert list(adata.obs_names[:3000]) == list(original["X_train"].coords["dim_0"].values)
    assert adata.obs["tissue"].tolist() == [*original["y_train"], *original["y_test"]]


@pytest.mark.mirror
def test_real_tcga_table_counts_its_gaps(mirror):
    path = mirror / "tcga_paired_11cohorts" / "merged_common_genes.tsv.gz"
    adata = read_table(path, metadata_columns=["patient", "cohort", "sample_type"])
    assert adata.shape == (1204, 3556)
    assert adata.uns["provenance"]["missing"] == 944
    gaps = np.isnan(adata.X)
    assert set(adata.obs["cohort"][gaps.any(axis=1)]) == {"COAD", "STAD"}
    assert gaps.any(axis=0).sum() == 215


@pytest.mark.mirror
def test_real_wide_table_in_both_directions_is_the_same(mirror, tmp_path):
    """A table and its transpose give the same AnnData when the samples are said to stand there."""
    path = mirror / "tcga_cognoma_subset" / "expression-matrix-all-genes.tsv.gz"
    rows = read_table(path)
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    turned = zip(*(line.split("\t") for line in lines), strict=True)
    (tmp_path / "turned.tsv").write_text("\n".join(map("\t".join, turned)))
    columns = read_table(tmp_path / "turned.tsv", samples_in="columns")
    assert rows.shape == (50, 16261)
    np.testing.assert_array_equal(rows.X, columns.X)
    assert (list(rows.obs_names), list(rows.var_names)) == (list(columns.obs_names), list(columns.var_names))
