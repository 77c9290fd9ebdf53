"""Files that contradict themselves, point elsewhere, or ask for more than they hold."""

import io
import os
import signal
import time

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from exprml.base.errors import DataError, FormatError, ParameterError
from exprml.data.formats import guard, hdf5, read, read_gctx, read_h5ad, write_gctx
from exprml.data.labels import read_labels

HUGE = 3 * 10**8


@pytest.fixture
def whole(tmp_path):
    """Write 5 samples x 4 genes with every kind of part, X sparse by rows and a layer by columns."""
    matrix = sparse.csr_matrix(
        np.array([[0, 1, 0, 2], [3, 0, 0, 0], [0, 0, 0, 0], [0, 4, 5, 6], [7, 0, 8, 0]], "f4")
    )
    obs = pd.DataFrame({"donor": ["1.1", "1.10", "x", "y", "z"], "age": range(5)}, index=list("abcde"))
    data = anndata.AnnData(matrix, obs=obs, var=pd.DataFrame(index=list("wxyz")))
    data.raw = data.copy()
    data.layers["log"] = sparse.csc_matrix(matrix).log1p()
    data.layers["dense"] = matrix.toarray()
    data.obsm["pca"] = np.ones((5, 2))
    data.obsp["near"] = sparse.identity(5, format="csr")
    data.uns["inside"] = sparse.identity(3, format="csr")
    data.write_h5ad(tmp_path / "whole.h5ad")
    return tmp_path / "whole.h5ad"


def test_a_whole_file_is_read_with_all_its_parts(whole):
    data = read_h5ad(whole)
    np.testing.assert_array_equal(data.X.toarray(), data.layers["dense"])
    assert data.raw.shape == (5, 4)
    assert list(data.obs["donor"]) == ["1.1", "1.10", "x", "y", "z"]
    assert data.uns["provenance"]["infinite"] == 0


def change(path, name, at=None, value=None, attribute=None, dense=False):
    with h5py.File(path, "r+") as file:
        if dense:
            del file[name]
            file[name] = value
            file[name].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        elif attribute:
            file[name].attrs[attribute] = value
        elif at is None:
            attributes = dict(file[name].attrs)
            del file[name]
            file[name] = value
            file[name].attrs.update(attributes)
        else:
            file[name][at] = value


SPARSE = {
    "index outside": (
        {"name": "X/indices", "at": 3, "value": 10**8},
        "matrix 'X': indices must be < 4",
    ),
    "negative index": ({"name": "X/indices", "at": 0, "value": -1}, "indices must be >= 0"),
    "a cell twice": ({"name": "X/indices", "at": 1, "value": 1}, "a cell stands twice"),
    "short data": ({"name": "X/data", "value": np.ones(7, "f4")}, "its parts do not fit"),
    "falling indptr": (
        {"name": "X/indptr", "at": 1, "value": 4},
        "non-decreasing",
    ),
    "indptr from 1": ({"name": "X/indptr", "at": 0, "value": 1}, "should start with 0"),
    "indptr too far": ({"name": "X/indptr", "at": -1, "value": 99}, "its parts do not fit"),
    "short indptr": (
        {"name": "X/indptr", "value": np.array([0, 8])},
        "index pointer size 2 should be 6",
    ),
    "other form": (
        {"name": "X", "attribute": "encoding-type", "value": "csc_matrix"},
        "index pointer size 6 should be 5",
    ),
    "wider": (
        {"name": "X", "attribute": "shape", "value": [5, 9]},
        r"as many rows as `X` has columns \(9\), but has 4",
    ),
    "indices as numbers": (
        {"name": "X/indices", "value": np.zeros(8)},
        "its parts do not fit|stands twice",
    ),
    "data as texts": ({"name": "X/data", "value": np.full(8, b"x")}, r"does not support dtype \|S1"),
    "data square": ({"name": "X/data", "value": np.ones((8, 1))}, "its parts do not fit|should be 1-D"),
    "layer": (
        {"name": "layers/log/indices", "at": 0, "value": 5},
        "'layers/log': indices must be < 5",
    ),
    "raw": ({"name": "raw/X/indices", "at": 0, "value": 77}, "'raw/X': indices must be < 4"),
    "pairs": ({"name": "obsp/near/indices", "at": 0, "value": 77}, "'obsp/near': indices must be < 5"),
    "in uns": ({"name": "uns/inside/indices", "at": 0, "value": 77}, "'uns/inside': indices must be < 3"),
}


