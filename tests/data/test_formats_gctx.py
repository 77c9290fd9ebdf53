import tracemalloc

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from exprml.base.errors import DataError, FormatError, ParameterError, UnknownNameError
from exprml.data.formats import gctx as gctx_module
from exprml.data.formats import read_gct, read_gctx, write_gctx


@pytest.fixture
def gctx(tmp_path):
    """Build a GCTX file by hand, as the format says: 3 samples x 2 genes, samples in rows of the data set."""
    path = tmp_path / "hand.gctx"
    with h5py.File(path, "w") as file:
        file["0/DATA/0/matrix"] = np.array([[1, 2], [3, 4], [5, np.nan]], np.float32)
        file["0/META/COL/id"] = np.array([b"s1", b"s2", b"s3"])
        file["0/META/COL/pert_idose"] = np.array(["10 µM".encode("latin-1"), b"-666", b"5 uM"])
        file["0/META/COL/is_gold"] = np.array([0, 1, -666], np.float32)
        file["0/META/ROW/id"] = np.array([b"200814_at", b"222103_at"])
        file["0/META/ROW/pr_gene_id"] = np.array([b"5720", b"466"])
    return path


def test_matrix_and_names(gctx):
    adata = read_gctx(gctx)
    assert (list(adata.obs_names), list(adata.var_names)) == (["s1", "s2", "s3"], ["200814_at", "222103_at"])
    np.testing.assert_array_equal(adata.X, np.array([[1, 2], [3, 4], [5, np.nan]], np.float32))
    assert adata.uns["provenance"]["missing"] == 1


def test_metadata_types_null_and_old_micro_sign(gctx):
    adata = read_gctx(gctx)
    assert adata.obs["pert_idose"].astype(object).where(adata.obs["pert_idose"].notna(), None).tolist() == [
        "10 µM",
        None,
        "5 uM",
    ]
    np.testing.assert_array_equal(adata.obs["is_gold"], [0, 1, np.nan])
    assert adata.var["pr_gene_id"].tolist() == [5720, 466]


def _numbered(tmp_path, n_samples=1500, n_genes=2000):
    path = tmp_path / "large.gctx"
    matrix = np.arange(n_samples * n_genes, dtype=np.float32).reshape(n_samples, n_genes)
    obs = pd.DataFrame({"order": np.arange(n_samples)}, index=[f"s{i}" for i in range(n_samples)])
    var = pd.DataFrame({"order": np.arange(n_genes)}, index=[f"g{i}" for i in range(n_genes)])
    write_gctx(AnnData(matrix, obs=obs, var=var), path)
    return path, matrix


def test_window_in_the_order_asked_for(tmp_path):
    path, matrix = _numbered(tmp_path)
    rows, columns = [1400, 3, 4, 700, 5], [1999, 0, 130, 1, 64]
    window = read_gctx(path, samples=[f"s{i}" for i in rows], genes=[f"g{i}" for i in columns])
    np.testing.assert_array_equal(window.X, matrix[np.ix_(rows, columns)])
    assert (window.obs["order"].tolist(), window.var["order"].tolist()) == (rows, columns)


