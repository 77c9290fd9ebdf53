"""Tiny files written by R 4 itself; the code that made them stands beside each."""

import base64
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError, FormatError, ParameterError, UnknownNameError
from exprml.data.formats import rdata_matrix, rdata_object, read_rdata, read_rdata_matrix, read_table

# m <- matrix(c(1.5,NA,3,4,5,6), 2, 3, dimnames=list(c("s1","s2"), c("gA","gB","gC")))
# bare <- matrix(1:4, 2, 2)
# d <- data.frame(tissue=factor(c("liver",NA)), gA=c(1L,NA), gB=c(1.5,2.5), row.names=c("s1","s2"))
# l <- list(X=m, y=factor(c("a","b")))
# save(m, bare, d, l, file="four.rda", compress="xz")
FOUR = """
/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4AO3ASRdACkRB1RoEeRuUsqgM8UkXrtrnNeLUzcP1dKbshUqBwT4yAjz5XAWAnewC8zA
SS4hAhSSRkStT+ZgttL8zmdRzhSbAgHltwF/uZT2spvXUZQfDnf2fF2aYM+m1800aaQ/ixIvBMmahGxlaXLsXQp0QmH62fne05jU
cWIs3eTiE+CwJDRiZx7Wl5qzcmp5MvJbi7F2GgZiA/7viJANKPJUcno7GH5aj1NYAuZe8eJdpj71FkY0KVovzXp00/e1dEkNBwnJ
HO96TtOGB8PHMz/i3c4iH2esMUASwu34eshcAgIwROuuKSTN/Ze0wgE3GdZ5lu+AYpf/1B6bkVo2JDzt72iQcFlC1+cxY1IoR22j
M35tuiOKO5ZOHb4IJsmkGBEW2TppI4sA6uP76wABvAK4BwAAQyQUCT4wDYsCAAAAAAFZWg=="""
# save(m, file="one.rda")
ONE = """
H4sIAAAAAAAAAwtyiTDmiuBiYGBgZmBhYmJgZgUyGVhDQ9x0LRiAIkAOIwMLAyeIzmVgYOIDMtjsfzCAQf0HEMm+yIEDwncQgNIi
UFqCAQpQDGJOyQQaxcALxExQzIymhAOoJC8xN7UYyBaGqhEA0xB5pmJDOMsIKscME0l3hLOc4CxnIPkPhAFJrkPw8gAAAA=="""
# saveRDS(m, "one.rds")
ONE_RDS = """
H4sIAAAAAAAAA4vgYmBgYGZgYWJiYGYFMhlYQ0PcdC0YGJj4gBw2+x8MYFD/AUSyL3LggPAdBKC0CJSWYIACFiYgwcjAwsAJMjgl
MxdI8QIxExQzoynhACrJS8xNLQayhaFqBMA0RJ6p2BDOMoLKMcNE0h3hLCc4yxlI/gMAK7y3v9gAAAA="""
# f <- function(x) x+1; save(f, file="f.rda")
FUNCTION = """
H4sIAAAAAAAAAwtyiTDmiuBiYGBgZmBhYmJgZgUyGVhDQ9x0LRiAIkAOIwMLAyeITgMKMAMZf9ElKoDEbyD+B8RsyBLaQAKokuk/
hGbgAwnaf2CAAZCGfwAgcPf8gwAAAA=="""
# ch <- matrix(c("a","b"),1,2); d3 <- data.frame(x=1:2); save(ch, d3, file="odd.rda")
ODD = """
H4sIAAAAAAAAAwtyiTDmiuBiYGBgZmBhYmJgZgUyGVhDQ9x0LRiAIkAOIwMLAyeQZkrOABICIBZUhDERxkhCU8uckpkLpHjBikHC
EPofupEpxkC1wlAV7+CqIbJ8yfm5BYnJJfGZeSXFqYVosixJicWpUDFeqAm8EDsY+EBOcGCAAPsPqDQWd7DmJeamFgMZAkiCjBXo
qpJzEovRVXGlJJYk6qUVAQ1AU85ZlF+uBzMYHBINQOL/////oK78BwAQAAMofQEAAA=="""
# dup <- matrix(1:4, 2, 2, dimnames=list(c("s1","s1"), c("gA","gB"))); save(dup, file="dup.rda")
DUPLICATE = """
H4sIAAAAAAAAAwtyiTDmiuBiYGBgZmBhYmJgZgUyGVhDQ9x0LRiAIkAOIwMLAydIQUppAQMDEy+QyQIWBnLA+sB8NKWZuUCKF6oE
ilGUcACV5CXmphYD2cJQNQJgGiLPVGyIxEKTS3eEs5yA5D8QBgAXT1BTygAAAA=="""
# half <- matrix(1:4, 2, 2, dimnames=list(c("x","y"), NULL))
# z <- matrix(c(1i,2,3,4), 2, 2, dimnames=list(c("x","y"), c("a","b"))); save(half, z, file="half.rda")
HALF = """
H4sIAAAAAAAAAwtyiTDmiuBiYGBgZmBhYmJgZgUyGVhDQ9x0LRiAIkAOIwMLAyeQZslIzEljYGDiBbHB4kAOWCOYj6KWOSUzF0jx
QpVAMYoSDqCSvMTc1GIgWxiqRgBMQ+QZK2CMSiDxD4JRTGCsAqrmh7oGDOw/QGgHBlTgwIHGF0BTADaY6T92JzP/J8qJKDKJMEYS
zPEAzPdpRmoBAAA="""
MATRIX = np.array([[1.5, 3, 5], [np.nan, 4, 6]], np.float32)