@pytest.mark.parametrize("kind", SPARSE)
def test_a_sparse_matrix_that_contradicts_itself_is_refused(whole, kind):
    edit, message = SPARSE[kind]
    change(whole, **edit)
    with pytest.raises(DataError, match=message) as caught:
        read_h5ad(whole)
    assert "whole.h5ad" in str(caught.value)


def test_indices_out_of_order_are_no_fault(whole):
    change(whole, "X/indices", at=slice(0, 2), value=[3, 1])
    assert read_h5ad(whole).X.toarray()[0].tolist() == [0, 2, 0, 1]


PARTS = {
    "transposed": ({"name": "X", "value": np.zeros((4, 5))}, r"X has shape \(4, 5\), .*turned"),
    "layer": ({"name": "layers/dense", "value": np.zeros((5, 3))}, r"'dense' is of incorrect shape"),
    "layer of texts": ({"name": "layers/dense", "value": np.full((5, 4), b"x")}, "layers/dense holds"),
    "raw": (
        {"name": "raw/X", "value": np.zeros((4, 4)), "dense": True},
        "X has 4 rows, but n_obs is 5",
    ),
    "genes of raw": (
        {"name": "raw/X", "value": np.zeros((5, 3)), "dense": True},
        "damaged, .*3",
    ),
    "pairs": (
        {"name": "obsp/near", "value": np.zeros((5, 4)), "dense": True},
        r"'near' is of incorrect shape.* \(5, 5\)",
    ),
    "obsm": ({"name": "obsm/pca", "value": np.zeros((4, 2))}, "'pca' is of incorrect shape"),
    "short column": (
        {"name": "obs/age", "value": np.zeros(4)},
        r"Length of values \(4\) does not match length of index \(5\)",
    ),
    "one for all": ({"name": "obs/age", "value": 3.0}, "'age' of '/obs' is no list of values"),
    "short codes": ({"name": "obs/donor", "value": np.zeros(2)}, "damaged"),
    "ids as numbers": ({"name": "obs/_index", "value": np.arange(5) / 2}, "index of '/obs' holds float64"),
    "other index": (
        {"name": "obs", "attribute": "_index", "value": "nowhere"},
        "'_index' of '/obs' is no list of values, or not listed there",
    ),
    "unlisted": (
        {"name": "obs", "attribute": "column-order", "value": ["age"]},
        "'donor' of '/obs' is no list of values, or not listed",
    ),
    "id twice": ({"name": "obs/_index", "at": 1, "value": "a"}, "duplicate sample id 'a'"),
}


@pytest.mark.filterwarnings("ignore:Observation names are not unique")
@pytest.mark.parametrize("kind", PARTS)
def test_parts_that_do_not_fit_are_refused(whole, kind):
    edit, message = PARTS[kind]
    change(whole, **edit)
    with pytest.raises(DataError, match=message):
        read_h5ad(whole)


@pytest.fixture
def gctx(small, tmp_path):
    write_gctx(small, tmp_path / "a.gctx")
    return tmp_path / "a.gctx"


@pytest.mark.parametrize("name", ["0/META/COL/id", "0/META/ROW/entrez"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("group", "has a group, expected one value"),
        (np.zeros((3, 2)), r"has \(3, 2\), expected one value"),
        (h5py.SoftLink("/0/META/COL/moa"), "links to '/0/META/COL/moa'"),
        (h5py.SoftLink("/nowhere"), "links to '/nowhere'"),
        (h5py.ExternalLink("/etc/other.h5", "/x"), "links to '/etc/other.h5'"),
        (np.dtype("f4"), "is a Datatype, no values"),
        (np.zeros(2, [("x", "f4"), ("y", "i4")]), "holds .*, expected|expected one value"),
    ],
)
def test_gctx_fields_that_are_no_list_are_refused(gctx, name, value, message):
    with h5py.File(gctx, "r+") as file:
        del file[name]
        file.create_group(name) if isinstance(value, str) else file.__setitem__(name, value)
    with pytest.raises(FormatError, match=message):
        read_gctx(gctx)


def test_ids_that_are_numbers_with_decimals_are_refused(gctx):
    change(gctx, "0/META/ROW/id", value=np.array([1.1, 1.10001]))
    with pytest.raises(FormatError, match="expected gene ids as texts"):
        read_gctx(gctx)


