"""What the twin was built for: linear removal leaves the nonlinear part and the floor, and nothing else."""

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifier

from exprml.data.simulate import gtex_twin
from exprml.evaluation.compare import against_chance
from exprml.evaluation.scoring import cross_validate


def scores(nonlinear, floor_share, removal="split"):
    """Return per-fold balanced accuracy of a linear model and a forest on a small twin."""
    twin = gtex_twin(n_tissues=4, n_donors=60, n_genes=200, nonlinear=nonlinear, floor_share=floor_share)
    models = {"linear": RidgeClassifier(100), "forest": RandomForestClassifier(100, random_state=0)}
    table = cross_validate(models, twin, "tissue", "donor", folds=3, removal=removal)
    return table.pivot(index="fold", columns="model", values="value")


def test_intact_twin_is_easy():
    assert scores(1, 0.4, "none").to_numpy().min() > 0.7


@pytest.mark.parametrize(("nonlinear", "floor_share"), [(1, 0), (0, 0.4)])
def test_forest_sees_the_nonlinear_part_or_the_floor(nonlinear, floor_share):
    values = scores(nonlinear, floor_share)
    assert values["forest"].min() > 0.35
    assert abs(values["linear"].mean() - 0.25) < 0.03


def test_without_both_nothing_is_left():
    values = scores(0, 0)
    assert abs(values["linear"].mean() - 0.25) < 0.03
    assert abs(values["forest"].mean() - 0.25) < 0.06
    assert against_chance(values["forest"], 0.25, test_ratio=0.5).p_value > 0.05
