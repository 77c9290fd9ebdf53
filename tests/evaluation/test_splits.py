import numpy as np
import pytest

from exprml.base.errors import DataError, ParameterError
from exprml.evaluation import parts, splits

SEEDS = range(8)


def donors(seed, n_donors=23, n_samples=200):
    """Return random groups and two-class labels."""
    generator = np.random.default_rng(seed)
    groups = np.array([f"donor-{i}" for i in generator.integers(0, n_donors, n_samples)])
    return groups, generator.integers(0, 2, n_samples)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("stratify", [False, True])
def test_no_group_on_both_sides_and_every_sample_validated_once(seed, stratify):
    groups, y = donors(seed)
    validated = []
    for train, validation in splits.GroupFolds(5, seed, stratify=stratify).split(y, y, groups):
        assert not set(groups[train]) & set(groups[validation])
        assert len(train) + len(validation) == len(y)
        validated.append(validation)
    assert np.array_equal(np.sort(np.concatenate(validated)), np.arange(len(y)))


@pytest.mark.parametrize("seed", SEEDS)
def test_paper_folds_have_equal_group_counts(seed):
    groups, y = donors(seed)
    pairs = splits.GroupFolds(5, seed).split(y, None, groups)
    counts = [len(set(groups[validation])) for _, validation in pairs]
    assert sorted(counts) == [4, 4, 5, 5, 5]  # 23 donors


def test_paper_folds_follow_groups_not_sample_order():
    groups, y = donors(0)
    order = np.random.default_rng(1).permutation(len(y))
    first = [set(groups[v]) for _, v in splits.GroupFolds(4, 3).split(y, None, groups)]
    second = [set(groups[order][v]) for _, v in splits.GroupFolds(4, 3).split(y, None, groups[order])]
    assert first == second


def test_seed_changes_the_folds_and_repeats_them():
    groups, y = donors(0)

    def first_fold(seed):
        return set(groups[next(iter(splits.GroupFolds(5, seed).split(y, None, groups)))[1]])

    assert first_fold(0) == first_fold(0)
    assert len({frozenset(first_fold(seed)) for seed in SEEDS}) > 1


def test_stratified_folds_balance_classes_where_paper_folds_do_not():
    groups = np.repeat(np.arange(100), 2)
    y = np.repeat(np.arange(100) < 20, 2).astype(int)  # 20 of 100 donors are in class 1

    def spread(stratify):
        folds = [splits.GroupFolds(5, seed, stratify=stratify).split(y, y, groups) for seed in SEEDS]
        return np.std([y[validation].mean() for fold in folds for _, validation in fold])

    assert spread(True) < 0.3 * spread(False)


def test_sample_folds_leak_groups():
    groups, y = donors(0)
    train, validation = next(iter(parts.SPLITS["sample"](5, 0).split(y, y)))
    assert set(groups[train]) & set(groups[validation])
    with pytest.raises(DataError, match="stand on both sides"):
        splits.assert_groups_apart(groups, train, validation)


@pytest.mark.parametrize("seed", SEEDS)
def test_pretraining_parts_are_40_40_20_and_apart(seed):
    groups = np.repeat(np.arange(50), 3)
    validated = set()
    for rows in splits.pretraining_split(groups, seed=seed):
        assert [len(set(groups[part])) for part in rows] == [20, 20, 10]
        splits.assert_groups_apart(groups, *rows)
        assert len(np.unique(np.concatenate(rows))) == len(groups)
        validated |= set(groups[rows.validation])
    assert validated == set(range(50))


def test_leak_is_named():
    with pytest.raises(DataError, match=r"1 groups stand on both sides .* 'b'"):
        splits.assert_groups_apart(["a", "b", "b", "c"], [0, 1], [2, 3])
    splits.assert_groups_apart(["a", "b", "b", "c"], [0], [1, 2], [3])


def test_subsets_have_the_asked_size():
    subsets = splits.learning_curve_subsets(50, (0.1, 0.5, 1.0), seed=3)
    assert {share: len(subset) for share, subset in subsets.items()} == {0.1: 5, 0.5: 25, 1.0: 50}
    assert np.array_equal(subsets[1.0], np.arange(50))
    assert all(len(set(subset)) == len(subset) for subset in subsets.values())


def test_small_subsets_do_not_lie_inside_larger_ones():
    found = [splits.learning_curve_subsets(50, (0.2, 0.5), seed) for seed in SEEDS]
    assert not any(set(one[0.2]) <= set(one[0.5]) for one in found)


@pytest.mark.parametrize("fraction", [0, -0.1, 1.01])
def test_fraction_outside_is_named(fraction):
    with pytest.raises(ParameterError, match=str(fraction)):
        splits.learning_curve_subsets(10, (0.5, fraction))


GROUPS = np.repeat(np.arange(6), 2)
LABELS = np.array(["common"] * 8 + ["rare"] * 4)  # 4 and 2 groups


@pytest.mark.parametrize(
    ("n_splits", "y", "groups", "message"),
    [
        (3, LABELS, GROUPS, r"3 folds in class 'rare' \(2 groups\)"),
        (7, None, GROUPS, "6 groups cannot be cut into 7 folds"),
        (2, ["one"] * 12, GROUPS, "single class 'one'"),
        (2, LABELS, GROUPS[:5], "groups has 5 entries for 12 samples"),
        (2, LABELS, np.array(["a", None] * 6, dtype=object), "6 of 12 samples have no group"),
        (2, np.array(["a", None, "b"] * 4, dtype=object), GROUPS, "4 of 12 samples have no label"),
    ],
)
def test_impossible_folds_say_why(n_splits, y, groups, message):
    with pytest.raises(DataError, match=message):
        list(splits.GroupFolds(n_splits).split(np.zeros(12), y, groups))


def test_regression_targets_are_not_classes():
    y = np.linspace(0, 1, 12)
    assert len(list(splits.GroupFolds(3).split(y, y, GROUPS))) == 3
    assert not splits.is_classification(np.zeros((12, 4)))
    assert splits.is_classification(np.array([0.0, 1.0, 1.0]))
    with pytest.raises(ParameterError, match="groups are needed"):
        list(splits.GroupFolds(3).split(y, y))


def test_folds_by_a_hash_follow_the_name_alone():
    names = [f"plate:{at}" for at in range(500)]
    fold = splits.hashed_folds(names, 10)
    assert list(splits.hashed_folds(names[::-1], 10)[::-1]) == list(fold)
    assert list(splits.hashed_folds(names[100:], 10)) == list(fold[100:])
    assert np.bincount(fold, minlength=10).min() > 30
    assert list(splits.hashed_folds(["a", "b", "c"], 10)) == [9, 3, 2]
