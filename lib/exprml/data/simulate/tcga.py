"""A twin of the paired TCGA data: tumour and normal tissue of the same patients, in cohorts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.data.simulate.gtex import gtex_twin
from exprml.data.simulate.parts import low_rank, made, swings, table_of_genes

# Cohort -> organ in the words of GTEx; a cohort whose organ the twin of GTEx lacks gets a profile of its own.
ORGANS = {
    "BRCA": "Breast",
    "COAD": "Colon",
    "HNSC": "Head and Neck",
    "KIRC": "Kidney",
    "KIRP": "Kidney",
    "LIHC": "Liver",
    "LUAD": "Lung",
    "LUSC": "Lung",
    "PRAD": "Prostate",
    "STAD": "Stomach",
    "THCA": "Thyroid",
}
# What the twin of GTEx must be made with to have the same organs: the entry gtex-twin-organs.
GTEX = {"tissues": ["Breast", "Colon", "Liver", "Lung", "Prostate", "Stomach", "Thyroid"], "n_donors": 60}
DEEP = ("COAD", "STAD")  # cohorts without an offset before the logarithm
_LOWEST = -2.0  # log2(0.25): the floor of the others
_MISSING = -4.0  # below it nothing is seen in the deep cohorts


def tcga_twin(*, interaction: float = 1.0, nonlinear: float = 1.0) -> AnnData:
    """Simulate pairs of tumour and normal tissue, with the columns and the two floors of the real file.

    A value is gene level + organ profile + cohort effect + patient effect + in tumours (tumour effect +
    cohort x tumour effect) + sample effect (each of low rank) + noise, and in the markers of tumours swings
    of mean zero, a coin per sample and module. Removal by sample type leaves the interaction, a nonlinear
    signal only because cohorts are pooled; removal within every cohort takes it away and leaves the swings.

    Twelve patients of each of the eleven cohorts give a tumour and a normal sample. The first 300 of 600
    genes are the last of :func:`gtex_twin`, with the organ profiles of `GTEX`.

    Parameters
    ----------
    interaction : float
        Size of the cohort x tumour effect; 1 is the tumour effect's own.
    nonlinear : float
        Size of the swings; 1 is 2.5 standard deviations of the noise.

    Returns
    -------
    AnnData
        float32, log2-like with two decimals; NaN in COAD and STAD, where the others stand on -2. obs:
        patient, cohort, tissue (= cohort), sample_type, plate, centre; var (by symbol): symbol, simulated.
    """
    generator, n_patients, n_genes, n_shared = np.random.default_rng(0), 12, 600, 300
    obs, cohort, patient = _samples(generator, n_patients)
    level, organs = _organs(generator, n_genes, n_shared)
    tumour = (obs["sample_type"] == "tumour").to_numpy()
    X = level + organs[cohort] + generator.standard_normal((len(obs), n_genes))
    X += 0.15 * low_rank(generator, len(ORGANS), n_genes)[cohort]
    X += 0.3 * low_rank(generator, patient.max() + 1, n_genes)[patient]
    X += 0.3 * low_rank(generator, len(obs), n_genes)
    X += tumour[:, None] * 0.25 * low_rank(generator, 1, n_genes)
    X += tumour[:, None] * 0.25 * interaction * low_rank(generator, len(ORGANS), n_genes)[cohort]
    X += 2.5 * nonlinear * swings(generator, np.where(tumour, 0, -1), 1, n_genes)
    X = _floored(X, np.isin(obs["cohort"], DEEP))
    var = table_of_genes(n_genes, 1001 - n_shared, by="symbol")
    step = f"{len(ORGANS)} cohorts of {n_patients} pairs, {n_genes} genes, interaction {interaction:g}, "
    step += f"nonlinear {nonlinear:g}, seed 0"
    return made(np.round(X, 2), obs, var, step)


def _samples(generator: np.random.Generator, n_patients: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return obs, cohort codes and patient codes; a tumour and a normal sample of each patient."""
    patient = np.repeat(np.arange(len(ORGANS) * n_patients), 2)
    cohort = patient // n_patients
    kind = np.tile(["tumour", "normal"], len(patient) // 2)
    names = np.array(list(ORGANS))[cohort]
    obs = pd.DataFrame(
        {
            "patient": [f"TCGA-SIM-{code:04d}" for code in patient],
            "cohort": names,
            "tissue": names,
            "sample_type": kind,
            "plate": [f"S{code:03d}" for code in 3 * cohort + generator.integers(0, 3, len(cohort))],
            "centre": "07",
        }
    )
    ids = obs["patient"] + np.where(kind == "tumour", "-01A", "-11A") + "-11R-" + obs["plate"] + "-07"
    return obs.set_index(pd.Index(ids, name="sample")), cohort, patient


def _organs(generator: np.random.Generator, n_genes: int, n_shared: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the genes' levels and the profile of every cohort's organ (cohorts x genes).

    Shared genes have the mean of the organ in the twin of GTEx; another platform shifts their levels.
    """
    names = list(dict.fromkeys(ORGANS.values()))
    level = generator.normal(8.5, 3.0, n_genes)
    profiles = 0.3 * low_rank(generator, len(names), n_genes)
    twin = gtex_twin(**GTEX, nonlinear=0, floor_share=0)
    values = pd.DataFrame(twin.X[:, twin.n_vars - n_shared :]).groupby(twin.obs["tissue"].to_numpy()).mean()
    level[:n_shared] = 8.5 + 0.7 * (values.mean() - 1) + generator.normal(0, 1, n_shared)
    for organ in values.index:
        profiles[names.index(organ), :n_shared] = values.loc[organ] - values.mean()
    level[::20] = generator.normal(-1, 1, len(level[::20]))  # one gene in twenty is hardly seen
    return level, profiles[[names.index(organ) for organ in ORGANS.values()]]


def _floored(X: np.ndarray, deep: np.ndarray) -> np.ndarray:
    """Return the values above a floor; without one in the `deep` rows, where the lowest are missing."""
    stretched = np.where(X < _LOWEST, _LOWEST + 3 * (X - _LOWEST), X)
    stretched[X < _MISSING] = np.nan
    return np.where(deep[:, None], stretched, np.maximum(X, _LOWEST))
