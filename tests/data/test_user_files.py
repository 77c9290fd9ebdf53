"""A reader's own files: matched by sample id, checked, and nothing left out in silence."""

import base64
import gzip

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from exprml.base.errors import DataError, FormatError, ParameterError, UnknownNameError
from exprml.data import user_files

# m <- matrix(c(1.5,NA,3,4,5,6), 2, 3, dimnames=list(c("s1","s2"), c("gA","gB","gC"))); saveRDS(m, "one.rds")
ONE_RDS = """
H4sIAAAAAAAAA4vgYmBgYGZgYWJiYGYFMhlYQ0PcdC0YGJj4gBw2+x8MYFD/AUSyL3LggPAdBKC0CJSWYIACFiYgwcjAwsAJMjgl
MxdI8QIxExQzoynhACrJS8xNLQayhaFqBMA0RJ6p2BDOMoLKMcNE0h3hLCc4yxlI/gMAK7y3v9gAAAA="""


@pytest.fixture
def files(tmp_path):
    """Write six samples x four genes (samples in columns) and their labels; return what loads them."""
    values = np.array([[1, 2, 3, 5], [2, 2, 1, 5], [4, 1, 3, 5], [1, 3, 3, 5], [5, 1, 2, 5], [2, 4, 3, 5]])
    names = [f"s{number}" for number in range(1, 7)]
    table = pd.DataFrame(values.T.astype(float), index=["gA", "gB", "gC", "gD"], columns=names)
    labels = pd.DataFrame(
        {"run": names, "tissue": ["a", "b"] * 3, "donor": ["d1", "d2", "d3", "d3", "d4", "d4"]}
    )

    def load(table=table, labels=labels, **options):
        table.to_csv(tmp_path / "x.tsv", sep="\t")
        labels.to_csv(tmp_path / "y.csv", index=False)
        options = {"label": "tissue", "group": "donor", "samples_in": "columns", **options}
        return user_files.load(tmp_path / "x.tsv", tmp_path / "y.csv", **options)

    load.table, load.labels, load.folder = table, labels, tmp_path
    return load


def test_values_and_labels_meet_by_sample_id_whatever_their_order(files):
    data = files(labels=files.labels.iloc[::-1])
    assert list(data.obs_names) == list(files.table.columns)
    assert list(data.obs["tissue"]) == ["a", "b"] * 3
    assert list(data.obs["donor"]) == ["d1", "d2", "d3", "d3", "d4", "d4"]
    np.testing.assert_array_equal(data.X[:, 0], files.table.loc["gA"].astype(np.float32))


def test_what_is_left_out_is_counted(files):
    labels = files.labels.assign(tissue=["a", "", "a", "b", "unknown", "b"]).iloc[:-1]
    labels = pd.concat([labels, pd.DataFrame([{"run": "s99", "tissue": "a", "donor": "d9"}])])
    data = files(labels=labels, missing_label=["unknown"])
    assert list(data.obs_names) == ["s1", "s3", "s4"]
    told = " | ".join(data.uns["user_files"]["notes"])
    assert "1 samples of x.tsv have no line in y.csv and are left out: 's6'" in told
    assert "1 lines of y.csv have no sample" in told
    assert "1 samples without a label ('tissue' is empty)" in told
    assert "1 samples without a label ('tissue' 'unknown', --missing-label)" in told
    assert "genes with one value in all samples" in told
    assert "gD" not in data.var_names
    assert "1 of 6 samples have no label" in " ".join(data.uns["user_files"]["warnings"])


@pytest.mark.parametrize(("policy", "shape"), [("genes", (6, 2)), ("samples", (5, 3))])
def test_missing_values_go_by_the_policy(files, policy, shape):
    table = files.table.copy()
    table.loc["gB", "s3"] = np.nan
    assert files(table, missing=policy).shape == shape
    with pytest.raises(DataError, match="1 values are missing"):
        files(table, missing="error")


def test_nothing_left_names_the_worst_sample(files):
    table = files.table.copy()
    table["s4"] = np.nan
    with pytest.raises(DataError, match="'s4' lacks most: 4 of 4 genes"):
        files(table)