def test_window_never_loads_the_rest(tmp_path):
    path, matrix = _numbered(tmp_path)
    tracemalloc.start()
    read_gctx(path, samples=["s2", "s1400"], genes=["g9", "g1990"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.1 * matrix.nbytes


def test_window_reads_only_its_own_cells(tmp_path, monkeypatch):
    path, _ = _numbered(tmp_path, 300, 400)
    read_cells, original = [], h5py.Dataset.__getitem__

    def counting(self, key):
        values = original(self, key)
        read_cells.append(values.size if self.ndim == 2 else 0)
        return values

    monkeypatch.setattr(h5py.Dataset, "__getitem__", counting)
    read_gctx(path, samples=["s2", "s250"], genes=["g9", "g10", "g390"])
    assert sum(read_cells) == 6


def test_no_reading_crosses_a_chunk_that_another_reads_too(tmp_path, monkeypatch):
    path = tmp_path / "chunks.gctx"
    with h5py.File(path, "w") as file:
        values = np.arange(50 * 30, dtype=np.float32).reshape(50, 30)
        file.create_dataset("0/DATA/0/matrix", data=values, chunks=(20, 10), compression="gzip")
        file["0/META/COL/id"] = np.array([f"s{at}" for at in range(50)], dtype="S4")
        file["0/META/ROW/id"] = np.array([f"g{at}" for at in range(30)], dtype="S4")
    stretches, original = [], h5py.Dataset.__getitem__

    def noting(self, key):
        stretches.extend([key[0]] if self.ndim == 2 else [])
        return original(self, key)

    monkeypatch.setattr(gctx_module, "_BLOCK_CELLS", 60)  # two rows of the file, a tenth of a row of chunks
    monkeypatch.setattr(h5py.Dataset, "__getitem__", noting)
    window = read_gctx(path, samples=[f"s{at}" for at in range(49, 4, -1)], genes=["g1", "g28"])
    np.testing.assert_array_equal(window.X, values[49:4:-1][:, [1, 28]])
    assert [(one.start, one.stop) for one in stretches] == [(5, 20), (20, 40), (40, 50)]


def test_a_scattered_window_is_read_in_blocks(tmp_path):
    path, matrix = _numbered(tmp_path)
    names = {"samples": [f"s{i}" for i in range(0, 1500, 60)], "genes": [f"g{i}" for i in range(0, 2000, 60)]}
    tracemalloc.start()
    window = read_gctx(path, **names)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(window.X, matrix[::60, ::60])
    assert peak < 0.6 * matrix.nbytes


def test_unknown_id_is_named(gctx):
    with pytest.raises(UnknownNameError, match="unknown gene '200814': did you mean '200814_at'"):
        read_gctx(gctx, genes=["200814"])


@pytest.mark.parametrize(
    ("genes", "why"),
    [
        ("200814_at", "expected a list of ids"),
        ([], r"genes=\[\]: expected a list of ids"),
        (["200814_at", "200814_at"], "'200814_at' is asked for twice"),
    ],
)
def test_a_window_is_a_list_of_ids(gctx, genes, why):
    with pytest.raises(ParameterError, match=why):
        read_gctx(gctx, genes=genes)


def _replace(path, name, values):
    with h5py.File(path, "r+") as file:
        del file[name]
        if values is not None:
            file[name] = values


BAD = {
    "turned round": (
        "0/DATA/0/matrix",
        np.zeros((2, 3)),
        r"shape \(2, 3\), expected samples x genes \(3, 2\).*turned",
    ),
    "other shape": ("0/DATA/0/matrix", np.zeros((4, 2)), r"shape \(4, 2\).*contradicts itself"),
    "no matrix": ("0/DATA/0/matrix", None, "expected the data set '/0/DATA/0/matrix'"),
    "no gene ids": ("0/META/ROW/id", None, "expected the gene ids in '/0/META/ROW/id'"),
    "text matrix": ("0/DATA/0/matrix", np.full((3, 2), b"x"), "expected numbers"),
    "duplicate gene": (
        "0/META/ROW/id",
        np.array([b"a", b"a"]),
        r"duplicate gene id 'a' at /0/META/ROW/id\[0\]",
    ),
    "duplicate sample": ("0/META/COL/id", np.array([b"a", b"b", b"a"]), "duplicate sample id 'a'"),
    "short field": (
        "0/META/COL/is_gold",
        np.zeros(2),
        r"is_gold' has \(2,\), expected one value for 3 samples",
    ),
    "too large": ("0/DATA/0/matrix", np.full((3, 2), 1e39), "does not fit float32, .* correct the value"),
}


@pytest.mark.parametrize("change", BAD)
def test_a_file_that_contradicts_itself_is_refused(gctx, change):
    name, values, message = BAD[change]
    _replace(gctx, name, values)
    with pytest.raises(DataError, match=message) as caught:
        read_gctx(gctx)
    assert "hand.gctx" in str(caught.value)


def test_an_empty_file_is_refused(gctx):
    for name in ("0/DATA/0/matrix", "0/META/COL/pert_idose", "0/META/COL/is_gold"):
        _replace(gctx, name, None)
    _replace(gctx, "0/META/COL/id", np.array([], "S2"))
    with h5py.File(gctx, "r+") as file:
        file["0/DATA/0/matrix"] = np.zeros((0, 2), np.float32)
    with pytest.raises(DataError, match="empty matrix, 0 samples x 2 genes"):
        read_gctx(gctx)


def test_links_to_other_files_are_not_followed(gctx, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.zeros((3, 2), np.float32)
    _replace(gctx, "0/DATA/0/matrix", h5py.ExternalLink("other.h5", "secret"))
    with pytest.raises(FormatError, match=r"'0/DATA/0/matrix' links to 'other.h5'"):
        read_gctx(gctx)


def test_values_kept_in_another_file_are_not_read(gctx, tmp_path):
    (tmp_path / "raw.bin").write_bytes(bytes(24))
    with h5py.File(gctx, "r+") as file:
        del file["0/DATA/0/matrix"]
        outside = [(str(tmp_path / "raw.bin"), 0, 24)]
        file.create_dataset("0/DATA/0/matrix", (3, 2), np.float32, external=outside)
    with pytest.raises(FormatError, match="keeps its values elsewhere"):
        read_gctx(gctx)


def test_truncated_file(gctx):
    gctx.write_bytes(gctx.read_bytes()[:3000])
    with pytest.raises(FormatError, match="damaged or cut short HDF5"):
        read_gctx(gctx)


def test_round_trip(small, tmp_path):
    write_gctx(small, tmp_path / "a.gctx")
    again = read_gctx(tmp_path / "a.gctx")
    np.testing.assert_array_equal(again.X, small.X)
    pd.testing.assert_frame_equal(again.obs, small.obs, check_like=True)
    pd.testing.assert_frame_equal(again.var, small.var, check_like=True)


def test_written_layout(small, tmp_path):
    write_gctx(small, tmp_path / "a.gctx")
    with h5py.File(tmp_path / "a.gctx") as file:
        assert file.attrs["version"] == b"GCTX1.0"
        assert file["0/DATA/0/matrix"].shape == (3, 2)
        assert file["0/META/COL/id"][:].tolist() == [b"s1", b"s2", b"s3"]
        assert file["0/META/ROW/entrez"][:].tolist() == [7105, 64102]


def test_same_data_same_bytes(small, tmp_path):
    write_gctx(small, tmp_path / "a.gctx")
    write_gctx(small, tmp_path / "b.gctx")
    assert (tmp_path / "a.gctx").read_bytes() == (tmp_path / "b.gctx").read_bytes()


def test_a_field_name_hdf5_would_split_is_refused_and_nothing_is_left(small, tmp_path):
    small.obs["dose/um"] = 1
    with pytest.raises(DataError, match="sample field 'dose/um' cannot be a name in GCTX"):
        write_gctx(small, tmp_path / "a.gctx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.mirror
def test_real_gene_names_agree_with_the_gct_files(mirror):
    """Two unrelated files name each probe's gene alike: no shift and no swap in either reader."""
    left = read_gctx(mirror / "l1000" / "modzs_n272x978.gctx").var
    right = read_gct(mirror / "l1000" / "test_l1000_LJP005_A375_n377x978.gct.gz").var
    common = left.index.intersection(right.index)
    assert len(common) == 978
    assert (left.loc[common, "pr_gene_id"] == right.loc[common, "pr_gene_id"]).all()


@pytest.mark.mirror
def test_real_modzs(mirror):
    path = mirror / "l1000" / "modzs_n272x978.gctx"
    adata = read_gctx(path)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(adata.X, file["0/DATA/0/matrix"][:])
    assert adata.shape == (272, 978)
    assert adata.obs_names[0] == "CPC006_A549_6H:BRD-U88459701-000-01-8:10"
    assert (adata.obs["cell_id"].iloc[0], adata.obs["pert_idose"].iloc[0]) == ("A549", "10 µM")
    assert adata.obs["cell_id"].nunique() == 65
    assert np.abs(adata.X).max() == pytest.approx(10)


@pytest.mark.mirror
def test_real_window_equals_the_whole(mirror):
    path = mirror / "l1000" / "CORE_A_level4_ZSPCINF_n40x12328.gctx"
    whole = read_gctx(path)
    assert whole.shape == (40, 12328)
    rows, columns = [30, 2, 3], list(range(12000, 0, -577))
    window = read_gctx(path, samples=list(whole.obs_names[rows]), genes=list(whole.var_names[columns]))
    np.testing.assert_array_equal(window.X, whole.X[np.ix_(rows, columns)])
    pd.testing.assert_series_equal(window.obs["pert_iname"], whole.obs["pert_iname"].iloc[rows])


@pytest.mark.mirror
@pytest.mark.parametrize(
    "name", ["mini_gctoo_for_testing", "modzs_n272x978", "CORE_A_level4_ZSPCINF_n40x12328"]
)
def test_real_round_trip(mirror, tmp_path, name):
    adata = read_gctx(mirror / "l1000" / f"{name}.gctx")
    write_gctx(adata, tmp_path / "a.gctx")
    again = read_gctx(tmp_path / "a.gctx")
    np.testing.assert_array_equal(again.X, adata.X)
    pd.testing.assert_frame_equal(again.obs, adata.obs, check_like=True)
    pd.testing.assert_frame_equal(again.var, adata.var, check_like=True)
