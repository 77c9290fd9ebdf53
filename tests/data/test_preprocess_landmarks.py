"""Near-duplicate samples, probes to genes, and landmarks found again in other data."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from exprml.base.errors import DataError, ParameterError
from exprml.data.preprocess import mark_landmarks, near_duplicates, probes_to_genes


def planted(n_samples=60, pairs=((3, 40), (10, 20), (31, 32)), seed=0):
    """Return samples far apart but for the planted pairs, which lie 0.5 apart."""
    X = np.random.default_rng(seed).normal(8, 2, (n_samples, 50)).astype(np.float32)
    for first, second in pairs:
        X[second] = X[first]
        X[second, 0] += 0.5
    return X


def test_planted_pairs_lose_their_later_sample():
    found = near_duplicates(planted(), n_clusters=1)
    assert found[["row", "partner"]].to_numpy().tolist() == [[20, 10], [32, 31], [40, 3]]
    assert found["distance"].to_numpy() == pytest.approx(0.5, abs=1e-4)
    assert near_duplicates(planted(), n_clusters=1, distance=0.4).empty


def test_blocks_of_samples_agree_with_every_pair_at_once():
    X = np.random.default_rng(0).normal(size=(1100, 3))
    close = np.tril(np.linalg.norm(X[:, None] - X[None], axis=2) < 0.15, -1)
    found = near_duplicates(X, n_clusters=1, distance=0.15)
    assert found["row"].tolist() == np.flatnonzero(close.any(axis=1)).tolist()
    assert found["partner"].tolist() == close.argmax(axis=1)[close.any(axis=1)].tolist()


def test_a_pair_split_between_clusters_is_missed():
    generator = np.random.default_rng(0)
    left, right = generator.normal(0, 0.01, (30, 2)), generator.normal(0, 0.01, (30, 2))
    left[:, 0] -= 4
    right[:, 0] += 4
    X = np.vstack([left, right, [[-0.3, 0], [0.3, 0]]])  # two clouds, and a pair in between
    alone = near_duplicates(X, n_clusters=1)
    assert alone["row"].tolist()[-1] == 61
    clustered = near_duplicates(X, n_clusters=2, seed=0)
    assert set(alone["row"]) - set(clustered["row"]) == {61}
    assert clustered["cluster"].nunique() == 2


def test_a_chain_leaves_its_first_sample_alone():
    chain = np.array([[0.0], [0.9], [1.8], [50.0]])  # 0 and 1.8 are not close to each other
    found = near_duplicates(chain, n_clusters=1)
    assert found[["row", "partner"]].to_numpy().tolist() == [[1, 0], [2, 1]]
    exactly = near_duplicates(np.array([[0.0], [1.0]]), n_clusters=1)
    assert exactly.empty  # closer than 1, not at 1


def test_a_seed_repeats_the_clusters_and_too_many_are_refused():
    X = planted()
    assert near_duplicates(X, n_clusters=9, seed=4).equals(near_duplicates(X, n_clusters=9, seed=4))
    with pytest.raises(ParameterError, match="n_clusters 61: give 1 to 60"):
        near_duplicates(X, n_clusters=61)


GENES = pd.DataFrame(
    {
        "symbol": ["A", "B", "C", "A", "D"],
        "ensembl": ["ENSG1", "ENSG2", "ENSG3", "ENSG4", "ENSG5"],
        "probe": ["p1", "p2", "p3,p4,p5", "p6", "p7"],
        "is_landmark": [True, True, False, False, False],
    }
)


def data(names, values=None, **columns):
    values = np.arange(2.0 * len(names)).reshape(2, -1) if values is None else np.asarray(values)
    return AnnData(values.astype(np.float32), var=pd.DataFrame(columns, index=names))


def test_a_gene_is_the_mean_of_the_probes_that_are_there():
    adata = data(["x", "p5", "p2", "p3", "p1"], [[100, 2, 7, 4, 1], [100, 8, 9, 9, 3]])
    genes = probes_to_genes(adata, GENES)
    assert genes.var_names.tolist() == ["ENSG1", "ENSG2", "ENSG3"]
    assert genes.X.tolist() == [[1, 7, 3], [3, 9, 8.5]]
    assert genes.var["n_probes"].tolist() == [1, 1, 2]
    assert genes.var["is_landmark"].tolist() == [True, True, False]
    assert genes.var["is_target"].tolist() == [False, False, True]
    step = genes.uns["provenance"]["steps"][-1]
    assert "3 of 5 listed genes, from 4 of 5 probes; 1 genes lack some" in step
    assert "provenance" not in adata.uns


def test_a_gene_that_is_landmark_and_target_gives_a_column_of_each():
    genes = GENES.assign(ensembl=["ENSG1", "ENSG2", "ENSG1", "ENSG4", "ENSG5"])
    both = probes_to_genes(data(["p1", "p3", "p4"], [[1, 2, 4], [5, 6, 8]]), genes)
    assert both.var_names.tolist() == ["ENSG1", "ENSG1:target"]
    assert both.X.tolist() == [[1, 3], [5, 7]]
    assert both.var["is_landmark"].tolist() == [True, False]
    with pytest.raises(DataError, match=r"1 Ensembl ids stand twice in the list of genes, e.g. .ENSG1"):
        probes_to_genes(data(["p1"]), genes.assign(is_landmark=False))


def test_repeated_probes_are_refused():
    with pytest.raises(DataError, match=r"1 probes stand twice in the data, e.g. .p1"):
        probes_to_genes(data(["p1", "p1"]), GENES)
    twice = GENES.assign(probe=["p1", "p2", "p1,p4", "p6", "p7"])
    with pytest.raises(DataError, match=r"1 probes stand twice in the list of genes, e.g. .p1"):
        probes_to_genes(data(["p1"]), twice)
    with pytest.raises(DataError, match="none of the listed probes is in the data: it names 'q'"):
        probes_to_genes(data(["q"]), GENES)


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (["p1", "p4", "p2"], "probe"),
        (["ENSG1.4", "ENSG3.1", "ENSG2"], "ensembl"),
        (["B", "C", "ZZ"], "symbol"),
    ],
)
def test_landmarks_are_joined_by_whatever_finds_most(names, key):
    marked = mark_landmarks(data(names), GENES)
    assert marked.uns["provenance"]["steps"][-1].startswith(f"joined to D-GEX's genes by {key}: ")
    expected = {"symbol": ([True, False, False], [False, True, False])}
    is_landmark, is_target = expected.get(key, ([True, False, True], [False, True, False]))
    assert marked.var["is_landmark"].tolist() == is_landmark
    assert marked.var["is_target"].tolist() == is_target
    assert "is_landmark" not in data(names).var


def test_columns_of_the_data_are_looked_up_too_and_the_probe_may_be_the_index():
    marked = mark_landmarks(data(["1", "2"], symbol=["B", "C"]), GENES.set_index("probe"))
    assert marked.var["is_landmark"].tolist() == [True, False]
    assert "by symbol: 1 of 2 landmarks and 1 of 3 targets found" in marked.uns["provenance"]["steps"][-1]


def test_ambiguous_joins_are_settled_and_counted():
    marked = mark_landmarks(data(["A", "C", "C", "B", "B"]), GENES)  # A is listed as landmark and as target
    assert marked.var["is_landmark"].tolist() == [True, False, False, True, False]
    assert marked.var["is_target"].tolist() == [False, True, False, False, False]
    step = marked.uns["provenance"]["steps"][-1]
    assert "by symbol: 2 of 2 landmarks and 1 of 3 targets found" in step
    assert "2 columns repeat a name, the first is taken" in step
    assert "1 are listed as landmark and as target, taken as landmark" in step


def test_what_cannot_be_joined_is_refused():
    with pytest.raises(DataError, match="none of the listed genes is in the data: it names 'q'"):
        mark_landmarks(data(["q"]), GENES)
    with pytest.raises(DataError, match="1 targets are found by symbol, but none of the landmarks"):
        mark_landmarks(data(["C"]), GENES)
    with pytest.raises(DataError, match="no column 'probe'"):
        mark_landmarks(data(["C"]), GENES.drop(columns="probe"))