def test_scale_is_noticed_and_the_logarithm_taken_on_demand(files):
    large = files.table * 100
    assert "largest value is 500" in files(large).uns["user_files"]["warnings"][0]
    data = files(large, log=True)
    assert not data.uns["user_files"]["warnings"]
    np.testing.assert_allclose(data.X[0, 0], np.log2(101), rtol=1e-6)
    with pytest.raises(DataError, match=r"smallest value -4: already a logarithm"):
        files(files.table - 5, log=True)


def test_infinite_values_are_named(files):
    table = files.table.copy()
    table.loc["gC", "s2"] = -np.inf
    with pytest.raises(DataError, match="infinite value at sample 's2', gene 'gC'"):
        files(table)


@pytest.mark.parametrize("huge", [1e30, -2e16])
def test_implausibly_large_values_are_refused_before_the_fits(files, huge):
    table = files.table.copy()
    table.loc["gC", "s2"] = huge
    with pytest.raises(DataError, match=r"implausibly large value \S+ at sample 's2', gene 'gC' \(1 above"):
        files(table)
    table.loc["gC", "s2"] = 1e12  # a mass spectrometer's intensity
    assert files(table).n_obs == 6


def test_without_a_group_every_sample_counts_and_the_reader_is_warned(files):
    data = files(group="")
    assert list(data.obs[user_files.EACH_SAMPLE]) == list(data.obs_names)
    assert "no group was named" in data.uns["user_files"]["warnings"][-1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: one.assign(run="x" + one["run"], id=one["run"]), "its column 'id' has them"),
        (lambda one: one.assign(run=["gA", "gB", "gC", "gD", "q", "r"]), "change --samples-in"),
        (lambda one: one.assign(run="X" + one["run"].str.upper()), "'XS1' is 's1' there"),
        (lambda one: one.assign(run=[f"t{n}" for n in range(6)]), "'t0', 't1', 't2', ...) is among the 6"),
        (lambda one: one.assign(run="s1"), "sample 's1' stands in lines 2, 3, 4"),
    ],
)
def test_ids_that_do_not_meet_say_why(files, change, words):
    with pytest.raises(DataError) as caught:
        files(labels=change(files.labels))
    assert words in str(caught.value)
    assert "y.csv" in str(caught.value)


def test_wrong_columns_name_the_nearest(files):
    with pytest.raises(UnknownNameError, match=r"unknown label column 'tisue': did you mean 'tissue'.*y.csv"):
        files(label="tisue")
    with pytest.raises(UnknownNameError, match="unknown group column 'doner': did you mean 'donor'"):
        files(group="doner")
    with pytest.raises(UnknownNameError, match="unknown sample column 'runs': did you mean 'run'"):
        files(sample_column="runs")
    with pytest.raises(ParameterError, match="both 'tissue'"):
        files(group="tissue")


def test_orientation_is_asked_for_and_refused_where_the_format_says_it(files, tmp_path):
    with pytest.raises(ParameterError, match="say where the samples stand"):
        files(samples_in="")
    AnnData(X=np.eye(2, dtype=np.float32)).write_h5ad(tmp_path / "a.h5ad")
    with pytest.raises(ParameterError, match="leave out --samples-in"):
        user_files.load(tmp_path / "a.h5ad", label="tissue", samples_in="rows")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", b"run;tissue\ns1;a\ns2;b\n"),
        ("b.tsv", b"run\ttissue\r\ns1\ta\r\ns2\tb\r\n"),
        ("c.csv.gz", gzip.compress(b"\xef\xbb\xbfrun,tissue\ns1,a\ns2,b\n", mtime=0)),
        ("d.txt", b"tissue\tdonor\ns1\ta\td1\ns2\tb\td2\n"),
    ],
)
def test_labels_come_as_spreadsheets_and_r_write_them(tmp_path, name, text):
    (tmp_path / name).write_bytes(text)
    table = user_files.read_labels(tmp_path / name)
    assert (list(table.index), list(table["tissue"])) == (["s1", "s2"], ["a", "b"])


