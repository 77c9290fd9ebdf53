"""A twin of many studies: made expression on the real, or on a simulated, structure of runs in studies."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, ParameterError, require_columns
from exprml.data.simulate.gtex import TISSUES
from exprml.data.simulate.parts import low_rank, made, swings, table_of_genes

_COLUMNS = ("study", "tissue", "sex")
_TISSUE, _SHARED, _OWN, _PAIR, _RUN = 0.165, 0.17, 0.17, 0.12, 0.12  # tuned: tests/evaluation shows to what


def studies_twin(
    structure: pd.DataFrame | None = None,
    *,
    n_tissues: int = 21,
    min_studies: int = 10,
    max_runs: int = 5,
    n_genes: int = 400,
    study_effect: float = 1.0,
    nonlinear: float = 1.0,
    seed: int = 0,
) -> AnnData:
    """Simulate expression on a structure of runs in studies, such that every study has a mark of its own.

    A value is gene level + tissue profile + study effect + tissue x study effect + run effect (each of low
    rank) + sex + noise + swings of mean zero in the markers of a tissue, a coin per run and module. The
    strength of a study is log-normal. Part of the study effect lies in the programmes of genes that tell
    tissues apart (it misleads on new studies), part in others (it identifies the study).

    Parameters
    ----------
    structure : DataFrame, optional
        One row for each run (the index), columns study, tissue, sex. Default: :func:`studies_structure`.
    n_tissues : int
        Keep at most this many tissues, those with most studies.
    min_studies : int
        Keep tissues with at least so many studies.
    max_runs : int
        Of each study and tissue keep at most so many runs, drawn at random: a laptop's size.
    n_genes : int
    study_effect : float
        Multiplies the study and the tissue x study effect; 0 makes runs of one tissue exchangeable.
    nonlinear : float
        Size of the swings; 1 is 2.5 standard deviations of the noise.
    seed : int
        Of the only generator.

    Returns
    -------
    AnnData
        float32, like a logarithm of TPM; obs (by run): study, tissue, sex; var: symbol, simulated.
    """
    if study_effect < 0:
        raise ParameterError(f"study_effect {study_effect}: choose 0 or more")
    generator = np.random.default_rng(seed)
    structure = studies_structure(seed=seed) if structure is None else structure
    obs = _thinned(structure, n_tissues, min_studies, max_runs, generator)
    tissue, tissues = pd.factorize(obs["tissue"], sort=True)
    study, studies = pd.factorize(obs["study"], sort=True)
    pair, pairs = pd.factorize(study * len(tissues) + tissue)
    programmes = generator.standard_normal((12, n_genes))

    def shared(n_rows: int) -> np.ndarray:
        return generator.standard_normal((n_rows, 12)) @ programmes

    strength = study_effect * generator.lognormal(0.0, 0.5, len(studies))
    X = generator.normal(5.0, 2.0, n_genes) + generator.standard_normal((len(obs), n_genes))
    X += _TISSUE * shared(len(tissues))[tissue]
    of_study = _SHARED * shared(len(studies)) + _OWN * low_rank(generator, len(studies), n_genes, rank=60)
    X += (strength[:, None] * of_study)[study]
    X += study_effect * _PAIR * shared(len(pairs))[pair]
    X += _RUN * low_rank(generator, len(obs), n_genes)
    X[:, : max(1, n_genes // 100)] += 2.0 * (obs["sex"] == "male").to_numpy()[:, None]
    X += 2.5 * nonlinear * swings(generator, tissue, len(tissues), n_genes)
    step = f"{len(tissues)} tissues, {len(studies)} studies, {len(obs)} runs, {n_genes} genes, "
    step += f"study effect {study_effect:g}, nonlinear {nonlinear:g}, seed {seed}"
    return made(X, obs, table_of_genes(n_genes), step)


def studies_structure(seed: int = 0) -> pd.DataFrame:
    """Simulate a structure of runs in studies, for want of a real one.

    Eight tissues are of unequal size, eight in ten of 120 studies hold one of them, and runs per study and
    tissue follow a power law (median 5, some hundreds at most), as in the label tables of recount2.

    Returns
    -------
    DataFrame
        One row for each run: study, tissue, sex.
    """
    generator, n_tissues, rows = np.random.default_rng(seed), 8, []
    share = 1 / np.arange(3, n_tissues + 3)
    for study in range(1, 121):
        n_here = min(n_tissues, 1 + generator.geometric(0.8) - 1 or 1)
        for tissue in generator.choice(n_tissues, n_here, replace=False, p=share / share.sum()):
            n_runs = int(min(300, np.ceil(2.5 * generator.pareto(1.0) + 1)))
            rows += [(f"SIMP{study:05d}", TISSUES[tissue])] * n_runs
    runs = pd.Index([f"SIMR{i:06d}" for i in range(1, len(rows) + 1)], name="run")
    table = pd.DataFrame(rows, columns=["study", "tissue"], index=runs)
    return table.assign(sex=generator.choice(["female", "male", ""], len(table), p=[0.5, 0.35, 0.15]))


def _thinned(
    structure: pd.DataFrame, n_tissues: int, min_studies: int, max_runs: int, generator: np.random.Generator
) -> pd.DataFrame:
    """Return the structure with the tissues of most studies, and few runs of each study and tissue."""
    require_columns(structure, _COLUMNS, "structure of studies")
    studies = structure.groupby("tissue")["study"].nunique()
    ranked = studies[studies >= min_studies].sort_values(ascending=False, kind="stable")
    if len(ranked) < 2:
        raise DataError(f"structure of studies: {len(ranked)} tissues with {min_studies} studies, two needed")
    kept = structure.loc[structure["tissue"].isin(ranked.index[:n_tissues]), list(_COLUMNS)].sort_index()
    kept = kept.iloc[generator.permutation(len(kept))]
    return kept[kept.groupby(["study", "tissue"]).cumcount() < max_runs].sort_index()
