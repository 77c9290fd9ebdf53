"""Twins of differential expression: contrasts of series, or their counts, and what truly changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import ParameterError
from exprml.data.simulate.parts import made, table_of_genes

_NOISE = 0.4  # standard deviation in a series of common depth
_OUTLIER = 6.0  # times a contrast of common size
_SHARED = 0.15  # of the series repeat the samples of another


def changes_twin(
    n_series: int = 120, n_genes: int = 400, *, n_terms: int = 40, habit: float = 0.5, seed: int = 0
) -> AnnData:
    """Simulate contrasts: log2 fold changes of one to three experiments of each series.

    A change is a sum of programmes of genes, up or down, one to four of an experiment and one of its series,
    besides a *habit* (the same response, stronger or weaker, that nearly every experiment shows) and noise,
    larger where a series was sequenced less deep. Programmes overlap, and every fourth lies within another
    as a term of an ontology within its parent. One series in seven repeats the samples of another, as
    SuperSeries do; one contrast in forty is six times as large as others.

    Parameters
    ----------
    n_series, n_genes : int
        At least 10 and 50.
    n_terms : int
        Programmes, at least 4; each has 3 to 15 % of the genes.
    habit : float
        Size of the response that experiments share.
    seed : int

    Returns
    -------
    AnnData, contrasts x genes
        float32; obs: series, samples (the series that holds them first: what truly must not be split),
        target "", depth, is_outlier; ``obsm["terms"]``: -1, 0 or 1, what was active; ``varm["terms"]``: which
        genes; ``uns["terms"]``: names.

    Raises
    ------
    ParameterError
        If a size is too small.
    """
    generator, members, weights = _programmes(n_series, n_genes, n_terms, seed)
    firsts, n_own = _series(n_series), n_series - int(_SHARED * n_series)
    own, repeats = firsts[:n_own], firsts[n_own:]
    series = np.repeat(own, generator.integers(1, 4, n_own))
    active, change = _changes(generator, pd.factorize(series)[0], weights)
    common = generator.standard_normal(n_genes) * (generator.random(n_genes) < 0.3)
    change += habit * generator.normal(1, 0.6, (len(series), 1)) * common
    obs = pd.DataFrame({"series": series, "samples": series, "target": ""})
    depths = pd.Series(np.exp(generator.normal(0, 0.5, n_series)), firsts)
    obs["depth"], obs["is_outlier"] = depths[series].to_numpy(), generator.random(len(series)) < 1 / 40
    X = change * np.where(obs["is_outlier"], _OUTLIER, 1.0)[:, None]
    X += generator.standard_normal(X.shape) * (_NOISE / np.sqrt(obs["depth"].to_numpy()))[:, None]
    parts = [obs]
    for name, taken in zip(repeats, generator.choice(own, len(repeats)), strict=True):
        parts.append(obs[obs["samples"] == taken].assign(series=name))
    obs = pd.concat(parts)
    rows = obs.index.to_numpy()
    X = X[rows] + generator.normal(0, 0.05, (len(rows), n_genes))  # another processing of the same samples
    obs.index = pd.Index([f"contrast-{number:04d}" for number in range(1, len(obs) + 1)], name="contrast")
    step = f"{len(obs)} contrasts of {n_series} series, {n_genes} genes, {n_terms} terms, habit {habit:g}, "
    adata = made(X, obs, table_of_genes(n_genes), step + f"noise {_NOISE:g}, seed {seed}")
    adata.obsm["terms"], adata.varm["terms"] = active[rows], members.T
    adata.uns["terms"] = _names(n_terms)
    return adata


def counts_twin(n_series: int = 40, n_genes: int = 400, *, n_samples: int = 6, seed: int = 0) -> AnnData:
    """Simulate counts of runs in series of two groups, with the words of GEO that tell the groups apart.

    Counts are negative binomial around depth x level of the gene x 2^(half the change, up in the first
    group and down in the second). Depths of runs differ tenfold and more. In every fifth series no line of
    GEO names two groups: each sample has words of its own or, in every tenth, all have the same. Nothing
    changes in some.

    Parameters
    ----------
    n_series, n_genes : int
        At least 10 and 50.
    n_samples : int
        Runs of a series, 4 at least; a third of them, but 2 at least, are of the first group.
    seed : int

    Returns
    -------
    AnnData, runs x genes
        float32 whole numbers; obs: series, group ("first" or "second": the truth), annotation (lines of GEO,
        the source first); ``uns["changes"]``: true log2 fold changes, first minus second, series x genes;
        ``varm["terms"]``, ``uns["terms"]``: genes and names of the programmes.

    Raises
    ------
    ParameterError
        If a size is too small.
    """
    if n_samples < 4:
        raise ParameterError(f"n_samples {n_samples}: give at least 4, two of each group")
    n_terms = 20
    generator, members, weights = _programmes(n_series, n_genes, n_terms, seed)
    _, change = _changes(generator, np.arange(n_series), weights)
    change *= generator.random((n_series, 1)) > 0.1  # in some nothing happens
    level = np.exp(generator.normal(3.5, 1.8, n_genes))
    first = np.arange(n_samples) < max(2, n_samples // 3)
    depth = np.exp(generator.normal(0, 0.8, (n_series, n_samples, 1)))
    mean = depth * level * 2.0 ** (np.where(first, 0.5, -0.5)[:, None] * change[:, None])
    counts = generator.poisson(mean * generator.gamma(10, 1 / 10, mean.shape))
    obs = pd.DataFrame({"series": np.repeat(_series(n_series), n_samples)})
    obs["group"] = np.tile(np.where(first, "first", "second"), n_series)
    obs["annotation"] = [text for number in range(n_series) for text in _annotation(number, first)]
    obs.index = pd.Index([f"SRRSIM{number:05d}" for number in range(1, len(obs) + 1)], name="run")
    step = f"counts of {len(obs)} runs in {n_series} series, {n_genes} genes, {n_terms} terms, seed {seed}"
    adata = made(counts.reshape(len(obs), n_genes), obs, table_of_genes(n_genes), step)
    adata.varm["terms"] = members.T
    adata.uns |= {"changes": change.astype(np.float32), "terms": _names(n_terms)}
    return adata


def terms_twin(n_genes: int = 400, *, n_terms: int = 40, seed: int = 0) -> AnnData:
    """Return the programmes of :func:`changes_twin` of that size and seed as sets of genes.

    Returns
    -------
    AnnData, 0 samples x genes
        ``varm["terms"]``: which genes (genes x terms); ``uns["terms"]``: names.
    """
    _, members, _ = _programmes(10, n_genes, n_terms, seed)
    none = pd.DataFrame(index=pd.Index([], dtype=str))
    adata = made(np.empty((0, n_genes)), none, table_of_genes(n_genes), f"{n_terms} terms, seed {seed}")
    adata.varm["terms"], adata.uns["terms"] = members.T, _names(n_terms)
    return adata


def _annotation(number: int, first: np.ndarray) -> list[str]:
    """Return what GEO says of the samples of a series."""
    genotype = np.where(first, "wild type", "knock-out") if number % 5 < 4 else ["mutant"] * len(first)
    mouse = np.arange(len(first)) if number % 10 < 9 else np.zeros(len(first), int)
    return [
        f"source_name: liver\ngenotype: {kind}\nmouse: {one + 1}\nread length: {50 + 25 * (at % 2)}"
        for at, (kind, one) in enumerate(zip(genotype, mouse, strict=True))
    ]


def _programmes(
    n_series: int, n_genes: int, n_terms: int, seed: int
) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    """Return the generator, which genes belong to each term (terms x genes), and by what change."""
    if n_series < 10 or n_genes < 50 or n_terms < 4:
        raise ParameterError(
            f"n_series {n_series}, n_genes {n_genes}, n_terms {n_terms}: give at least 10, 50 and 4"
        )
    generator = np.random.default_rng(seed)
    members = np.zeros((n_terms, n_genes), bool)
    for term in range(n_terms):
        within = np.flatnonzero(members[term - 1]) if term % 4 == 3 else np.arange(n_genes)
        size = int(generator.uniform(0.03, 0.15) * n_genes) if term % 4 != 3 else len(within) // 2
        members[term, generator.choice(within, max(size, 2), replace=False)] = True
    return generator, members, members * np.abs(generator.normal(1.2, 0.5, members.shape))


def _changes(
    generator: np.random.Generator, series: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return active terms (contrasts x terms: -1, 0, 1) and the changes they make (contrasts x genes)."""
    n_terms = len(weights)
    active = np.zeros((len(series), n_terms), np.int8)
    for row in active:
        at = generator.choice(n_terms, generator.integers(1, 5), replace=False)
        row[at] = generator.choice([-1, 1], len(at))
    own = generator.integers(0, n_terms, series.max() + 1)[series]
    active[np.arange(len(series)), own] = 1
    return active, (active * np.exp(generator.normal(0, 0.4, active.shape))) @ weights


def _series(n_series: int) -> list[str]:
    return [f"GSESIM{number:04d}" for number in range(1, n_series + 1)]


def _names(n_terms: int) -> list[str]:
    return [f"SIM:{number:04d}" for number in range(1, n_terms + 1)]