def test_a_file_that_holds_itself_is_refused(gctx, whole):
    for path, name in ((gctx, "0/again"), (whole, "uns/again")):
        with h5py.File(path, "r+") as file:
            file[name] = file["/"]
        with pytest.raises(FormatError, match="levels deep: does it hold itself"):
            read(path)


def test_groups_that_repeat_without_end_are_refused(gctx):
    with h5py.File(gctx, "r+") as file:
        for level in range(20):
            group = file.create_group(f"rest/{level}")
            for twin in "ab":
                file[f"rest/{level}/{twin}"] = file[f"rest/{level - 1}"] if level else group.file["0"]
    with pytest.raises(FormatError, match=r"more than 10,000 groups|levels deep"):
        read_gctx(gctx)


def test_a_small_gctx_cannot_claim_many_ids(gctx):
    with h5py.File(gctx, "r+") as file:
        del file["0/META/COL/id"]
        file.create_dataset("0/META/COL/id", (HUGE,), "S8", chunks=(1 << 16,))
    with pytest.raises(
        FormatError, match=r"a\.gctx: claims 2\.4 GB of data in a file of .* kB; the limit is 67\.1 MB"
    ):
        read_gctx(gctx)


@pytest.mark.parametrize("packed", [None, "gzip"])
def test_a_small_h5ad_cannot_claim_much(whole, packed):
    with h5py.File(whole, "r+") as file:
        file.create_dataset(
            "layers/more", (5, HUGE), "f4", chunks=(5, 1 << 10), compression=packed, fillvalue=1
        )
    with pytest.raises(FormatError, match=r"whole\.h5ad: claims 6 GB"):
        read_h5ad(whole)


def test_one_chunk_counts_as_a_whole(gctx):
    with h5py.File(gctx, "r+") as file:
        del file["0/DATA/0/matrix"]
        file.create_dataset("0/DATA/0/matrix", (3, 2), "f4", chunks=(3 << 10, 2 << 14), maxshape=(None, None))
    with pytest.raises(FormatError, match="claims 403 MB"):
        read_gctx(gctx)


def test_memory_is_reckoned_before_it_is_taken(gctx, whole, write_file, monkeypatch):
    monkeypatch.setenv(guard.MEMORY_VARIABLE, "0.0000001")
    table = write_file("a.gct", "#1.2\n900\t2\nName\tDescription\ts1\ts2\ng1\tna\t1\t2\n")
    for path in (gctx, whole, table):
        with pytest.raises(
            FormatError, match=r"do not fit: .* of memory needed, the limit is 100 bytes .*EXPRML_MEMORY_GB"
        ):
            read(path)


def test_zeros_are_written_out_only_if_they_fit(monkeypatch):
    matrix = sparse.csr_matrix((1000, 1000), dtype="f4")
    assert guard.as_dense(matrix, "a.h5ad").shape == (1000, 1000)
    monkeypatch.setenv(guard.MEMORY_VARIABLE, "0.001")
    with pytest.raises(FormatError, match=r"a\.h5ad: 1,000,000 values, zeros written out, do not fit: 4 MB"):
        guard.as_dense(matrix, "a.h5ad")


@pytest.mark.parametrize("given", ["much", "0", "-3", "inf", "nan"])
def test_a_limit_that_is_no_number_is_named(monkeypatch, given):
    monkeypatch.setenv(guard.MEMORY_VARIABLE, given)
    with pytest.raises(ParameterError, match=f"EXPRML_MEMORY_GB='{given}'"):
        guard.memory_limit()


def test_a_line_without_end_is_refused(write_file, monkeypatch):
    monkeypatch.setattr(guard, "LINE_BYTES", 1000)
    assert read(write_file("a.csv", "id,g\n" + "s" * 990 + ",1\n"), samples_in="rows").shape == (1, 1)
    with pytest.raises(
        FormatError, match=r"b\.csv\.gz, line 2: longer than 1e\+03 bytes|line 2: longer than 1 kB"
    ):
        read(write_file("b.csv.gz", "id,g\n" + "s" * 1010 + ",1\n"), samples_in="rows")


