"""Exports: the same values and labels in each plain format."""

import json

import anndata
import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError, ParameterError
from exprml.data import catalogue
from exprml.data.formats import read_gct, read_table
from exprml_press import inventory


@pytest.fixture
def small(monkeypatch):
    """Give a data set of three samples and two genes in place of the loaded one."""
    adata = anndata.AnnData(
        np.array([[1.5, -9.9658], [0.1, 2], [3, np.nan]], np.float32),
        obs=pd.DataFrame(
            {"tissue": ["Blood", "Skin, sun", "Blood"]}, index=pd.Index(["a", "b", "c"], name="sample")
        ),
        var=pd.DataFrame({"symbol": ["X", "Y"]}, index=["G1", "G2"]),
    )
    adata.uns["provenance"] = {"dataset": "small", "files": {"some/where.csv": "abc"}, "steps": ["read"]}
    monkeypatch.setattr(catalogue, "load", lambda name: adata.copy())
    return adata


def test_csv_has_samples_in_rows(small, tmp_path):
    path = inventory.export("small", "csv", tmp_path / "out.csv")
    table = pd.read_csv(path, index_col="sample")
    assert table.columns.tolist() == ["tissue", "G1", "G2"]
    assert table["tissue"].tolist() == small.obs["tissue"].tolist()
    np.testing.assert_array_equal(table[["G1", "G2"]].to_numpy(np.float32), small.X)


def test_packed_csv_gives_the_same_bytes_twice(small, tmp_path):
    one = inventory.export("small", "csv", tmp_path / "one.csv.gz").read_bytes()
    assert one == inventory.export("small", "csv", tmp_path / "two.csv.gz").read_bytes()
    assert one[:2] == b"\x1f\x8b"


def test_gct_reads_back(small, tmp_path):
    found = read_gct(inventory.export("small", "gct", tmp_path / "out.gct"))
    np.testing.assert_array_equal(found.X, small.X)
    assert found.obs["tissue"].tolist() == small.obs["tissue"].tolist()


def test_h5ad_keeps_the_provenance(small, tmp_path):
    found = anndata.read_h5ad(inventory.export("small", "h5ad", tmp_path / "out.h5ad"))
    assert list(found.uns["provenance"]["files"]) == ["some/where.csv abc"]


@pytest.mark.parametrize(
    ("fmt", "name"),
    [
        ("gct", "a.csv"),
        ("csv", "a.gct"),
        ("csv", "a.tsv"),
        ("csv", "a"),
        ("h5ad", "a.h5ad.gz"),
        ("gct", "gct"),
    ],
)
def test_a_name_that_says_another_format_is_refused(small, tmp_path, fmt, name):
    with pytest.raises(ParameterError, match=f"what is written is {fmt}; let the name end in .{fmt}"):
        inventory.export("small", fmt, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_is_replaced_only_if_told(small, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("years of work")
    with pytest.raises(ParameterError, match=r"mine\.csv is there already: another name, or --force"):
        inventory.export("small", "csv", path)
    assert path.read_text() == "years of work"
    inventory.export("small", "csv", path, force=True)
    assert path.read_text().startswith("sample,tissue")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ParameterError, match="is there already"):
        inventory.export("small", "csv", tmp_path / "folder.csv", force=True)


def test_unknown_format_is_named(small, tmp_path):
    with pytest.raises(ParameterError, match="'xls'"):
        inventory.export("small", "xls", tmp_path / "out")


def test_genes_alone_are_a_table_but_no_gct(small, tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "load", lambda name: small[:0].copy())
    assert pd.read_csv(inventory.export("small", "csv", tmp_path / "o.csv"))["symbol"].tolist() == ["X", "Y"]
    with pytest.raises(DataError, match="no samples"):
        inventory.export("small", "gct", tmp_path / "o.gct")
    assert json.dumps(sorted(p.name for p in tmp_path.iterdir())) == '["o.csv"]'


def test_csv_reads_back(small, tmp_path):
    path = inventory.export("small", "csv", tmp_path / "out.csv")
    assert path.read_bytes().startswith(b"sample,tissue,G1,G2\na,Blood,1.5,-9.9658\n")
    again = read_table(path, samples_in="rows")
    np.testing.assert_array_equal(again.X, small.X)
    assert again.obs["tissue"].tolist() == small.obs["tissue"].tolist()