@pytest.fixture
def r_file(tmp_path):
    def write(name, content):
        (tmp_path / name).write_bytes(base64.b64decode(content))
        return tmp_path / name

    return write


@pytest.mark.parametrize(("name", "content"), [("one.rda", ONE), ("one.RData", ONE), ("one.rds", ONE_RDS)])
def test_samples_in_rows(r_file, name, content):
    adata = read_rdata_matrix(r_file(name, content), samples_in="rows")
    assert (list(adata.obs_names), list(adata.var_names)) == (["s1", "s2"], ["gA", "gB", "gC"])
    np.testing.assert_array_equal(adata.X, MATRIX)
    assert adata.X.dtype == np.float32
    assert adata.uns["provenance"]["missing"] == 1


def test_samples_in_columns(r_file):
    adata = read_rdata_matrix(r_file("one.rda", ONE), "m", samples_in="columns")
    assert (list(adata.obs_names), list(adata.var_names)) == (["gA", "gB", "gC"], ["s1", "s2"])
    np.testing.assert_array_equal(adata.X, MATRIX.T)


def test_named_objects(r_file):
    objects = read_rdata(r_file("four.rda", FOUR))
    assert list(objects) == ["m", "bare", "d", "l"]
    assert isinstance(objects["d"], pd.DataFrame)
    assert list(rdata_object(objects, "l$y")) == ["a", "b"]
    assert all(type(name) is str for name in objects["l"])


def test_a_matrix_inside_a_list(r_file):
    adata = read_rdata_matrix(r_file("four.rda", FOUR), "l$X", samples_in="rows")
    np.testing.assert_array_equal(adata.X, MATRIX)


def test_a_data_frame_with_a_factor(r_file):
    options = {"samples_in": "rows", "metadata_columns": ["tissue"]}
    adata = read_rdata_matrix(r_file("four.rda", FOUR), "d", **options)
    np.testing.assert_array_equal(adata.X, np.array([[1, 1.5], [np.nan, 2.5]], np.float32))
    assert list(adata.var_names) == ["gA", "gB"]
    assert adata.obs["tissue"].isna().tolist() == [False, True]


