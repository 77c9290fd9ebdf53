import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exprml.base.errors import DataError, ParameterError, UnknownNameError
from exprml.evaluation import compare
from exprml.evaluation.metrics import balanced_accuracy

DIFFERENCES = [0.02, 0.05, -0.01, 0.04, 0.03]


def scores(a, b):
    """Return a table of two models over five folds."""
    rows = [("a", fold, value) for fold, value in enumerate(a)]
    rows += [("b", fold, value) for fold, value in enumerate(b)]
    table = pd.DataFrame(rows, columns=["model", "fold", "value"])
    return table.assign(seed=0, n_train=80, metric="balanced_accuracy", task="t")


def test_corrected_interval_by_hand():
    # mean 0.026, sample variance 0.00053; Nadeau-Bengio: (1/5 + 1/4) * s^2; t(0.975, 4) = 2.7764451
    estimate = compare.interval(DIFFERENCES, 0.25)
    half = 2.7764451051977987 * np.sqrt(0.45 * 0.00053)
    assert estimate.mean == pytest.approx(0.026)
    assert estimate.low == pytest.approx(0.026 - half)
    assert estimate.high == pytest.approx(0.026 + half)
    assert estimate.p_value == pytest.approx(2 * stats.t.sf(0.026 / np.sqrt(0.45 * 0.00053), 4))


def test_without_correction_it_is_the_ordinary_t_test():
    ordinary = stats.ttest_1samp(DIFFERENCES, 0)
    assert compare.interval(DIFFERENCES, 0).p_value == pytest.approx(ordinary.pvalue)


def test_paired_difference_pairs_folds_whatever_the_row_order():
    a = np.array([0.9, 0.8, 0.7, 0.95, 0.85])
    table = scores(a, a - DIFFERENCES).sample(frac=1, random_state=0)
    assert np.allclose(compare.paired_difference(table, "a", "b"), compare.interval(DIFFERENCES, 0.25))
    assert compare.paired_difference(table, "b", "a").mean == pytest.approx(-0.026)


def test_paired_difference_refuses_mixed_training_sizes_and_unknown_models():
    table = scores([0.9, 0.8], [0.7, 0.6])
    mixed = pd.concat([table, table.assign(n_train=40)])
    with pytest.raises(DataError, match="a fold occurs more than once"):
        compare.paired_difference(mixed, "a", "b")
    with pytest.raises(UnknownNameError, match="unknown model 'c'"):
        compare.paired_difference(table, "a", "c")
    with pytest.raises(DataError, match="share no fold"):
        compare.paired_difference(pd.concat([table[:2], table[2:].assign(fold=[7, 8])]), "a", "b")


def test_a_test_against_chance_is_two_sided():
    below = compare.interval([0.40, 0.42, 0.41, 0.43, 0.40], 0.25, reference=0.5)
    above = compare.interval([0.60, 0.58, 0.59, 0.57, 0.60], 0.25, reference=0.5)
    assert below.p_value == pytest.approx(above.p_value)
    assert below.p_value < 0.01
    assert below.high < 0.5 < above.low


def test_scores_all_at_chance_are_no_evidence():
    estimate = compare.interval([0.125] * 5, 0.25, reference=0.125)
    assert (estimate.p_value, estimate.low, estimate.high) == (1.0, 0.125, 0.125)
    assert compare.interval([0.5] * 5, 0.25, reference=0.125).p_value == 0.0


def test_correction_keeps_the_error_rate_where_the_plain_test_does_not():
    # Scores whose correlation is that of overlapping training sets: 1/5 of the variance is shared.
    generator = np.random.default_rng(0)
    shared, own = generator.normal(size=(600, 1)), generator.normal(size=(600, 5))
    runs = np.sqrt(0.2) * shared + np.sqrt(0.8) * own
    plain = np.mean([compare.interval(run, 0).p_value < 0.05 for run in runs])
    corrected = np.mean([compare.interval(run, 0.25).p_value < 0.05 for run in runs])
    assert corrected < 0.08 < plain


