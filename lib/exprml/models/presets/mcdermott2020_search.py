"""mcdermott2020: the distributions its random search drew settings from (public code), and nothing tuned.

Graph networks are drawn with one graph layer that pools pairs, which all published optima have. Where the
code left the number of epochs of a linear model open, scikit-learn of its time ran 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from sklearn.model_selection import ParameterSampler


@dataclass(frozen=True)
class Mixture:
    """One of several distributions, each as likely."""

    parts: tuple

    def rvs(self, random_state: Any) -> Any:
        """Draw a part, then a value of it."""
        return self.parts[random_state.randint(len(self.parts))].rvs(random_state=random_state)


@dataclass(frozen=True)
class Layers:
    """Widths of hidden layers: a first one, and what each next adds to or multiplies it by.

    Attributes
    ----------
    first : distribution
    least : int
        Smallest number of layers; each further one comes with chance 1/2.
    step : int
        Added to the width from layer to layer; a width that falls below 1 is left out.
    factors : tuple of float
        One is drawn for each next layer; none: every width is drawn from `first`.
    """

    first: Any
    least: int = 1
    step: int = 0
    factors: tuple = ()

    def rvs(self, random_state: Any) -> tuple[int, ...]:
        """Draw the widths."""
        depth = self.least - 1 + stats.geom(0.5).rvs(random_state=random_state)
        widths = [float(self.first.rvs(random_state=random_state)) for _ in range(depth)]
        for i in range(1, depth if self.factors else 0):
            widths[i] = widths[i - 1] * random_state.choice(self.factors) + self.step
        return tuple(round(one) for one in widths if one >= 1)


_WIDE, _NARROWER = stats.poisson(978), Mixture(tuple(map(stats.poisson, (200, 500, 978))))
_LAYERS = (Layers(_WIDE, step=-200, factors=(1.0,)), Layers(_WIDE, factors=(0.75,)), Layers(_NARROWER))
_TREE = {
    "criterion": ["gini", "gini", "entropy"],
    "min_weight_fraction_leaf": stats.beta(1, 100, scale=0.5),
    "min_impurity_decrease": stats.beta(1, 1000),
}
SPACES: dict[str, dict[str, Any]] = {
    "linear": {
        "loss": ["hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"],
        "penalty": ["l2", "l1", "elasticnet"],
        "alpha": stats.truncexpon(8),
        "l1_ratio": stats.uniform(),
        "learning_rate": ["optimal", "invscaling", "constant"],
        "eta0": stats.lognorm(3, scale=np.exp(-6)),
        "power_t": stats.lognorm(1.5, scale=np.exp(-2)),
        "max_iter": [5],
        "tol": [None],
    },
    "ff-ann": {
        "alpha": stats.truncexpon(8),
        "activation": ["logistic", "tanh", "relu"],
        "solver": ["lbfgs", "sgd", "adam"],
        "learning_rate": ["constant", "invscaling", "adaptive"],
        "learning_rate_init": stats.truncexpon(2),
        "power_t": stats.uniform(),
        **{name: [True, False] for name in ("nesterovs_momentum", "early_stopping")},
        "max_iter": stats.randint(100, 400),
        **dict.fromkeys(("momentum", "beta_1"), stats.beta(90, 10)),
        "beta_2": stats.beta(999, 1),
        "epsilon": stats.beta(1, 1e8),
        "hidden_layer_sizes": Mixture(_LAYERS),
    },
    "knn": {"n_neighbors": stats.geom(0.1), "weights": ["uniform", "distance"]},
    "forest": _TREE
    | {
        "n_estimators": Mixture(tuple(map(stats.poisson, (50, 200, 400)))),
        "max_depth": [None, 10, 25, 100],
        "min_samples_split": stats.geom(0.8, loc=1),
        "min_samples_leaf": stats.geom(0.8),
        "max_leaf_nodes": [None, 25, 100, 250, 500],
    },
    "tree": _TREE
    | {
        "max_depth": [None, 2, 5, 10, 25, 100],
        "splitter": ["best", "best", "random"],
        "min_samples_split": stats.geom(0.9, loc=1),
        "min_samples_leaf": stats.geom(0.9),
        "max_leaf_nodes": [None, 2, 5, 10, 25, 100],
        "max_features": [None, "sqrt", "log2", 10, 25, 100, 250],
    },
    "gcnn": {
        "batch_size": stats.randint(15, 150),
        "weight_decay": stats.beta(1, 99),
        "dropout": stats.beta(6, 9),  # 1 less the share that is kept, Beta(9, 6)
        "learning_rate": stats.beta(1, 250),
        "schedule_factor": stats.beta(98, 2),
        "schedule_steps": stats.poisson(390),
        "momentum": stats.beta(23.25, 1.75),
        "hidden": Layers(stats.poisson(150), least=0, factors=(0.5, 1.0, 2.0)),
        "pooling": ["mean", "max", "max"],
        "n_filters": stats.randint(5, 45),
        "order": stats.randint(2, 35),
        "epochs": [200, 300, 350],
    },
}


def draws(kind: str, n: int, seed: int) -> list[dict[str, Any]]:
    """Return `n` settings of a kind of model, drawn as the paper's search draws them.

    Parameters
    ----------
    kind : str
        One of `SPACES`.
    n, seed : int
        How many, and from which random stream.
    """
    return list(ParameterSampler(SPACES[kind], n, random_state=seed))