def test_a_stray_quote_before_a_long_header_swallows_nothing(write_file):
    names = ",".join(f"gene{i}" for i in range(30_000))
    text = f'id,"{names}\ns1,{",".join("1" * 30_000)}\n'  # longer than the csv module's largest field
    found = read(write_file("a.csv", text), samples_in="rows")
    assert list(found.var_names) == ['"gene0', *names.split(",")[1:]]


def test_a_size_of_many_digits_is_ours(write_file):
    with pytest.raises(FormatError, match=r"a\.gct, line 2: GCT 1\.2 expects whole numbers"):
        read(write_file("a.gct", f"#1.2\n{'9' * 5000}\t2\nName\tDescription\ts1\ts2\ng1\tna\t1\t2\n"))


@pytest.mark.parametrize("cell", ["1e999", "-1E400", "9" * 400])
def test_a_number_too_large_is_no_infinity(write_file, cell):
    gct = f"#1.2\n1\t2\nName\tDescription\ts1\ts2\ng1\tna\t1\t{cell}\n"
    with pytest.raises(
        DataError, match=r"a\.gct, line 4, column 4 \(gene 'g1', sample 's2'\): .* is too large"
    ):
        read(write_file("a.gct", gct))
    with pytest.raises(DataError, match=r"a\.csv, line 2, column 3 .*too large"):
        read(write_file("a.csv", f"id,g1,g2\ns1,1,{cell}\n"), samples_in="rows")


def test_what_a_library_raises_becomes_ours_with_file_and_line(tmp_path):
    def spoil(error):
        list(guard.text_lines(io.BytesIO(b"one\ntwo\n"), tmp_path / "a.txt"))
        raise error

    for error in (KeyError("x"), RuntimeError("y"), SystemError("z"), OSError("o"), RecursionError("deep")):
        message = rf"a\.txt, line 2: damaged, .*{type(error).__name__}"
        with pytest.raises(FormatError, match=message), guard.as_format_error(tmp_path / "a.txt"):
            spoil(error)
    with pytest.raises(FormatError, match=r"a\.txt: does not fit in memory"), guard.as_format_error("a.txt"):
        raise MemoryError


def test_a_wrong_call_is_no_damaged_file(gctx):
    with pytest.raises(TypeError):
        read_gctx(gctx, 1, 2, 3, nonsense=True)


@pytest.mark.parametrize(
    ("happens", "said"),
    [(lambda _: time.sleep(60), r"no end over it in 0\.2\d* s"),
     (lambda _: os.kill(os.getpid(), signal.SIGKILL), "crashes over it"),
     (lambda _: np.ones(1 << 30), "asks for more memory than it can hold")],
)  # fmt: skip
def test_a_library_that_hangs_or_crashes_over_a_file_takes_nothing_along(gctx, monkeypatch, happens, said):
    monkeypatch.setattr(hdf5, "_read_what_is_not_numbers", happens)
    monkeypatch.setattr(hdf5, "ANSWER_SECONDS", 0.2)
    with pytest.raises(FormatError, match=said):
        read(gctx)


def test_a_claim_is_refused_before_its_texts_are_read(tmp_path):
    path = tmp_path / "a.gctx"
    with h5py.File(path, "w") as file:
        file.create_dataset("0/META/COL/id", (300_000_000,), dtype=h5py.string_dtype(), chunks=(1000,))
        with pytest.raises(FormatError, match="claims"):
            hdf5._checked_items(file, path)


def test_a_large_file_has_longer_to_answer(gctx, monkeypatch):
    monkeypatch.setattr(hdf5, "_read_what_is_not_numbers", lambda _: time.sleep(0.5))
    monkeypatch.setattr(hdf5, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(hdf5, "_BYTES_A_SECOND", gctx.stat().st_size / 20)
    assert read(gctx).n_obs


def test_many_short_lines_are_held_to_the_free_memory(write_file, monkeypatch):
    monkeypatch.setattr(guard, "memory_limit", lambda: 1_000_000)
    lines = "\n".join(f"s{i}\t1" for i in range(5000))
    with pytest.raises(FormatError, match=r"a\.tsv\.gz: its values do not fit"):
        read(write_file("a.tsv.gz", f"id\tg\n{lines}\n"), samples_in="rows")
    with pytest.raises(FormatError, match=r"b\.tsv\.gz: its cells do not fit"):
        read_labels(write_file("b.tsv.gz", f"id\tg\n{lines}\n"))
