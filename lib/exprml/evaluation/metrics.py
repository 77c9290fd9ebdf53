"""What a prediction is worth: numbers, or one number for each class or target."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, mean_squared_error

Metric = Callable[[np.ndarray, np.ndarray], "float | Mapping[str, float]"]


def balanced_accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean recall over the classes present in `truth` (heil2022, Model evaluation)."""
    return float(_recalls(truth, predicted)[1].mean())


def recall_per_class(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return the share of each class's samples that were recognised, for the classes present in `truth`."""
    return {str(name): float(recall) for name, recall in zip(*_recalls(truth, predicted), strict=True)}


def _recalls(truth: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes and their recalls: fast enough for thousands of draws."""
    classes, code = np.unique(np.asarray(truth), return_inverse=True)
    right = np.asarray(truth) == np.asarray(predicted)
    return classes, np.bincount(code, weights=right) / np.bincount(code)


def relative_squared_error(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the squared error over that of predicting zero: 1 keeps nothing, 0 everything."""
    return float(np.square(truth - predicted).sum() / np.square(truth).sum())


METRICS: dict[str, Metric] = {
    "balanced_accuracy": balanced_accuracy,
    "accuracy": lambda truth, predicted: float(accuracy_score(truth, predicted)),
    "macro_f1": lambda truth, predicted: float(f1_score(truth, predicted, average="macro")),
    "recall": recall_per_class,
    "mean_absolute_error": lambda truth, predicted: float(mean_absolute_error(truth, predicted)),
    "mean_squared_error": lambda truth, predicted: float(mean_squared_error(truth, predicted)),
    "relative_squared_error": relative_squared_error,
}
