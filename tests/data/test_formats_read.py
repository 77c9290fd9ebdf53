import bz2
import pickle
import zipfile

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError, FormatError, ParameterError, UnknownNameError
from exprml.data.formats import file_kind, read, read_gct, write_gct, write_gctx

GCT = "#1.2\n1\t2\nName\tDescription\ts1\ts2\ng1\tna\t1\t2\n"


@pytest.mark.parametrize("name", ["a.gct", "a.gct.gz", "A.GCT.GZ", "a.txt", "noname"])
def test_gct_is_known_by_content(write_file, name):
    if name.endswith("GZ"):
        write_file("a.gct.gz", GCT).rename(write_file(name, GCT))
    assert read(write_file(name.replace("A.GCT.GZ", "a.gct.gz"), GCT)).shape == (2, 1)


def test_packed_content_without_gz_in_the_name(write_file):
    path = write_file("a.gct.gz", GCT)
    assert read(path.rename(path.with_name("a.gct"))).shape == (2, 1)


def test_every_format_gives_the_same(small, tmp_path):
    write_gct(small, tmp_path / "a.gct.gz")
    write_gctx(small, tmp_path / "a.gctx")
    small.copy().write_h5ad(tmp_path / "a.h5ad")
    pd.DataFrame(small.X, small.obs_names, small.var_names).to_csv(tmp_path / "a.csv")
    for path in sorted(tmp_path.iterdir()):
        adata = read(path)
        assert (list(adata.obs_names), list(adata.var_names)) == (["s1", "s2", "s3"], ["g1", "g2"])
        np.testing.assert_array_equal(adata.X, small.X)
        assert adata.uns["provenance"]["missing"] == 1


def test_what_is_read_can_be_saved_as_h5ad(small, tmp_path):
    write_gct(small, tmp_path / "a.gct")
    read(tmp_path / "a.gct").write_h5ad(tmp_path / "a.h5ad")
    again = read(tmp_path / "a.h5ad")
    assert list(again.uns["provenance"]["steps"]) == ["read a.gct: GCT 1.3, 2 genes x 3 samples"]
    assert again.obs["moa"].isna().tolist() == [False, True, False]


def test_options_reach_the_reader(write_file):
    path = write_file("a.csv", "gene,s1,s2\ng1,1,2\n")
    assert read(path, samples_in="columns").shape == (2, 1)
    with pytest.raises(
        UnknownNameError, match="unknown option for table files 'sample_in': did you mean 'samples_in'"
    ):
        read(path, sample_in="columns")


def test_r_data_need_to_say_where_the_samples_stand(write_file):
    with pytest.raises(ParameterError, match="samples_in='rows' or 'columns'"):
        read(write_file("a.rda", b"RDX3\nX\n\x00\x00"))