BAD = {
    "several objects": (FOUR, {}, "holds 4 objects .m, bare, d, l.; choose one by --r-object"),
    "no such object": (FOUR, {"r_object": "x"}, "unknown R object 'x'.*Known: bare, d, l, m"),
    "no such element": (FOUR, {"r_object": "l$Z"}, r"unknown R object 'Z'.*Known: X, y.*bad.rda\$l"),
    "no names": (
        FOUR,
        {"r_object": "bare"},
        "R object 'bare' is a vector, or a matrix without row and column names, expected a",
    ),
    "a list": (FOUR, {"r_object": "l"}, "R object 'l' is a list holding X, y, expected a matrix"),
    "a factor": (FOUR, {"r_object": "l$y"}, "is a vector"),
    "text column": (
        FOUR,
        {"r_object": "d"},
        "column 'tissue' holds 'liver', expected numbers; name it by --metadata",
    ),
    "unknown column": (FOUR, {"r_object": "d", "metadata_columns": ["tisue"]}, "did you mean 'tissue'"),
    "no row names": (ODD, {"r_object": "d3"}, "R data frame 'd3' has no row names"),
    "half named": (HALF, {"r_object": "half"}, "R matrix 'half' has no column names; set dimnames"),
    "complex numbers": (HALF, {"r_object": "z"}, "R object 'z' holds complex128, expected numbers"),
    "text matrix": (ODD, {"r_object": "ch"}, "R object 'ch' is a vector"),
    "duplicate": (
        DUPLICATE,
        {},
        "duplicate sample id 's1' at R object 'dup', row 1 and R object 'dup', row 2",
    ),
    "function": (FUNCTION, {}, "damaged, or holds R objects that cannot be read"),
    "side": (ONE, {"samples_in": "left"}, "unknown samples_in 'left'. Known: columns, rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_unexpected_object_is_named(r_file, case):
    content, options, message = BAD[case]
    path = r_file("bad.rda", content)
    with pytest.raises((DataError, ParameterError, UnknownNameError), match=message) as caught:
        read_rdata_matrix(path, **{"samples_in": "rows", **options})
    assert "bad.rda" in str(caught.value) or isinstance(caught.value, ParameterError)


def test_the_side_is_never_guessed(r_file):
    with pytest.raises(TypeError, match="samples_in"):
        rdata_matrix(read_rdata(r_file("one.rda", ONE)), "m")


def test_truncated_file(r_file):
    path = r_file("one.rda", ONE)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(FormatError, match=r"one\.rda: damaged"):
        read_rdata(path)


def test_no_r_file(write_file):
    with pytest.raises(FormatError, match="expected an R data file, found table"):
        read_rdata(write_file("a.tsv", "id\tg\ns\t1\n"))


@pytest.mark.mirror
def test_real_gtex_splits_equal_the_table(mirror):
    folder = mirror / "gtex_toil_1000genes"
    table = read_table(folder / "gtex_v8.tsv.gz", metadata_columns=["upstream_split", "tissue"])
    objects = read_rdata(folder / "gtex_v8.rda")
    for split, n_samples in (("train", 3000), ("test", 797)):
        adata = rdata_matrix(objects, f"gtex_v8$X_{split}", samples_in="rows")
        expected = table[table.obs["upstream_split"] == split]
        assert adata.shape == (n_samples, 1000)
        assert list(adata.obs_names) == list(expected.obs_names)
        assert list(adata.var_names) == list(expected.var_names)
        np.testing.assert_array_equal(adata.X, expected.X)


@pytest.mark.mirror
def test_real_tcga_cohorts_equal_the_merged_table(mirror):
    folder = mirror / "tcga_paired_11cohorts"
    merged = read_table(
        folder / "merged_common_genes.tsv.gz", metadata_columns=["patient", "cohort", "sample_type"]
    )
    cohorts = sorted((folder / "upstream").glob("*.RData"))
    assert len(cohorts) == 11
    for path in cohorts:
        adata = read_rdata_matrix(path, samples_in="columns")
        of_cohort = np.flatnonzero(merged.obs["cohort"] == path.stem)
        assert [name.replace(".", "-") for name in adata.obs_names] == list(merged.obs_names[of_cohort])
        genes = adata.var_names.get_indexer(merged.var_names)
        np.testing.assert_array_equal(adata.X[:, genes], merged.X[of_cohort])


@pytest.mark.parametrize("write", ["write_rds", "write_rda"])
def test_a_gene_that_stands_twice_in_a_data_frame_is_not_lost(tmp_path, write):
    import rdata

    frame = pd.DataFrame({"gene1": [1.0, 2.0], "gene2": [3.0, 4.0]}, index=["s1", "s2"])
    path = tmp_path / f"a.{write[-3:]}"
    getattr(rdata, write)(path, frame if write == "write_rds" else {"m": frame}, compression=None)
    assert read_rdata_matrix(path, samples_in="rows").shape == (2, 2)
    path.write_bytes(path.read_bytes().replace(b"gene2", b"gene1"))
    with pytest.raises(DataError, match=r"a\.rd.: two parts of an R list or data frame are named 'gene1'"):
        read_rdata_matrix(path, samples_in="rows")


def gct_object(n_ids=3):
    """Return an S4 object of class GCT as rdata hands it over: its slots."""
    about = {"rdesc": pd.DataFrame({"symbol": ["A", "B"]}), "cdesc": pd.DataFrame({"kind": ["x", "y", "x"]})}
    ids = {"rid": np.array(["7", "9"]), "cid": np.array(["w1", "w2", "w3"][:n_ids])}
    return {"g": SimpleNamespace(mat=np.arange(6.0).reshape(2, 3), **ids, **about)}


def test_an_s4_object_of_class_gct_brings_its_ids_and_metadata():
    adata = rdata_matrix(gct_object(), samples_in="columns")
    assert adata.X.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert list(adata.obs_names) == ["w1", "w2", "w3"]
    assert list(adata.obs["kind"]) == ["x", "y", "x"]
    assert list(adata.var["symbol"]) == ["A", "B"]
    with pytest.raises(DataError, match="does not fit together: 3 in the matrix, 2 ids, 3 rows"):
        rdata_matrix(gct_object(n_ids=2), samples_in="columns")
