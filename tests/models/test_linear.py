"""Converged linear models against scikit-learn's."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from exprml.base.errors import DataError
from exprml.models.estimators import check_labels
from exprml.models.linear import ConvergedLogisticRegression, _mean_recall


@parametrize_with_checks([ConvergedLogisticRegression(C=(0.01, 1.0))])
def test_scikit_learn(estimator, check):
    check(estimator)


def classes(n=200, d=30, k=4, seed=0):
    random = np.random.default_rng(seed)
    y = random.integers(0, k, n)
    centres = 0.4 * random.normal(size=(k, d))
    mixing = random.normal(size=(5, d))
    X = centres[y] + random.normal(size=(n, d)) + random.normal(size=(n, 5)) @ mixing
    return X * random.uniform(0.1, 10, d), np.array(list("wxyz"))[y]


@pytest.mark.parametrize("C", [0.01, 1.0])
@pytest.mark.parametrize(("n", "d", "k"), [(200, 30, 4), (40, 90, 3), (120, 20, 2)])
def test_coefficients_equal_scikit_learns(n, d, k, C):
    X, y = classes(n, d, k)
    mean, scale = X.mean(0), X.std(0)
    ours = ConvergedLogisticRegression(C=C).fit(X, y)
    theirs = LogisticRegression(C=2 * C if k == 2 else C, class_weight="balanced", tol=1e-9, max_iter=10**5)
    theirs.fit((X - mean) / scale, y)
    assert ours.converged_
    # with two classes scikit-learn has one vector w for our w/2 and -w/2, half the penalty
    slopes = ours.coef_ * scale if k > 2 else (ours.coef_[1:] - ours.coef_[:1]) * scale
    np.testing.assert_allclose(slopes, theirs.coef_, atol=1e-3)


def test_penalty_is_chosen_by_inner_folds_and_ties_go_to_the_strongest():
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 50)
    X = random.normal(size=(100, 20)) + 4 * y[:, None]
    model = ConvergedLogisticRegression().fit(X, y)
    assert set(model.scores_.values()) == {1.0}
    assert model.C_ == 1e-4


def test_inner_folds_keep_groups_whole():
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 10)
    folds = ConvergedLogisticRegression()._inner_folds(random.integers(0, 2, 120), groups)
    assert len(folds) == 3
    assert all(not set(groups[train]) & set(groups[test]) for train, test in folds)


def test_a_class_missing_from_an_inner_fold_is_no_obstacle():
    X, y = classes()
    groups = np.where(y == "z", 999, np.arange(len(y)))  # one group holds the whole class
    model = ConvergedLogisticRegression(C=(0.01, 0.1)).fit(X, y, groups)
    assert model.converged_
    assert set(model.predict(X)) == set("wxyz")


def test_too_few_steps_are_reported():
    X, y = classes()
    with pytest.warns(ConvergenceWarning, match="C=100 did not converge in 2 steps"):
        model = ConvergedLogisticRegression(C=100.0, max_iterations=2).fit(X, y)
    assert not model.converged_


def test_mean_recall_by_hand():
    # class 0: 1 of 2; class 2: 1 of 1; class 1 is absent
    assert _mean_recall(np.array([0, 0, 2]), np.array([0, 1, 2])) == 0.75


def test_equal_class_means_put_the_optimum_at_zero():
    """heil2022, public code and x-below-chance: after removal a converged model knows nothing."""
    X, y = classes()
    for label in "wxyz":
        X[y == label] -= X[y == label].mean(0)
    model = ConvergedLogisticRegression(C=1.0).fit(X, y)
    assert np.abs(model.coef_).max() < 1e-6


def test_single_class_is_named():
    with pytest.raises(DataError, match="one class only"):
        ConvergedLogisticRegression().fit(np.eye(3), [1, 1, 1])


def test_few_samples_of_many_classes_raise_no_doubt_but_numbers_are_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_labels(np.array(list("abcdefghijklmnopqrstuvwxyzabcd")))
    with pytest.raises(ValueError, match="Unknown label type"):
        check_labels(np.linspace(0, 1, 30))
