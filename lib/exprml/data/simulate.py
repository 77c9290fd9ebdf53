"""Made data: the simulations of heil2022, a twin of GTEx, and the floor that survives removal.

All draws come from one seeded generator, so the same arguments give the same values everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import ParameterError

FLOOR = float(np.round(np.log2(0.001), 4))  # log2(TPM + 0.001) of an unseen gene, as the Toil files print it

# The five commonest tissues of GTEx first (heil2022, Data), then the others by size.
TISSUES = [
    "Blood",
    "Brain",
    "Skin",
    "Esophagus",
    "Blood Vessel",
    "Adipose Tissue",
    "Muscle",
    "Heart",
    "Colon",
    "Nerve",
    "Thyroid",
    "Lung",
    "Pancreas",
    "Breast",
    "Stomach",
    "Testis",
    "Adrenal Gland",
    "Pituitary",
    "Prostate",
    "Ovary",
    "Liver",
    "Small Intestine",
    "Vagina",
    "Spleen",
    "Uterus",
]


def heil_simulation(
    kind: str = "mixed",
    n_samples: int = 1000,
    n_linear: int = 2500,
    n_nonlinear: int = 2500,
    distance: float = 6.0,
    nonlinear_share: float | None = None,
    seed: int = 42,
    *,
    n_features: int | None = None,
) -> AnnData:
    """Simulate two classes with linear, linear and nonlinear, or no signal (heil2022, Data).

    Blue is N(0, 1) everywhere. Red is N(distance, 1) in linear features, and N(+distance, 1) or
    N(-distance, 1) by a coin for each value in nonlinear ones, so that both classes have mean zero there.

    Parameters
    ----------
    kind : {"mixed", "linear", "noise"}
        Mixed has both parts; linear and noise have `n_linear` features.
    n_samples : int
        The first half is blue, the rest red; each sample is its own study.
    n_linear, n_nonlinear : int
        Features of each part; the defaults are the paper's.
    distance : float
        Distance between the classes in standard deviations.
    nonlinear_share : float, optional
        For mixed: divide the same number of features anew, this share of them nonlinear.
    seed : int
        Of the only generator.
    n_features : int, optional
        Draw this many features instead, parts in proportion: thinner than the paper.

    Returns
    -------
    AnnData
        float32, samples x features; obs: label, study; var: signal ("linear", "nonlinear" or "noise").
    """
    _check_simulation(kind, n_samples, nonlinear_share)
    total = n_linear + n_nonlinear if kind == "mixed" else n_linear
    share = {"mixed": n_nonlinear / max(1, n_linear + n_nonlinear)}.get(kind, 0.0)
    share = share if nonlinear_share is None else nonlinear_share
    total = total if n_features is None else n_features
    n_coins = round(total * share)
    generator = np.random.default_rng(seed)
    X = generator.standard_normal((n_samples, total), dtype=np.float32)
    red = slice(n_samples // 2, None)
    if kind != "noise":
        shift = np.full((n_samples - n_samples // 2, total), distance, dtype=np.float32)
        shift[:, total - n_coins :] *= generator.choice([-1, 1], (len(shift), n_coins))
        X[red] += shift
    signal = (
        ["noise"] * total if kind == "noise" else ["linear"] * (total - n_coins) + ["nonlinear"] * n_coins
    )
    title = f"Simulation of heil2022: {kind}"
    step = f"{kind}, {total} features, share nonlinear {share:g}, distance {distance:g}, seed {seed}"
    return _two_classes(X, n_samples // 2, signal, "heil-simulation", title, step)


def _check_simulation(kind: str, n_samples: int, nonlinear_share: float | None) -> None:
    """Raise if the arguments describe no two-class simulation."""
    if kind not in ("mixed", "linear", "noise"):
        raise ParameterError(f"kind {kind!r}: choose mixed, linear or noise")
    if n_samples < 2:
        raise ParameterError(f"n_samples {n_samples}: two classes need at least 2")
    if nonlinear_share is not None and not (kind == "mixed" and 0 <= nonlinear_share <= 1):
        raise ParameterError(f"nonlinear_share {nonlinear_share} with kind {kind!r}: mixed, and 0 to 1, only")


def floored_shift(
    n_samples: int = 1000,
    n_features: int = 500,
    shift: float = 1.0,
    floor: float | None = 0.0,
    seed: int = 0,
) -> AnnData:
    """Simulate a purely linear shift whose values below `floor` are set to it (experiment x-floor).

    Before the floor the classes differ in their mean alone. The floor cuts off more of the lower class, so
    after removal of the means the shapes still differ: "nonlinear signal" out of a linear one.

    Parameters
    ----------
    n_samples, n_features : int
        Size; the first half of the samples is blue.
    shift : float
        Blue is N(0, 1), red is N(shift, 1).
    floor : float or None
        Values below become this value; None leaves the Gaussians whole.
    seed : int
        Of the only generator.

    Returns
    -------
    AnnData
        float32, samples x features; obs: label, study; var: signal.
    """
    X = np.random.default_rng(seed).standard_normal((n_samples, n_features), dtype=np.float32)
    X[n_samples // 2 :] += np.float32(shift)
    X = X if floor is None else detection_floor(X, level=floor)
    step = f"shift {shift:g}, floor {floor}, seed {seed}"
    return _two_classes(
        X, n_samples // 2, ["shift"] * n_features, "floored-shift", "Shift above a floor", step
    )


def detection_floor(
    X: np.ndarray, *, share: float | None = None, level: float | None = None, floor: float | None = None
) -> np.ndarray:
    """Return `X` with values below a detection level set to the floor.

    Parameters
    ----------
    X : ndarray
        Values on a log scale.
    share : float, optional
        Choose the level so that this share of all values lies below it; 0 changes nothing.
    level : float, optional
        The level itself; give `share` or `level`.
    floor : float, optional
        What undetected values become; default: the level.
    """
    if (share is None) == (level is None):
        raise ParameterError("give either share or level")
    if share == 0:
        return X.copy()
    level = float(np.quantile(X, share)) if level is None else level
    return np.where(level > X, level if floor is None else floor, X).astype(X.dtype)


def gtex_twin(
    n_tissues: int = 8,
    n_donors: int = 120,
    n_genes: int = 1000,
    *,
    nonlinear: float = 1.0,
    floor_share: float = 0.4,
    seed: int = 0,
) -> AnnData:
    """Simulate a data set with the schema of GTEx (Toil): tissues of unequal size, donors shared by tissues.

    A value is gene level + tissue profile + donor effect + sample effect (each of low rank) + sex + noise,
    and in the markers of a tissue a swing up or down together, by a coin per sample and module: mean zero,
    so linear removal leaves it. With ``nonlinear=0, floor_share=0`` removal leaves nothing to learn.

    Parameters
    ----------
    n_tissues : int
        At most 25; the five commonest of GTEx come first.
    n_donors : int
        Each gives a random part of the tissues, common ones more often.
    n_genes : int
        Genes with made-up ids.
    nonlinear : float
        Size of the swings; 1 is 2.5 standard deviations of the noise.
    floor_share : float
        Share of all values below detection, which become log2(0.001); about 0.55 in the real file.
    seed : int
        Of the only generator.

    Returns
    -------
    AnnData
        float32, log2(TPM + 0.001)-like; obs: tissue, donor, sex, cell_line, upstream_split; var: symbol,
        simulated.
    """
    if not 2 <= n_tissues <= len(TISSUES):
        raise ParameterError(f"n_tissues {n_tissues}: choose 2 to {len(TISSUES)}")
    generator = np.random.default_rng(seed)
    obs, tissue, donor = _twin_samples(generator, n_tissues, n_donors)
    X = generator.normal(1.0, 4.0, n_genes) + generator.standard_normal((len(obs), n_genes))
    X += 0.3 * _low_rank(generator, n_tissues, n_genes)[tissue]
    X += 0.3 * _low_rank(generator, n_donors, n_genes)[donor]
    X += 0.3 * _low_rank(generator, len(obs), n_genes)
    X[:, : max(1, n_genes // 200)] += 3.0 * (obs["sex"] == "male").to_numpy()[:, None]
    X += 2.5 * nonlinear * _swings(generator, tissue, n_tissues, n_genes)
    X = detection_floor(X.astype(np.float32), share=floor_share, floor=FLOOR)
    ids = [f"ENSGSIM{i:09d}.1" for i in range(1, n_genes + 1)]
    symbols = [f"SIM{i}" for i in range(1, n_genes + 1)]
    var = pd.DataFrame({"symbol": symbols, "simulated": True}, index=pd.Index(ids, name="gene"))
    step = f"{n_tissues} tissues, {n_donors} donors, {n_genes} genes, nonlinear {nonlinear:g}, "
    step += f"floor share {floor_share:g}, seed {seed}"
    return AnnData(X, obs=obs, var=var, uns=_provenance("gtex-twin", "A simulated twin of GTEx", step))


def _twin_samples(
    generator: np.random.Generator, n_tissues: int, n_donors: int
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return obs, tissue codes and donor codes: donors give tissues with falling probability."""
    given = generator.random((n_donors, n_tissues)) < np.linspace(0.95, 0.4, n_tissues)
    donor, tissue = np.nonzero(given)
    sex = np.where(generator.random(n_donors) < 0.6, "male", "female")
    obs = pd.DataFrame(
        {
            "tissue": pd.Categorical(np.array(TISSUES)[tissue]),
            "donor": [f"SIM{code + 1:04d}" for code in donor],
            "sex": sex[donor],
            "cell_line": "",
            "upstream_split": np.where(generator.random(len(donor)) < 0.79, "train", "test"),
        }
    )
    ids = [f"GTEX-{one}-{code:04d}-SIM" for one, code in zip(obs["donor"], tissue, strict=True)]
    return obs.set_index(pd.Index(ids, name="sample")), tissue, donor


