"""Regulatory graphs by hand, null graphs, plate scores, and the twin of which the truth is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from exprml.base.errors import DataError, ParameterError
from exprml.data import catalogue, regulation, simulate
from exprml.data.preprocess import plate_scores


def table(*rows):
    return pd.DataFrame([list(row) for row in rows], columns=["source", "target"]).assign(weight=1.0)


def test_edges_are_undirected_once_and_what_goes_is_counted():
    edges = table("AB", "AB", "BA", "CC", "AX", "CB", "BC", "BC")
    edges.loc[7, "weight"] = 3.0
    found = regulation.restrict(edges, ["C", "B", "A"])
    assert found.to_numpy().tolist() == [["C", "B", 3.0], ["B", "A", 1.0]]
    assert found.attrs["dropped"] == {
        "with a gene that the data lack": 1,
        "self loops": 1,
        "twice in one direction": 2,
        "there in the other direction": 2,
    }


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        (
            table("AX", "BB"),
            "no edge is left: none of the 2 edges joins two different genes of the 2, as 'A'",
        ),
        (
            table("AB").assign(weight=-0.5),
            "1 of 1 weights are negative or no number, as -0.5 between A and B",
        ),
        (table("AB").assign(weight=np.nan), "negative or no number"),
    ],
)
def test_a_graph_that_cannot_be_used_is_refused(edges, words):
    with pytest.raises(DataError, match=words):
        regulation.restrict(edges, ["A", "B"])


def test_null_graphs_keep_degrees_or_shape():
    genes = [f"G{at}" for at in range(40)]
    drawn = np.random.default_rng(0).integers(0, 40, (90, 2))
    edges = regulation.restrict(table(*[(genes[a], genes[b]) for a, b in drawn]), genes)
    degree = pd.concat([edges["source"], edges["target"]]).value_counts()
    other = regulation.rewired(edges, seed=1)
    assert pd.concat([other["source"], other["target"]]).value_counts().to_dict() == degree.to_dict()
    pairs = {frozenset(pair) for pair in edges[["source", "target"]].to_numpy()}
    new = {frozenset(pair) for pair in other[["source", "target"]].to_numpy()}
    assert len(new) == len(edges)
    assert len(new & pairs) < 0.3 * len(pairs)
    assert regulation.rewired(edges, seed=1).equals(other)
    moved = regulation.permuted(edges, genes, seed=1)
    assert regulation.components(moved) == regulation.components(edges)
    assert {frozenset(pair) for pair in moved[["source", "target"]].to_numpy()} != pairs


def test_components_are_counted_largest_first():
    assert regulation.components(table("AB", "CD", "DE")) == [3, 2]


def test_plate_scores_by_hand():
    X = np.array([[0.0, 5], [1, 5], [3, 5], [10, 0], [12, 0], [20, 9]])
    scores = plate_scores(X, list("ppprrr"))
    np.testing.assert_allclose(scores[:3, 0], np.array([-1, 0, 2]) / 1.4826)
    np.testing.assert_allclose(scores[3:, 1], [0, 0, 9 / 0.14826])  # a gene that stands still
    np.testing.assert_allclose(plate_scores(X, list("ppprrr"), scale=False)[3:, 0], [-2, 0, 8])
    with pytest.raises(DataError, match="plate 'r' has 2 wells"):
        plate_scores(X[:5], list("ppprr"))
    X[0, 0] = np.inf
    with pytest.raises(DataError, match="1 values are NaN or infinite"):
        plate_scores(X, list("ppprrr"))


@pytest.mark.mirror
def test_plate_scores_are_the_published_level_4(mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path))
    monkeypatch.setenv("EXPRML_ROOT", str(tmp_path))
    level4 = catalogue.load("l1000-plate-z")
    level3 = catalogue.load("l1000-plates")[level4.obs_names, level4.var_names]
    scores = plate_scores(np.asarray(level3.X, float), level4.obs["plate"])
    away = np.abs(scores - level4.X)
    assert np.quantile(away, 0.99) < 0.002  # the file has four decimals of level 3
    assert away.max() < 0.1


def smoothed(adata, edges):
    """Return every gene with the mean of its neighbours added."""
    place = {name: at for at, name in enumerate(adata.var_names)}
    links = np.zeros((adata.n_vars, adata.n_vars))
    for source, target in zip(edges["source"], edges["target"], strict=True):
        links[place[source], place[target]] = links[place[target], place[source]] = 1
    degree = np.maximum(links.sum(axis=1), 1)
    return adata.X @ (np.eye(adata.n_vars) + links / np.sqrt(np.outer(degree, degree)))


@pytest.mark.parametrize(("graph_effect", "helps"), [(1.0, True), (0.0, False)])
def test_the_graph_helps_in_the_twin_when_and_only_when_it_should(graph_effect, helps):
    listed = simulate.regulation_twin().uns["edges"]
    gains = []
    for seed in range(6):
        adata = simulate.l1000_twin(graph_effect=graph_effect, seed=seed)
        adata = adata[~adata.obs["is_control"]]
        genes = list(adata.var_names)
        real = regulation.restrict(listed, genes)
        y, groups = adata.obs["moa"], adata.obs["perturbagen_id"]
        scores = [
            cross_val_score(
                KNeighborsClassifier(9), smoothed(adata, edges), y, groups=groups, cv=GroupKFold(5)
            ).mean()
            for edges in (real, regulation.permuted(real, genes, seed=seed))
        ]
        gains.append(scores[0] - scores[1])
    low = np.mean(gains) - 2.6 * np.std(gains, ddof=1) / np.sqrt(len(gains))
    assert (low > 0) == helps


def test_the_twin_has_lines_replicates_and_levels():
    level3, level4 = simulate.l1000_twin(level=3), simulate.l1000_twin()
    np.testing.assert_allclose(plate_scores(level3.X, level3.obs["plate"]), level4.X, atol=1e-3)
    obs = level4.obs
    assert (obs.groupby("plate")["cell_line"].nunique() == 1).all()
    treated = obs[~obs["is_control"]]
    assert (treated.groupby(["cell_line", "perturbagen", "dose"])["plate"].nunique() == 2).all()
    assert (treated.groupby("perturbagen")["moa"].nunique() == 1).all()
    assert set(obs.loc[obs["is_control"], "moa"]) == {"DMSO"}
    for wrong in ({"level": 5}, {"graph_effect": 2}, {"n_lines": 9}, {"n_genes": 5}):
        with pytest.raises(ParameterError):
            simulate.l1000_twin(**wrong)
