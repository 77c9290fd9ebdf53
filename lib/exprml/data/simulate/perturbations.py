"""Twins of L1000 as mcdermott2020 uses it: perturbed cells of several lines, and the graph they follow."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import ParameterError
from exprml.data.preprocess import plate_scores
from exprml.data.regulation import as_graph
from exprml.data.simulate.parts import made, table_of_genes
from exprml.data.simulate.plates import wells

# Lines of the Connectivity Map: primary site, subtype.
_LINES = {"MCF7": ("breast", "adenocarcinoma"), "PC3": ("prostate", "adenocarcinoma")}
_LINES |= {"VCAP": ("prostate", "carcinoma"), "A549": ("lung", "carcinoma")}
_LINES |= {"HT29": ("large intestine", "adenocarcinoma"), "HCC515": ("lung", "carcinoma")}
_DOSES = (10.0, 1.11)  # micromolar


def regulation_twin(n_genes: int = 60, *, seed: int = 0) -> AnnData:
    """Simulate a table of regulators and targets with what real ones hold besides.

    Every tenth gene is a regulator, few of them of many targets; a tenth of the genes has no edge, two are a
    pair apart. Besides: a self loop, an edge twice, an edge in both directions, genes that no profile has.

    Parameters
    ----------
    n_genes : int
        20 at least; the genes of :func:`l1000_twin` with as many.
    seed : int

    Returns
    -------
    AnnData, 0 samples x genes
        As :func:`exprml.data.readers.mcdermott2020.regulation`.
    """
    symbols = table_of_genes(n_genes, by="symbol").index
    ends = [(symbols[a], symbols[b]) for a, b in _edges(n_genes, seed)]
    odd = [(symbols[0], symbols[0]), ends[0], ends[1][::-1], (symbols[0], "OTHER1"), ("OTHER2", "OTHER3")]
    edges = pd.DataFrame([*ends, *odd], columns=["source", "target"]).assign(weight=1.0)
    return as_graph(edges, [f"simulated: graph of {n_genes} genes, seed {seed}"])


def l1000_twin(
    n_genes: int = 60,
    *,
    n_lines: int = 4,
    n_mechanisms: int = 6,
    n_compounds: int = 5,
    n_replicates: int = 2,
    n_controls: int = 10,
    graph_effect: float = 1.0,
    level: int = 4,
    seed: int = 0,
) -> AnnData:
    """Simulate wells of several lines: compounds of known mechanisms, two doses, replicates on other plates.

    A value is level + line + plate (shift of every gene) + spread x (response of the line x dose x
    (mechanism + compound) + well's own state + noise). A mechanism hits some regulators and, as far as
    `graph_effect` says, all their neighbours alike; the rest of it lies on genes drawn at random, as many and
    as strong, so that only the place of the effect changes.

    Parameters
    ----------
    n_genes : int
        20 at least, SIM1 and so on.
    n_lines : int
        Up to six; each plate holds one.
    n_mechanisms, n_compounds : int
        Mechanisms, and compounds of each.
    n_replicates : int
        Plates of each line; all hold the same compounds.
    n_controls : int
        Wells of DMSO on a plate.
    graph_effect : float
        1: mechanisms follow the graph of :func:`regulation_twin`; 0: they do not.
    level : {3, 4}
        Log-like values, or plate z-scores of them.
    seed : int
        Of everything; the graph's is 0.

    Returns
    -------
    AnnData, wells x genes
        float32; obs and var as :mod:`exprml.data.readers.mcdermott2020` says.
    """
    if level not in (3, 4) or not 0 <= graph_effect <= 1 or not 1 <= n_lines <= len(_LINES):
        raise ParameterError(
            f"level {level}, graph_effect {graph_effect:g}, n_lines {n_lines}: give level 3 or 4, an effect "
            f"from 0 to 1 and 1 to {len(_LINES)} lines"
        )
    generator = np.random.default_rng(seed)
    along = _along_graph(generator, n_mechanisms, n_genes)
    elsewhere = along[:, generator.permutation(n_genes)]
    mechanisms = np.sqrt(graph_effect) * along + np.sqrt(1 - graph_effect) * elsewhere
    own = generator.standard_normal((n_mechanisms * n_compounds, n_genes))
    effects = 0.9 * np.repeat(mechanisms, n_compounds, axis=0) + 0.3 * own
    compounds, lines = range(n_mechanisms * n_compounds), list(_LINES)[:n_lines]
    places = [(f"SIM001_{line}_24H_X{copy + 1}", line) for line in lines for copy in range(n_replicates)]
    obs = pd.concat([wells(*place, compounds, _DOSES, n_controls) for place in places])
    compound, line = obs.pop("code").to_numpy(), pd.factorize(obs["cell_line"])[0]
    obs[["site", "subtype"]] = [_LINES[name] for name in obs["cell_line"]]
    obs["moa"] = np.where(compound < 0, "DMSO", [f"mechanism {one // n_compounds + 1}" for one in compound])
    response = np.exp(generator.normal(0, 0.4, (n_lines, n_genes)))
    strength = np.log1p(obs["dose"].to_numpy())[:, None] / np.log1p(_DOSES[0])
    X = strength * np.where(compound[:, None] >= 0, effects[compound], 0) * response[line]
    X += 0.3 * generator.standard_normal((len(X), 4)) @ generator.standard_normal((4, n_genes))
    X += generator.standard_normal(X.shape)
    X = X * generator.uniform(0.4, 1.0, n_genes) + generator.normal(8, 2, n_genes)
    X += generator.normal(0, 1.5, (n_lines, n_genes))[line]
    plates = pd.factorize(obs["plate"])[0]
    X += generator.normal(0, 0.4, (plates.max() + 1, n_genes))[plates]
    X = plate_scores(X, plates) if level == 4 else X
    var = table_of_genes(n_genes, by="symbol").assign(entrez="")
    step = f"{len(obs)} wells of {n_lines} lines, {n_genes} genes, {n_mechanisms} mechanisms, level {level}, "
    return made(X, obs, var, step + f"graph effect {graph_effect:g}, seed {seed}")


def _edges(n_genes: int, seed: int) -> list[tuple[int, int]]:
    """Return regulator and target of every edge, by position."""
    if n_genes < 20:
        raise ParameterError(f"n_genes {n_genes}: give at least 20")
    generator = np.random.default_rng([seed, 7])
    n_regulators, n_apart = n_genes // 10, n_genes // 10
    share = 1 / np.arange(1, n_regulators + 1)
    edges = [(n_genes - 2, n_genes - 1)]
    for gene in range(n_regulators, n_genes - 2 - n_apart):
        n = min(n_regulators, 1 + generator.poisson(0.5))
        edges += [
            (int(at), gene) for at in generator.choice(n_regulators, n, replace=False, p=share / share.sum())
        ]
    return edges


def _along_graph(generator: np.random.Generator, n_mechanisms: int, n_genes: int) -> np.ndarray:
    """Return effects (mechanisms x genes) that neighbours share; length of each about that of noise."""
    reach = np.eye(n_genes)
    for regulator, target in _edges(n_genes, 0):
        reach[regulator, target] = 1
    hit = generator.standard_normal((n_mechanisms, n_genes)) * (reach.sum(axis=1) > 1)
    effects = hit @ reach
    return effects * np.sqrt(n_genes) / np.linalg.norm(effects, axis=1, keepdims=True)