def test_labels_that_are_no_table_are_refused(tmp_path):
    (tmp_path / "y.csv").write_bytes(b"PK\x03\x04 a spreadsheet")
    with pytest.raises(FormatError, match="zip archive"):
        user_files.read_labels(tmp_path / "y.csv")
    (tmp_path / "z.csv").write_bytes("run,tissue\ns1,köln\n".encode("latin-1"))
    with pytest.raises(FormatError, match=r"z\.csv, line 2, byte 5: expected utf-8 text"):
        user_files.read_labels(tmp_path / "z.csv", encoding="utf-8")
    assert user_files.read_labels(tmp_path / "z.csv")["tissue"].tolist() == ["köln"]


def test_r_data_take_their_labels_from_the_table(tmp_path):
    (tmp_path / "one.rds").write_bytes(base64.b64decode(ONE_RDS))
    (tmp_path / "y.csv").write_text("id,tissue\ns2,b\ns1,a\n")
    data = user_files.load(tmp_path / "one.rds", tmp_path / "y.csv", label="tissue", samples_in="rows")
    assert (list(data.obs_names), list(data.var_names)) == (["s1", "s2"], ["gB", "gC"])
    assert list(data.obs["tissue"]) == ["a", "b"]


def test_classes_with_too_few_groups_are_listed(files):
    data = files()
    kept, excluded = user_files.usable_classes(data, "tissue", "donor", 2)
    assert (kept.n_obs, len(excluded)) == (6, 0)
    with pytest.raises(DataError, match=r"'a' \(3\), 'b' \(3\); take fewer --folds"):
        user_files.usable_classes(data, "tissue", "donor", 4)
    with pytest.raises(DataError, match="has 1 classes"):
        user_files.usable_classes(files(labels=files.labels.assign(tissue="a")), "tissue", "donor", 2)


def test_identical_samples_across_groups_are_found(files):
    table = files.table.copy()
    table["s6"] = table["s1"]
    twins = user_files.duplicates(files(table), "tissue", "donor")
    assert twins.to_dict("records") == [{"samples": 2, "groups": 2, "classes": 2, "first sample": "s1"}]
    assert user_files.duplicates(files(), "tissue", "donor").empty


def test_floor_shares_count_values_at_their_genes_smallest(files):
    data = files()
    assert user_files.floor_shares(data)["gA"] == pytest.approx(2 / 6)
    assert user_files.floor_shares(data, "samples")["s1"] == pytest.approx(1 / 3)


def test_a_layer_is_read_in_place_of_x(files, tmp_path):
    counts = files.table.T.to_numpy(np.float32)
    data = AnnData(np.zeros_like(counts), obs=files.labels.set_index("run"), layers={"counts": counts})
    data.var_names = list(files.table.index)
    data.write_h5ad(tmp_path / "a.h5ad")
    read = user_files.load(tmp_path / "a.h5ad", label="tissue", group="donor", layer="counts")
    assert read.to_df()["gA"].tolist() == files.table.loc["gA"].tolist()
    with pytest.raises(UnknownNameError, match="did you mean 'counts'"):
        user_files.load(tmp_path / "a.h5ad", label="tissue", group="donor", layer="count")


def test_of_a_table_of_tests_the_changes_are_kept_and_a_note_says_so(tmp_path):
    columns = ("baseMean", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj")
    rows = {
        f"ENSG{at}": [900.0, at - 2.5, 0.1, 2.0, 0.01, np.nan, 1.07, 2.0 * at, 3.6, 1.0, 0.5, 0.9]
        for at in range(6)
    }
    names = [f"{target}_{column}" for target in ("RUNX1_CE", "RUNX1_KO") for column in columns]
    pd.DataFrame(rows, names).T.to_csv(tmp_path / "x.tsv", sep="\t", index_label="gene_ID")
    (tmp_path / "y.csv").write_text("contrast,series\nRUNX1_CE,a\nRUNX1_KO,a\n")
    data = user_files.load(tmp_path / "x.tsv", tmp_path / "y.csv", group="series", samples_in="columns")
    assert data.obs_names.tolist() == ["RUNX1_CE", "RUNX1_KO"]
    np.testing.assert_array_equal(data.X[:, 1], [-1.5, 2.0])
    assert any("a table of tests: 2 of 12 columns" in note for note in data.uns["user_files"]["notes"])
