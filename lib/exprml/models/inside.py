"""Look inside a fitted network: what its last hidden layer says, which weights stand out, where they meet.

chen2016, section 3.3: the last hidden layer as features for a linear model (Supp Fig S2), and the map of the
strongest weights of a network with one hidden layer (Supp Fig S3).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from exprml.base.errors import ParameterError
from exprml.models.layers import ends
from exprml.models.networks import NetworkRegressor
from exprml.models.training import predict_batches


def untrained(network: NetworkRegressor) -> NetworkRegressor:
    """Return a fitted network's twin with the weights it began with: the two differ in what training did."""
    twin = copy(network)
    twin.module_ = network._draw_module(*ends(network.module_)).to(next(network.module_.parameters()).device)
    return twin


def hidden_features(network: NetworkRegressor, X: np.ndarray) -> np.ndarray:
    """Return the last hidden layer's outputs, (samples, units), without dropout.

    Parameters
    ----------
    network : NetworkRegressor
        Fitted, with at least one hidden layer.
    X : array, (samples, features)

    Raises
    ------
    ParameterError
        If there is no hidden layer.
    """
    places = [place for place, layer in enumerate(network.module_) if isinstance(layer, nn.Linear)]
    if len(places) < 2:
        raise ParameterError("hidden=(): a network without a hidden layer has no hidden features")
    return predict_batches(network.module_[: places[-1]], np.asarray(X, dtype=np.float32)).numpy()


def layer_weights(network: NetworkRegressor) -> list[np.ndarray]:
    """Return each linear layer's weights as (from, to) arrays, inputs first."""
    layers = [layer for layer in network.module_ if isinstance(layer, nn.Linear)]
    return [layer.weight.detach().cpu().numpy().T.copy() for layer in layers]


def major_weights(
    into: np.ndarray, out: np.ndarray, *, input_sds: float = 4.0, output_sds: float = 5.0
) -> pd.DataFrame:
    """Return the weights that stand out, as chen2016's Supp Fig S3 keeps them.

    A weight into the hidden layer is kept if it lies more than `input_sds` standard deviations from the mean
    of that *input's* weights; one out of it if more than `output_sds` from the mean of that *output's*.

    Parameters
    ----------
    into, out : arrays, (inputs, hidden units) and (hidden units, outputs)
        As `layer_weights` returns them for a network with one hidden layer.

    Returns
    -------
    DataFrame
        layer (0 into, 1 out of the hidden layer), start, end (places of the nodes), weight.
    """
    parts = []
    for layer, (weights, axis, sds) in enumerate(((into, 1, input_sds), (out, 0, output_sds))):
        centre = weights.mean(axis=axis, keepdims=True)
        start, end = np.nonzero(np.abs(weights - centre) > sds * weights.std(axis=axis, keepdims=True))
        edges = {"layer": layer, "start": start, "end": end, "weight": weights[start, end]}
        parts.append(pd.DataFrame(edges))
    return pd.concat(parts, ignore_index=True)


def permuted_weights(into: np.ndarray, out: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return both layers with each input's and each output's weights dealt to other hidden units.

    Every input and every output keeps its weights, and so as many major ones; hubs can only be chance.
    """
    random = np.random.default_rng(seed)
    return random.permuted(into, axis=1), random.permuted(out, axis=0)


def hidden_units(edges: pd.DataFrame, n_hidden: int) -> pd.DataFrame:
    """Return what each hidden unit holds of the major weights.

    Parameters
    ----------
    edges : DataFrame
        From `major_weights`.
    n_hidden : int
        Number of hidden units.

    Returns
    -------
    DataFrame
        A row per unit: `edges` (major weights into and out of it), `into`, `out`, and `into_purity`,
        `out_purity`: the share of the commoner sign, NaN without edges there.
    """
    table: dict[str, Any] = {}
    for side, layer, column in (("into", 0, "end"), ("out", 1, "start")):
        part = edges[edges["layer"] == layer]
        unit, positive = part[column].to_numpy(dtype=int), part["weight"].to_numpy() > 0
        count = np.bincount(unit, minlength=n_hidden)
        share = np.bincount(unit, weights=positive, minlength=n_hidden) / np.where(count, count, np.nan)
        table |= {side: count, f"{side}_purity": np.maximum(share, 1 - share)}
    return pd.DataFrame(table | {"edges": table["into"] + table["out"]})


def map_numbers(edges: pd.DataFrame, sizes: Sequence[int], *, hubs: int = 10) -> dict[str, float]:
    """Return as numbers what chen2016 reads off its map of strong weights: nodes with an edge, hubs, signs.

    Parameters
    ----------
    edges : DataFrame
        From `major_weights`.
    sizes : sequence of 3 int
        Number of inputs, hidden units and outputs.
    hubs : int
        So many hidden units with most edges *out* are asked for the sign of these.

    Returns
    -------
    dict
        edges; inputs_kept and outputs_kept (shares with an edge); largest_hub (edges of the busiest unit).
        With edges also units_with_half (the share of the hidden units, busiest first, that it takes to hold
        half of them) and concentration (1 minus that); with edges out of the hidden layer purity (mean share
        of the commoner sign, over the hubs).
    """
    units = hidden_units(edges, sizes[1])
    into, out = edges[edges["layer"] == 0], edges[edges["layer"] == 1]
    found = {
        "edges": len(edges),
        "inputs_kept": into["start"].nunique() / sizes[0],
        "outputs_kept": out["end"].nunique() / sizes[2],
        "largest_hub": int(units["edges"].max()),
    }
    if len(edges):
        held = units["edges"].sort_values(ascending=False).cumsum()
        found["units_with_half"] = float(((held < len(edges) / 2).sum() + 1) / sizes[1])
        found["concentration"] = 1 - found["units_with_half"]
    if len(out):
        found["purity"] = float(units.nlargest(hubs, "out").query("out > 0")["out_purity"].mean())
    return found
