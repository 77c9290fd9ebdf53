"""mcdermott2020: the distributions its random search drew settings from (public code), and nothing tuned.

Graph networks are drawn with one graph layer that pools pairs, which all published optima have. Where the
code left the number of epochs of a linear model open, scikit-learn of its time ran 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy import stats
from sklearn.model_selection import ParameterSampler

from exprml.base.files import from_yaml


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


def _read(given: Any) -> Any:
    """Return a list as it is, and a distribution made of its name and parameters."""
    if not isinstance(given, dict):
        return given
    (name, parameters), *more = given.items()
    parts = [_read(one) for one in (parameters if isinstance(parameters, list) else [parameters])]
    kinds = {"mixture": lambda *parts: Mixture(parts), "layers": Layers}
    return kinds.get(name, getattr(stats, name, None))(*parts, **dict(more))


_TABLE = from_yaml(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8"))
SPACES = {kind: {name: _read(one) for name, one in drawn.items()} for kind, drawn in _TABLE.items()}


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
