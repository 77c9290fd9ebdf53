"""Early stopping and learning-rate schedules against sequences worked out by hand."""

import math

import numpy as np

from exprml.models.settings import EarlyStopping, LearningRate, TrainingSettings

#         improves  bad  improves  bad  bad  improves  bad  bad  bad
LOSSES = [5.0, 6.0, 4.0, 4.5, 4.0, 3.0, 9.0, 9.0, 9.0]


def last_epoch(mode, patience, losses=LOSSES):
    stopping = EarlyStopping(mode, patience)
    for epoch, loss in enumerate(losses, start=1):
        stopping.improved(epoch, loss)
        if stopping.stop:
            return epoch, stopping.best_epoch
    return None, stopping.best_epoch


def test_cumulative_count_is_never_reset():
    # bad epochs are 2, 4, 5, 7: the fourth of them ends training although 6 had improved
    assert last_epoch("cumulative", 4) == (7, 6)


def test_consecutive_count_starts_again_at_an_improvement():
    assert last_epoch("consecutive", 3) == (9, 6)
    assert last_epoch("consecutive", 4) == (None, 6)


def test_an_equal_loss_is_no_improvement():
    assert last_epoch("consecutive", 1, [1.0, 1.0]) == (2, 1)


def test_nan_is_no_improvement():
    assert last_epoch("cumulative", 2, [math.nan, math.nan]) == (2, None)


def test_none_never_stops_but_knows_the_best_epoch():
    assert last_epoch("none", 1) == (None, 6)


def rates(settings, training_errors=()):
    groups = [{"lr": settings.learning_rate, "rate_factor": 1.0}]
    rate, seen, errors = LearningRate(groups, settings), [], iter(training_errors)
    for _ in range(settings.epochs):
        rate.after_epoch(lambda: next(errors))
        seen.append(groups[0]["lr"])
    return seen


def test_reduce_when_worse_multiplies_after_each_rise_down_to_the_floor():
    settings = TrainingSettings(
        learning_rate=1.0, schedule="reduce-when-worse", schedule_factor=0.5, schedule_floor=0.3, epochs=5
    )
    assert rates(settings, training_errors=[3.0, 2.0, 2.5, 2.4, 2.6]) == [1.0, 1.0, 0.5, 0.5, 0.3]


def test_look_back_compares_with_the_look_five_before():
    #        1    2    3    4    5    6    7    8: worse than the 3rd, five looks before; best is the 4th
    losses = [9.0, 8.0, 5.0, 4.0, 7.0, 8.9, 7.9, 5.1, 0.0]
    assert last_epoch("look-back", 5, losses) == (8, 4)
    # bad looks in a row do not stop as long as each is better than the one five before
    assert last_epoch("look-back", 5, [5.0, 9.0, 9.0, 9.0, 9.0, 4.9, 8.9, 8.9]) == (None, 6)


def test_look_back_stops_where_the_loss_is_nan():
    assert last_epoch("look-back", 1, [1.0, math.nan]) == (2, 1)


def plateau(errors, **changes):
    settings = TrainingSettings(schedule="reduce-on-plateau", schedule_factor=0.5, **changes)
    rate = LearningRate([{"lr": settings.learning_rate, "rate_factor": 1.0}], settings)
    for error in errors:
        yield rate.value
        rate.after_epoch(lambda: error)  # noqa: B023


def test_with_a_tenth_asked_for_the_rate_halves_every_five_epochs_down_to_the_floor_after_36():
    falling = 1.02 - 0.0015 * np.arange(50)  # the report's losses fall by less than 0.1 altogether
    rates = np.array(list(plateau(falling, schedule_min_delta=0.1, schedule_floor=1e-5)))
    assert (np.flatnonzero(np.diff(rates)) + 1).tolist() == [6, 11, 16, 21, 26, 31, 36]
    assert rates[36] == 1e-5
    assert (np.array(list(plateau(falling, schedule_min_delta=1e-4))) == 1e-3).all()


def test_a_plateau_is_left_by_a_fall_and_counted_anew():
    errors = [1.0, 1.0, 1.0, 0.9, 0.9, 0.9, 0.9, 0.9]
    assert list(plateau(errors, schedule_patience=3)) == [1e-3] * 7 + [5e-4]


def test_the_validation_loss_goes_before_the_training_error():
    settings = TrainingSettings(schedule="reduce-on-plateau", schedule_patience=1, schedule_factor=0.5)
    rate = LearningRate([{"lr": 1e-3, "rate_factor": 1.0}], settings)
    for loss in (3.0, 2.0, 2.5):
        rate.after_epoch(lambda: 1 / 0, loss)
    assert rate.value == 5e-4
