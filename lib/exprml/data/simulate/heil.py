"""The simulations of heil2022, and the floor that survives removal."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import ParameterError
from exprml.data.simulate.parts import detection_floor, made


def heil_simulation(
    kind: str = "mixed",
    n_samples: int = 1000,
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
        Mixed has 2,500 features of each part; linear and noise have 2,500.
    n_samples : int
        The first half is blue, the rest red; each sample is its own study.
    distance : float
        Distance between the classes in standard deviations.
    nonlinear_share : float, optional
        For mixed: divide the features anew, this share of them nonlinear.
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
    total, share = (5000, 0.5) if kind == "mixed" else (2500, 0.0)
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
    plain = "noise" if kind == "noise" else "linear"
    signal = [plain] * (total - n_coins) + ["nonlinear"] * n_coins
    step = f"{kind}, {total} features, share nonlinear {share:g}, distance {distance:g}, seed {seed}"
    return _two_classes(X, n_samples // 2, signal, step)


def _check_simulation(kind: str, n_samples: int, nonlinear_share: float | None) -> None:
    """Raise if the arguments describe no two-class simulation."""
    if kind not in ("mixed", "linear", "noise"):
        raise ParameterError(f"kind {kind!r}: choose mixed, linear or noise")
    if n_samples < 2:
        raise ParameterError(f"n_samples {n_samples}: two classes need at least 2")
    if nonlinear_share is not None and not (kind == "mixed" and 0 <= nonlinear_share <= 1):
        raise ParameterError(f"nonlinear_share {nonlinear_share} with kind {kind!r}: mixed, and 0 to 1, only")


def floored_shift(n_samples: int = 1000, n_features: int = 500, *, floor: float | None = 0.0) -> AnnData:
    """Simulate a purely linear shift whose values below `floor` are set to it (experiment x-floor).

    Before the floor the classes differ in their mean alone. The floor cuts off more of the lower class, so
    after removal of the means the shapes still differ: "nonlinear signal" out of a linear one.

    Parameters
    ----------
    n_samples, n_features : int
        Size; the first half of the samples is blue, N(0, 1), the other red, N(1, 1).
    floor : float or None
        Values below become this value; None leaves the Gaussians whole.

    Returns
    -------
    AnnData
        float32, samples x features; obs: label, study; var: signal.
    """
    X = np.random.default_rng(0).standard_normal((n_samples, n_features), dtype=np.float32)
    X[n_samples // 2 :] += 1
    X = X if floor is None else detection_floor(X, level=floor)
    step = f"shift 1, floor {floor}, seed 0"
    return _two_classes(X, n_samples // 2, ["shift"] * n_features, step)


def _two_classes(X: np.ndarray, n_blue: int, signal: list[str], step: str) -> AnnData:
    """Wrap a matrix whose first `n_blue` samples are blue and the others red."""
    n_samples, n_features = X.shape
    ids = pd.Index([f"sample-{i:04d}" for i in range(1, n_samples + 1)], name="sample")
    label = pd.Categorical(["blue"] * n_blue + ["red"] * (n_samples - n_blue))
    obs = pd.DataFrame({"label": label, "study": ids.to_numpy()}, index=ids)
    names = pd.Index([f"feature-{i:04d}" for i in range(1, n_features + 1)], name="gene")
    var = pd.DataFrame({"signal": pd.Categorical(signal)}, index=names)
    return made(X, obs, var, step)
