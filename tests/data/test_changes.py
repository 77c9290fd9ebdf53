"""From counts to changes: groups out of words, limma's comparison, enrichment held to tables by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse, stats

from exprml.base.errors import DataError
from exprml.data import changes, terms
from exprml.data.simulate import counts_twin

GOLDEN = Path(__file__).parents[1] / "golden"  # made by R's limma (make_golden.R)
VALUES = np.random.default_rng(0).normal(size=(6, 4))
FIRST = [True] * 3 + [False] * 3


def series(values, name="a"):
    obs = pd.DataFrame({"series": name}, index=[f"{name}{at}" for at in range(len(values))])
    return AnnData(np.asarray(values, np.float64), obs=obs)


def test_difference_moderated_t_and_q_are_those_of_r_limma():
    values = pd.read_csv(GOLDEN / "changes_input.csv", index_col=0).T  # samples x genes
    name = values.index.str[0]
    first = pd.Series(1, values.index).groupby(name).cumsum().to_numpy() <= name.map({"a": 3, "b": 2, "c": 1})
    obs = pd.DataFrame({"series": name}, index=values.index)
    found = changes.compare_groups(AnnData(values, obs=obs), first)
    theirs = pd.read_csv(GOLDEN / "changes_output.csv").pivot(index="series", columns="gene")
    ours = {
        "logFC": found.X,
        "t": found.layers["t"],
        "P.Value": found.layers["p"],
        "adj.P.Val": found.layers["q"],
    }
    for column, mine in ours.items():
        wanted = theirs[column].loc[found.obs_names, found.var_names]
        np.testing.assert_allclose(mine, wanted, rtol=1e-6, atol=1e-9, err_msg=column)


def test_counts_become_the_logarithms_of_r_limmas_voom():
    counts = pd.read_csv(GOLDEN / "counts_input.csv", index_col=0).T.to_numpy()
    theirs = pd.read_csv(GOLDEN / "counts_output.csv", index_col=0).T
    np.testing.assert_allclose(changes.log_cpm(counts), theirs, rtol=1e-12)


# Changes of 24 genes of a made series by PyDESeq2 0.5.4, which takes the median of ratios for depth.
DESEQ2 = [
    0.679, -1.379, 0.102, 0.671, 0.571, -0.47, 2.004, -0.357, 0.342, 0.249, -0.303, 0.54,
    0.268, -0.497, 0.539, 0.176, 0.499, -0.445, 1.018, -0.231, -0.73, 1.718, 0.386, -0.135,
]  # fmt: skip


def test_changes_are_deseq2s_but_for_the_depth_which_shifts_all_genes_alike():
    runs = counts_twin(10, 400)
    one = runs[runs.obs["series"] == runs.obs["series"].iloc[0]].copy()
    deep = np.flatnonzero(one.X.mean(axis=0) >= 10)[: len(DESEQ2)]
    one.X = changes.log_cpm(one.X)
    found = changes.compare_groups(one, one.obs["group"] == "first").X[0, deep]
    assert np.corrcoef(found, DESEQ2)[0, 1] > 0.98
    shift = np.median(found - DESEQ2)
    assert -0.5 < shift < -0.3
    assert np.median(np.abs(found - DESEQ2 - shift)) < 0.05


def test_many_series_at_once_give_what_each_gives_alone(monkeypatch):
    generator = np.random.default_rng(0)
    parts = [series(generator.normal(size=(n, 40)), name) for n, name in ((6, "b"), (4, "a"), (5, "c"))]
    first = np.concatenate([np.arange(part.n_obs) < 2 for part in parts])
    whole = AnnData(np.vstack([part.X for part in parts]), obs=pd.concat([part.obs for part in parts]))
    order = generator.permutation(whole.n_obs)
    monkeypatch.setattr(changes, "_VALUES_AT_ONCE", 200)  # a block a series
    found = changes.compare_groups(whole[order], first[order])
    for part in parts:
        alone = changes.compare_groups(part, np.arange(part.n_obs) < 2)
        np.testing.assert_allclose(found[alone.obs_names].layers["t"], alone.layers["t"], rtol=1e-5)


def test_equal_variances_of_all_genes_are_pooled_whole():
    generator = np.random.default_rng(1)
    noise = generator.normal(size=(6, 1)) * np.ones((1, 50))
    _, prior = changes.moderated_variance(np.full((1, 50), noise.var()), np.array([[4.0]]))
    assert np.isinf(prior).all()


@pytest.mark.parametrize(
    ("first", "words"),
    [([True] * 6, "groups of 6 and 0"), ([False] * 6, "groups of 0 and 6")],
)
def test_an_empty_group_is_refused_by_the_name_of_its_series(first, words):
    with pytest.raises(DataError, match=f"a: {words}"):
        changes.compare_groups(series(VALUES), first)


def test_missing_values_are_refused():
    values = VALUES.copy()
    values[0, 0] = np.inf
    with pytest.raises(DataError, match="1 values are missing or infinite"):
        changes.compare_groups(series(values), FIRST)


def test_counts_per_million_do_not_know_the_depth():
    counts = np.array([[10, 90, 0, 900], [100, 900, 0, 9000]])
    log = changes.log_cpm(counts)
    np.testing.assert_allclose(log[0, 3], np.log2(900.5 / 1001 * 1e6))
    np.testing.assert_allclose(log[0, [1, 3]], log[1, [1, 3]], atol=0.02)


@pytest.mark.parametrize(
    ("counts", "words"),
    [([[1.5, 2]], "1.5 is no count"), ([[-1, 2]], "-1"), ([[0, 0]], "sample 0 has no read")],
)
def test_what_are_no_counts_is_refused(counts, words):
    with pytest.raises(DataError, match=words):
        changes.log_cpm(np.array(counts))


def test_the_line_with_the_fewest_values_makes_the_groups():
    words = [
        "source: liver\ndose: 0\nmouse: 1\nread length: 50",
        "source: liver\ndose: 0\nmouse: 2\nread length: 75",
        "source: liver\ndose: 5\nmouse: 3\nread length: 75",
    ]
    assert changes.two_groups(words).tolist() == [True, True, False]
    assert changes.two_groups([one.replace("dose: 5", "dose: 0") for one in words]).tolist() == [
        True,
        False,
        False,
    ]
    assert changes.two_groups(["source: liver"] * 3) is None


def test_enrichment_is_that_of_a_table_by_hand():
    """Ten genes, four in the term, three hits of which two in it: (6 * 6 + 4) / 120 at least as many."""
    hits = sparse.csr_array([[1, 1, 0, 0, 1, 0, 0, 0, 0, 0], [0] * 10])
    term = sparse.csr_array([[1, 1, 1, 1, 0, 0, 0, 0, 0, 0]])
    np.testing.assert_allclose(terms.enrichment(hits, term), [[40 / 120], [1]])
    np.testing.assert_allclose(terms.enrichment(hits, term, over=False), [[116 / 120], [1]])


def test_enrichment_is_fishers_test_on_drawn_lists():
    generator = np.random.default_rng(0)
    hits, sets = (sparse.csr_array((generator.random((5, 60)) < share).astype(int)) for share in (0.2, 0.3))
    p = terms.enrichment(hits, sets)
    for row, one in enumerate(hits.toarray()):
        for column, other in enumerate(sets.toarray()):
            table = pd.crosstab(pd.Categorical(one, [1, 0]), pd.Categorical(other, [1, 0]), dropna=False)
            exact = stats.fisher_exact(table.to_numpy(), alternative="greater").pvalue
            assert p[row, column] == pytest.approx(exact)


@pytest.mark.parametrize("over", [True, False])
def test_enrichment_is_scipys_at_the_ends_and_where_lists_are_most_of_the_genes(over):
    generator, n_genes, sizes = np.random.default_rng(0), 3000, [1, 5, 300, 1500, 2999, 3000]
    rows = np.array([np.arange(n_genes) < size for size in sizes])
    drawn = generator.permuted(rows, axis=1)
    lists = np.concatenate([rows, rows[:, ::-1], drawn])  # all of a term, as few of it as can be, some of it
    p = terms.enrichment(sparse.csr_array(lists.astype(int)), sparse.csr_array(rows.astype(int)), over=over)
    found, n = (lists.astype(int) @ rows.T.astype(int)), lists.sum(axis=1)[:, None]
    tail, k = (stats.hypergeom.sf, found - 1) if over else (stats.hypergeom.cdf, found)
    np.testing.assert_allclose(p, np.minimum(tail(k, n_genes, np.array(sizes), n), 1), rtol=1e-8, atol=1e-300)


@pytest.mark.parametrize(
    ("hits", "words"), [([[1, 0]], "hits of 2 genes and terms of 3"), ([[2, 0, 0]], "other than 0 and 1")]
)
def test_what_are_no_lists_over_the_same_genes_is_refused(hits, words):
    with pytest.raises(DataError, match=words):
        terms.enrichment(sparse.csr_array(hits), sparse.csr_array([[1, 1, 0]]))


def test_family_wise_error_of_the_best_term_is_the_share_of_draws_as_good():
    hits = sparse.csr_array([[1] * 5 + [0] * 15, [1, 0, 0, 0, 0] * 4])
    sets = sparse.csr_array([[1] * 5 + [0] * 15, [1, 0] * 10])
    error = terms.family_wise(hits, sets, n_sets=200, seed=0)
    assert error[0, 0] < 0.01
    assert error[1].min() > 0.3
    np.testing.assert_array_equal(error, terms.family_wise(hits, sets, n_sets=200, seed=0))
    assert terms.family_wise(hits, sets, over=False, seed=0)[0, 0] == 1