@pytest.mark.parametrize("values", [[0.5], [0.5, np.nan, 0.4]])
def test_too_few_or_missing_values(values):
    with pytest.raises(DataError, match="at least two, none NaN"):
        compare.interval(values)


def test_benjamini_hochberg_by_hand():
    adjusted = compare.benjamini_hochberg([0.01, 0.04, 0.03, np.nan, 0.005])
    assert np.allclose(adjusted, [0.02, 0.04, 0.04, np.nan, 0.02], equal_nan=True)
    with pytest.raises(ParameterError, match="between 0 and 1"):
        compare.benjamini_hochberg([0.5, 1.5])


def test_group_bootstrap_is_wider_than_sample_bootstrap():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 10)
    truth = generator.integers(0, 2, 200)
    right = np.repeat(generator.random(20) < 0.7, 10)  # a donor is right or wrong as a whole
    predicted = np.where(right, truth, 1 - truth)
    arguments = {"reference": 0.5, "n_draws": 150}
    whole = compare.group_bootstrap(truth, predicted, groups, balanced_accuracy, **arguments)
    single = compare.group_bootstrap(truth, predicted, np.arange(200), balanced_accuracy, **arguments)
    assert whole.mean == balanced_accuracy(truth, predicted)
    assert whole.high - whole.low > 2 * (single.high - single.low)
    assert whole.p_value > single.p_value


@pytest.mark.parametrize(("n", "tested"), [(4, False), (5, True)])
def test_fewer_than_five_replicates_give_an_interval_and_no_p_value(n, tested):
    estimate = compare.interval([0.3, 0.31, 0.32, 0.33, 0.34][:n])
    assert estimate.low < estimate.high
    assert np.isfinite(estimate.p_value) == tested
    assert np.isfinite(compare.interval([0.5] * n).p_value) == tested
    truth, groups = np.tile([0, 1], n), np.repeat(np.arange(n), 2)
    drawn = compare.group_bootstrap(truth, truth, groups, balanced_accuracy, reference=0.5, n_draws=40)
    assert np.isfinite(drawn.p_value) == tested


def test_smoothing_needs_thirty_points():
    x = np.arange(29)
    with pytest.raises(DataError, match="29 points are too few"):
        compare.smooth_curve(x, x)


def test_smooth_curve_follows_a_line_within_its_band():
    x = np.tile(np.arange(10.0, 101, 10), 5)
    y = 0.5 + x / 400 + np.random.default_rng(0).normal(0, 0.01, len(x))
    curve = compare.smooth_curve(x, y)
    assert np.abs(curve["y"] - (0.5 + curve["x"] / 400)).max() < 0.01
    assert ((curve["low"] <= curve["y"]) & (curve["y"] <= curve["high"])).mean() > 0.9


def test_differences_are_taken_at_full_size_apart_for_each_setting_and_adjusted_together():
    a, b = np.array([0.9, 0.8, 0.7, 0.95, 0.85]), np.array([0.85, 0.8, 0.72, 0.9, 0.8])
    removed = scores(b, a).assign(setting="removed")
    small = scores(a * 0, a).assign(setting="intact", n_train=8)
    shuffled = scores(a * 0, a).assign(setting="intact", control="shuffled labels")
    intact = scores(a, b).assign(setting="intact")
    table = pd.concat([intact, small, removed, shuffled]).fillna({"control": ""})
    found = compare.differences(table, {"a - b": ("a", "b")})
    assert list(found["comparison"]) == ["intact: a - b", "removed: a - b"]
    for row, part in zip(found.itertuples(), (intact, removed), strict=True):
        assert (row.mean, row.low) == compare.paired_difference(part, "a", "b")[:2]
    assert np.allclose(found["p"], compare.benjamini_hochberg(found["p_value"]))
    other = table.assign(metric="accuracy")
    assert compare.differences(other, {"a - b": ("a", "b")}, metric="accuracy").equals(found)
