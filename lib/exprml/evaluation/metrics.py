"""What a prediction is worth: numbers, or one number for each class or target."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.metrics import accuracy_score, mean_absolute_error, recall_score

Metric = Callable[[np.ndarray, np.ndarray], "float | Mapping[str, float]"]


def balanced_accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean recall over the classes present in `truth` (heil2022, Model evaluation)."""
    return float(np.mean(list(recall_per_class(truth, predicted).values())))


def recall_per_class(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return the share of each class's samples that were recognised, for the classes present in `truth`."""
    classes = np.unique(truth)
    recalls = recall_score(truth, predicted, labels=classes, average=None, zero_division=0)
    return {str(name): float(recall) for name, recall in zip(classes, recalls, strict=True)}


def chance(truth: np.ndarray, predicted: np.ndarray | None = None) -> float:
    """Return the balanced accuracy of guessing: one over the number of classes present in `truth`."""
    return 1 / len(np.unique(truth))


def error_per_target(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return the mean absolute error of each target (gene), by position."""
    errors = mean_absolute_error(truth, predicted, multioutput="raw_values")
    return {str(i): float(error) for i, error in enumerate(errors)}


METRICS: dict[str, Metric] = {
    "balanced_accuracy": balanced_accuracy,
    "accuracy": lambda truth, predicted: float(accuracy_score(truth, predicted)),
    "recall": recall_per_class,
    "chance": chance,
    "mean_absolute_error": lambda truth, predicted: float(mean_absolute_error(truth, predicted)),
    "target_error": error_per_target,
}