class Bomb:
    """A pickle that would leave a trace if anyone loaded it."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return open, (self.trace, "w")


@pytest.mark.parametrize("name", ["a.pkl", "a.pickle.gz", "a.h5ad", "a.rda", "a.tsv", "noname"])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_pickles_are_never_loaded(write_file, tmp_path, name, protocol):
    path = write_file(name, pickle.dumps(Bomb(tmp_path / "trace"), protocol=protocol))
    with pytest.raises(DataError):
        read(path)
    assert not (tmp_path / "trace").exists()


def test_a_pickle_is_called_one(write_file):
    with pytest.raises(FormatError, match="noname: is a Python pickle, which can run any code when loaded"):
        read(write_file("noname", pickle.dumps([1])))
    with pytest.raises(FormatError, match="by its name a pickle"):
        read(write_file("a.pkl", "id,g\ns,1\n"))


def test_numpy_arrays_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match=r"a\.npy: is a NumPy array, which carries no gene or sample names"):
        read(tmp_path / "a.npy")


def test_archives_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.csv", "w") as archive:
        archive.writestr("../../a.csv", "id,g\ns,1\n")
    with pytest.raises(FormatError, match="is a zip archive"):
        read(tmp_path / "a.csv")


MISLABELLED = {
    "a.gct.gz": (GCT.encode(), r"named .gz but is not gzip \(starts with b'#1.2"),
    "a.gctx": (GCT.encode(), "expected gctx content by its name, found gct"),
    "a.h5ad": (b"id,g\ns,1\n", "expected h5ad content by its name, found table"),
    "a.gct": (b"id\tg\ns\t1\n", "expected gct content by its name, found table"),
    "a.rda": (b"#1.2\n", "expected rda content by its name, found gct"),
    "a.csv": (b"RDX3\nX\n\x00\x00", "expected table content by its name, found rda"),
    "b.csv": (b"<!DOCTYPE html><html>", "is a web page"),
    "c.csv": ("id,g\n".encode("utf-16"), "empty matrix, no rows after line 1"),
    "d.csv": (b"\x00\x01\x02\x03", "unknown binary content"),
    "e.csv": (bz2.compress(b"id,g\ns,1\n"), "table packed with bzip2"),
    "f.csv": (b"\x1f\x8b\x08\x00rubbish", "the packed data is damaged"),
    "g.csv": (b"", "the file is empty"),
}


@pytest.mark.parametrize("name", MISLABELLED)
def test_a_mislabelled_file_is_refused(tmp_path, name):
    content, message = MISLABELLED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path / name)
    assert name in str(caught.value)


def test_no_such_file_and_a_folder(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "a.gct")
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path)


def test_hdf5_of_another_kind(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["signal"] = np.zeros(3)
    with pytest.raises(FormatError, match=r"neither GCTX .* nor h5ad .*holds signal"):
        read(tmp_path / "a.h5")


def test_packed_hdf5(small, tmp_path, write_file):
    write_gctx(small, tmp_path / "a.gctx")
    with pytest.raises(FormatError, match="HDF5 packed with gzip; unpack it first"):
        read(write_file("b.gctx.gz", (tmp_path / "a.gctx").read_bytes()))


def test_gctx_named_h5ad(small, tmp_path):
    write_gctx(small, tmp_path / "a.gctx")
    (tmp_path / "a.gctx").rename(tmp_path / "a.h5ad")
    with pytest.raises(FormatError, match="expected h5ad content by its name, found gctx"):
        read(tmp_path / "a.h5ad")


def test_h5ad_with_a_doubled_name(small, tmp_path):
    small.obs_names = ["s1", "s2", "s1"]
    with pytest.warns(UserWarning, match="not unique"):
        anndata.AnnData(small.X, obs=small.obs, var=small.var).write_h5ad(tmp_path / "a.h5ad")
    with (
        pytest.raises(DataError, match="duplicate sample id 's1' at position 1 and position 3"),
        pytest.warns(UserWarning, match="not unique"),
    ):
        read(tmp_path / "a.h5ad")


def test_h5ad_without_a_matrix(small, tmp_path):
    anndata.AnnData(obs=small.obs, var=small.var).write_h5ad(tmp_path / "a.h5ad")
    with pytest.raises(DataError, match=r"a\.h5ad: empty matrix, 3 samples x 2 genes"):
        read(tmp_path / "a.h5ad")


@pytest.mark.filterwarnings("ignore::anndata.OldFormatWarning")
@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("X", np.full((3, 2), b"x"), r"a\.h5ad: X holds .*, expected numbers"),
        ("obs", np.zeros(3), r"a\.h5ad: damaged, or not what it claims"),
    ],
)
def test_h5ad_with_other_content(small, tmp_path, name, values, message):
    small.write_h5ad(tmp_path / "a.h5ad")
    with h5py.File(tmp_path / "a.h5ad", "r+") as file:
        del file[name]
        file[name] = values
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.h5ad")


def test_a_reader_asked_for_another_kind_names_the_right_one(small, tmp_path):
    write_gctx(small, tmp_path / "a")
    with pytest.raises(FormatError, match="expected gct content, found gctx; use read"):
        read_gct(tmp_path / "a")


def test_truncated_h5ad(small, tmp_path):
    small.write_h5ad(tmp_path / "a.h5ad")
    content = (tmp_path / "a.h5ad").read_bytes()
    (tmp_path / "a.h5ad").write_bytes(content[: len(content) // 2])
    with pytest.raises(FormatError, match=r"a\.h5ad: damaged"):
        read(tmp_path / "a.h5ad")


@pytest.mark.mirror
def test_real_files_are_known_by_content(mirror):
    kinds = {
        "l1000/modzs_n272x978.gctx": "gctx",
        "l1000/test_l1000_LJP005_A375_n377x978.gct.gz": "gct",
        "gtex_toil_1000genes/gtex_v8.rda": "rda",
        "tcga_paired_11cohorts/upstream/BRCA.RData": "rda",
        "dgex_maps/map_lm.txt.gz": "table",
    }
    assert {name: file_kind(mirror / name) for name in kinds} == kinds