def _low_rank(generator: np.random.Generator, n_rows: int, n_genes: int, rank: int = 8) -> np.ndarray:
    """Return profiles over genes (rows x genes) that share `rank` programmes of genes."""
    return generator.standard_normal((n_rows, rank)) @ generator.standard_normal((rank, n_genes))


def _swings(
    generator: np.random.Generator, tissue: np.ndarray, n_tissues: int, n_genes: int, n_modules: int = 5
) -> np.ndarray:
    """Return +-1 for the marker genes of each sample's tissue, one coin per sample and module, else 0."""
    swings = np.zeros((len(tissue), n_genes))
    n_markers = max(1, n_genes // 25)
    for code in range(n_tissues):
        markers = generator.permutation(n_genes)[:n_markers]
        direction = generator.choice([-1, 1], n_markers)
        rows = np.flatnonzero(tissue == code)
        coins = generator.choice([-1, 1], (len(rows), n_modules))
        swings[np.ix_(rows, markers)] = coins[:, np.arange(n_markers) % n_modules] * direction
    return swings


def _two_classes(
    X: np.ndarray, n_blue: int, signal: list[str], dataset: str, title: str, step: str
) -> AnnData:
    """Wrap a matrix whose first `n_blue` samples are blue and the others red."""
    n_samples, n_features = X.shape
    ids = pd.Index([f"sample-{i:04d}" for i in range(1, n_samples + 1)], name="sample")
    label = pd.Categorical(["blue"] * n_blue + ["red"] * (n_samples - n_blue))
    obs = pd.DataFrame({"label": label, "study": ids.to_numpy()}, index=ids)
    names = pd.Index([f"feature-{i:04d}" for i in range(1, n_features + 1)], name="gene")
    var = pd.DataFrame({"signal": pd.Categorical(signal)}, index=names)
    return AnnData(X, obs=obs, var=var, uns=_provenance(dataset, title, step))


def _provenance(dataset: str, title: str, step: str) -> dict[str, Any]:
    """Return uns with the provenance of made data."""
    steps = [f"simulated: {step}"]
    return {"provenance": {"dataset": dataset, "title": title, "role": "twin", "files": {}, "steps": steps}}
