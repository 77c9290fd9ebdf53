"""Twins of the Connectivity Map's kinds of data: plates of treated wells, and profiles of probes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.data.simulate.parts import made, table_of_genes

_DISTANCES = (0.05, 0.3, 0.6, 0.9, 0.97, 1.03, 1.1, 1.4)  # of planted near-duplicates
_DOSES = (10.0, 3.33, 1.11, 0.37, 0.12, 0.04)  # micromolar, as on the real plates


def plates_twin() -> AnnData:
    """Simulate plates of one cell line, level 3: 12 compounds in six doses, and wells of the vehicle.

    A value is level + plate (shift and scale of every gene) + spread x (six states of the cell, which a
    compound moves by dose and every well by chance + two bead-mates' shared error + noise). In half of the
    genes one state counts only where another is above zero.

    There are 60 genes, two to a bead as in L1000, and two plates, which have a third of their compounds in
    common and twelve wells of the vehicle each.

    Returns
    -------
    AnnData, wells x genes
        float32, log2-like; obs and var as :func:`exprml.data.readers.chen2016.l1000_plates`.
    """
    n_genes, n_plates, n_controls = 60, 2, 12
    generator, n_perturbagens, rank = np.random.default_rng(0), 12, 6
    loadings = generator.standard_normal((2, rank, n_genes)) / np.sqrt(rank)
    loadings[1, :, ::2] = 0
    level, spread = generator.normal(8, 2, n_genes), generator.uniform(0.4, 1.0, n_genes)
    n_shared = n_perturbagens // 3
    effects = generator.standard_normal((n_shared + n_plates * (n_perturbagens - n_shared), rank))
    parts = []
    for plate in range(n_plates):
        own = n_shared + plate * (n_perturbagens - n_shared)
        compounds = [*range(n_shared), *range(own, own + n_perturbagens - n_shared)]
        obs = wells(f"SIM{plate + 1:03d}_A375_24H", "A375", compounds, _DOSES, n_controls)
        codes = obs.pop("code").to_numpy()
        strength = np.log1p(obs["dose"].to_numpy() / 0.3)[:, None] * np.where(codes >= 0, 1, 0)[:, None]
        states = 0.5 * strength * effects[codes] + 0.6 * generator.standard_normal((len(obs), rank))
        gated = np.roll(states, 1, axis=1) * np.where(states > 0, 1.0, -1.0)
        X = states @ loadings[0] + gated @ loadings[1]
        X += 0.4 * np.repeat(generator.standard_normal((len(obs), n_genes // 2)), 2, axis=1)
        X += 0.3 * generator.standard_normal(X.shape)
        X *= spread * np.exp(generator.normal(0, 0.15, n_genes))
        parts.append((obs, X + level + generator.normal(0, 0.5, n_genes)))
    beads = [f"Bead {at // 2 + 1}" for at in range(n_genes)]
    var = table_of_genes(n_genes, by="symbol").assign(bead=beads, is_landmark=True, is_target=False)
    obs, X = pd.concat([one for one, _ in parts]), np.vstack([values for _, values in parts])
    step = f"{n_plates} plates, {n_genes} genes, {n_perturbagens} compounds, nonlinear 1, seed 0"
    return made(X, obs, var, step)


def wells(
    plate: str, cell_line: str, compounds: Sequence[int], doses: Sequence[float], n_controls: int
) -> pd.DataFrame:
    """Return obs of a made plate: first the vehicle, then every compound at every dose.

    Parameters
    ----------
    plate, cell_line : str
    compounds : sequence of int
        Their numbers; column `code` has them, -1 of the vehicle.
    doses : sequence of float
        Micromolar.
    n_controls : int
        Wells of the vehicle.
    """
    rows = [(-1, "DMSO", 0.0)] * n_controls
    rows += [(code, f"compound {code + 1}", dose) for code in compounds for dose in doses]
    obs = pd.DataFrame(rows, columns=["code", "perturbagen", "dose"])
    vehicle = obs["code"] == -1
    obs = obs.assign(
        plate=plate,
        well=[f"{'ABCDEFGHIJKLMNOP'[at // 24 % 16]}{at % 24 + 1:02d}" for at in range(len(obs))],
        cell_line=cell_line,
        perturbagen_id=np.where(vehicle, "DMSO", [f"SIM-K{code:08d}" for code in obs["code"]]),
        kind=np.where(vehicle, "vehicle", "compound"),
        is_control=vehicle,
        hours=24.0,
    )
    return obs.set_index(pd.Index([f"{plate}:{at}" for at in range(len(obs))], name="sample"))


def probe_twin() -> AnnData:
    """Simulate microarray profiles of probes, with near-duplicates planted at known distances (chen2016 1.1).

    Samples of a series share an effect. Behind the 200 stand copies: one of an early sample at each distance
    (Euclidean, over all probes), and two chains of two copies in which each is 0.8 from the one before and
    the ends 1.3 apart. All other pairs are far beyond 1. The 30 landmarks and 60 targets have one to three
    probes; the first three targets are landmarks by other probes, as 445 of the paper's are. Every tenth
    probe more belongs to no listed gene.

    Returns
    -------
    AnnData, samples x probes
        float32, log2-like, 4 to 15; obs: series, copy_of ("" or a sample), planted (distance to it, NaN where
        there is none); var (by probe): symbol, ensembl, is_landmark, simulated; empty names for probes of no
        listed gene.
    """
    generator, n_samples = np.random.default_rng(0), 200
    var = _probes(generator, 30, 60)
    series = np.arange(n_samples) // 8
    X = generator.uniform(6, 12, len(var)) + generator.normal(0, 0.7, (n_samples, len(var)))
    X += generator.normal(0, 0.5, (series.max() + 1, len(var)))[series]
    X = np.clip(X, 4.3, 14.7)  # so that no copy leaves 4 to 15 and comes nearer than planted
    copies, partners, planted = [], [], []
    for number, distance in enumerate(_DISTANCES):
        copies.append(X[number] + distance * _direction(generator, len(var)))
        partners.append(number)
        planted.append(distance)
    for first in (len(_DISTANCES), len(_DISTANCES) + 1):
        one, other = _direction(generator, len(var)), _direction(generator, len(var))
        other -= (other @ one) * one
        other /= np.linalg.norm(other)
        turn = (1.3**2 / 0.8**2 - 2) / 2  # cosine between the two steps
        step = turn * one + np.sqrt(1 - turn**2) * other
        copies += [X[first] + 0.8 * one, X[first] + 0.8 * one + 0.8 * step]
        partners += [first, n_samples + len(copies) - 2]
        planted += [0.8, 0.8]
    numbers = np.arange(n_samples + len(copies))
    ids = np.array([f"GSMSIM{number:05d}" for number in numbers])
    roots = np.array([at if at < n_samples else partners[at - n_samples] for at in partners], int)
    obs = pd.DataFrame(
        {
            "series": [f"GSESIM{number}" for number in [*series, *series[roots]]],
            "copy_of": [*[""] * n_samples, *ids[partners]],
            "planted": [*[np.nan] * n_samples, *planted],
        },
        index=pd.Index(ids, name="sample"),
    )
    step = f"{n_samples} samples and {len(copies)} near-duplicates, {len(var)} probes, seed 0"
    return made(np.vstack([X, *copies]), obs, var, step)


def _direction(generator: np.random.Generator, n: int) -> np.ndarray:
    drawn = generator.standard_normal(n)
    return drawn / np.linalg.norm(drawn)


def _probes(generator: np.random.Generator, n_landmarks: int, n_targets: int) -> pd.DataFrame:
    """Return var of the probes: of landmarks, of targets and of genes that no list has."""
    genes = [*range(n_landmarks), *range(3), *range(n_landmarks, n_landmarks + n_targets - 3)]
    rows = []
    for at, gene in enumerate(genes):
        count = 1 if at < n_landmarks else int(generator.integers(1, 4))
        rows += [(f"SIM{gene + 1}", f"ENSGSIM{gene + 1:09d}", at < n_landmarks)] * count
    rows += [("", "", False)] * (len(rows) // 10)
    rows = [rows[at] for at in generator.permutation(len(rows))]
    index = pd.Index([f"{200001 + at}_at" for at in range(len(rows))], name="probe")
    return pd.DataFrame(rows, columns=["symbol", "ensembl", "is_landmark"], index=index).assign(
        simulated=True
    )
