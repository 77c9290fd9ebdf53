"""Figures: what is drawn is what the table says; texts are required; white and light for the page."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from PIL import Image

from exprml.base.errors import DataError, ParameterError, UnknownNameError
from exprml.book import figures
from exprml.book.figures import lettering, look, page


def a_row(model, setting, fold, n_train, value, **more):
    fixed = {"task": "tissues", "control": "", "split": "group", "seed": 0, "metric": "balanced_accuracy"}
    return (
        fixed | {"model": model, "setting": setting, "fold": fold, "n_train": n_train, "value": value} | more
    )


@pytest.fixture
def table():
    """Two models, intact and removed, two folds of slightly different size, two training sizes."""
    rows = [
        a_row(model, setting, fold, size + fold, value + 0.1 * fold)
        for model, values in {"five-layer": (0.6, 0.4), "logistic regression": (0.8, 0.1)}.items()
        for setting, value in zip(("removed", "intact"), values[::-1], strict=True)
        for fold in (0, 1)
        for size in (10, 100)
    ]
    rows += [a_row("five-layer", "intact", fold, 100, 0.05, control="majority class") for fold in (0, 1)]
    return pd.DataFrame(rows)


def lines(panel):
    return {line.get_label(): line for line in panel.get_lines()}


def note(figure):
    return figure._supxlabel.get_text()


def test_learning_curve_goes_through_the_mean_of_the_folds_at_each_size(table):
    figure = figures.learning_curves(table, chance=0.05)
    intact, removed = figure.axes
    curve = lines(intact)["five-layer"]
    np.testing.assert_allclose(curve.get_xdata(), [10.5, 100.5])
    np.testing.assert_allclose(curve.get_ydata(), [0.65, 0.65])
    np.testing.assert_allclose(lines(removed)["logistic regression"].get_ydata(), [0.15, 0.15])


def test_panels_are_intact_first_whatever_the_order_of_the_rows(table):
    figure = figures.learning_curves(table)
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["Intact", "Removed"]


def test_every_fold_is_a_dot(table):
    panel = figures.learning_curves(table).axes[0]
    (dots,) = panel.collections
    assert len(dots.get_offsets()) == 2 * 4
    assert len({tuple(colour) for colour in dots.get_facecolors()}) == 2


def test_controls_and_chance_are_drawn_in_their_own_dashes(table):
    panel = figures.learning_curves(table, chance={"Intact": 0.1, "intact": 0.05}).axes[0]
    control, chance = lines(panel)["control: majority class"], lines(panel)["chance (0.05)"]
    assert control.get_linestyle() == "--"
    assert control._unscaled_dash_pattern != chance._unscaled_dash_pattern
    assert set(chance.get_ydata()) == {0.05}


def test_levels_of_chance_that_differ_share_one_entry_of_the_legend(table):
    both = pd.concat([table.assign(panel="a"), table.assign(panel="b")])
    for chance, entry in (({"a": 0.1, "b": 0.5}, "chance"), (0.1, "chance (0.1)")):
        figure = figures.learning_curves(both, facet="panel", chance=chance)
        words = [text.get_text() for text in figure.legends[0].get_texts()]
        assert [word for word in words if word.startswith("chance")] == [entry]


def test_a_fold_that_skipped_its_smallest_size_does_not_shift_the_mean(table):
    fewer = table[~((table["fold"] == 1) & (table["n_train"] == 11))]
    curve = lines(figures.learning_curves(fewer).axes[0])["five-layer"]
    np.testing.assert_allclose(curve.get_xdata(), [10, 100.5])


def test_nothing_to_draw_is_said_with_what_there_is(table):
    with pytest.raises(DataError, match=r"'accuracy'.*balanced_accuracy"):
        figures.learning_curves(table, metric="accuracy")
    with pytest.raises(DataError, match=r"'joint'.*intact.*removed"):
        figures.learning_curves(table, facets=["intact", "joint"])


def test_accuracy_against_marks_a_named_place(table):
    figure = figures.accuracy_against(table, "n_train", marks={"the paper's size": 70}, chance=0.5)
    marked = lines(figure.axes[0])["the paper's size"]
    assert set(marked.get_xdata()) == {70}
    assert figure.axes[0].get_xscale() == "log"


def test_pairs_join_the_same_fold_at_the_largest_size(table):
    panel = figures.before_after(table, chance=0.05).axes[0]
    thin = [line for line in panel.get_lines() if line.get_linewidth() < 1]
    ends = sorted(tuple(np.round(line.get_ydata(), 3)) for line in thin if len(line.get_ydata()) == 2)
    assert ends == [(0.6, 0.4), (0.7, 0.5), (0.8, 0.1), (0.9, 0.2)]


def test_pairs_without_one_side_are_refused(table):
    with pytest.raises(DataError, match="'joint'"):
        figures.before_after(table, after="joint")


def test_a_twin_is_named_under_the_figure(table):
    assert "simulated twin" in note(figures.learning_curves(table.assign(role="twin")))
    assert "stand-in" in note(figures.before_after(table.assign(role="stand-in")))
    assert "data" not in note(figures.learning_curves(table.assign(role="own")))


def test_spread_is_labelled_for_what_it_is(table):
    assert "2 folds" in note(figures.learning_curves(table))
    seeds = pd.concat([table, table.assign(seed=1)])
    assert "2 folds × 2 seeds" in note(figures.learning_curves(seeds))


def test_the_note_names_what_a_fold_stands_for(table):
    words = {"fold": "cohort"}
    assert "dots: 2 cohorts" in note(figures.accuracy_against(table, "n_train", labels=words))
    assert "thin: single cohorts" in note(figures.before_after(table, labels=words))
    assert "thin: single folds" in note(figures.before_after(table))


def test_a_model_keeps_its_colour_and_models_differ():
    names = ["logistic regression", "three-layer", "five-layer", "forest"]
    assert figures.model_style("heil2022/three-layer")["color"] == figures.model_style("three-layer")["color"]
    assert len({figures.model_style(name)["color"] for name in names}) == len(names)
    assert len({figures.model_style(name)["marker"] for name in names}) == len(names)
    assert figures.model_style("corrected/forest")["markerfacecolor"] == "white"
    assert figures.model_style("something new") == figures.model_style("something new")


def test_the_look_leaves_the_readers_settings_alone():
    before = dict(pyplot.rcParams)
    with look.theme():
        pass
    assert dict(pyplot.rcParams) == before


def test_forest_plot_fills_only_intervals_without_zero():
    rows = pd.DataFrame(
        {"comparison": ["clear", "open"], "mean": [0.3, 0.1], "low": [0.2, -0.1], "high": [0.4, 0.3]}
    )
    panel = figures.paired_differences(rows).axes[0]
    filled = {
        line.get_xdata()[0]: line.get_markerfacecolor()
        for line in panel.get_lines()
        if line.get_marker() == "o"
    }
    assert filled[0.1] == "white"
    assert filled[0.3] != "white"
    with pytest.raises(DataError, match="'low'"):
        figures.paired_differences(rows.drop(columns="low"))


def test_published_beside_reproduced_on_one_line():
    rows = pd.DataFrame(
        {"task": "pairs", "model": "five-layer", "setting": "intact", "value": [0.9, 0.8, 0.7],
         "source": ["published", "reference run", "this run"]}
    )  # fmt: skip
    panel = figures.published_and_reproduced(rows, chance=0.5).axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["five-layer, intact"]
    assert [float(lines(panel)[name].get_xdata()[0]) for name in ("published", "this run")] == [0.9, 0.7]


def test_heatmap_slants_long_column_labels_unless_they_come_in_lines():
    cells = pd.DataFrame(np.eye(2, 5), columns=[f"a label too long, {place}" for place in range(5)])
    turned = figures.heatmap_table(cells).axes[0].get_xticklabels()
    level = figures.heatmap_table(cells.rename(columns=lambda one: one.replace(", ", "\n"))).axes[0]
    assert {one.get_rotation() for one in turned} == {35}
    assert {one.get_rotation() for one in level.get_xticklabels()} == {0}
    assert level.get_xticklabels()[1].get_text() == "a label too long\n1"


def test_recall_heatmap_averages_folds_and_orders_by_groups():
    rows = pd.DataFrame(
        a_row("forest", "intact", fold, 9, value, metric=f"recall:{name}")
        for name, values in {"Brain": (0.2, 0.4), "Blood": (1.0, 0.8)}.items()
        for fold, value in enumerate(values)
    )
    panel = figures.recall_heatmap(rows, sizes=pd.Series({"Brain": 90, "Blood": 30})).axes[0]
    np.testing.assert_allclose(panel.collections[0].get_array(), [[0.3], [0.9]])
    assert [label.get_text() for label in panel.get_yticklabels()] == ["Brain (90)", "Blood (30)"]
    with pytest.raises(DataError, match="recall"):
        figures.recall_heatmap(rows.assign(metric="accuracy"))


def test_confusion_shows_shares_of_the_true_class():
    counts = pd.DataFrame([[3, 1], [0, 0]], index=["a", "b"], columns=["a", "b"])
    shown = figures.confusion(counts).axes[0].collections[0].get_array()
    np.testing.assert_allclose(np.asarray(shown)[0], [0.75, 0.25])


def test_class_sizes_count_groups_and_mark_the_excluded():
    obs = pd.DataFrame({"tissue": ["a"] * 4 + ["b"] * 3, "donor": [1, 2, 3, 3, 1, 1, 1]})
    panel = figures.class_sizes(obs, "tissue", "donor", floor=2).axes[0]
    drawn = {}
    for one in panel.collections:
        drawn.setdefault(one.get_label(), []).extend(tuple(map(int, spot)) for spot in one.get_offsets())
    assert drawn["samples"] == [(4, 0), (3, 1)]
    assert drawn["donors"] == [(3, 0)]
    assert drawn["excluded"] == [(1, 1)]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["a", "b"]


def test_histograms_need_a_label_for_each_sample():
    with pytest.raises(DataError, match="3 labels for 4 samples"):
        figures.feature_histograms(np.zeros((4, 2)), ["a"] * 3, {"one": 0})


def test_the_other_kinds_draw_something():
    rng = np.random.default_rng(0)
    points = pd.DataFrame(rng.normal(size=(30, 2)), columns=["x", "y"]).assign(kind=["a", "b"] * 15)
    drawn = [
        figures.scatter(points, "x", "y", label="kind"),
        figures.density({"a": points["x"], "constant": np.ones(4)}, marks={"floor": 0}),
        figures.feature_histograms(points[["x", "y"]].to_numpy(), points["kind"], {"one": 0, "two": 1}),
        figures.heatmap_table(pd.DataFrame(rng.normal(size=(3, 4))), what="numbers"),
        figures.workflow(),
    ]
    for figure in drawn:
        shades = np.asarray(Image.open(io.BytesIO(page.png(figure))).convert("L"))
        assert shades.std() > 5
        assert shades[0, 0] == 255


@pytest.fixture
def shown(monkeypatch):
    """Return a function that shows a figure and returns what reached the page: bundle and metadata."""

    def show(figure, **texts):
        calls = []
        monkeypatch.setattr(
            "exprml.book.figures.page.display",
            lambda bundle, **more: calls.append((bundle, more["metadata"])),
        )
        figures.show(
            figure, **({"name": "fig-one", "caption": "Two models.", "alt": "The net leads."} | texts)
        )
        (call,) = calls
        return call

    return show


def test_show_hands_texts_to_the_page_and_a_light_white_picture(table, shown):
    bundle, said = shown(figures.learning_curves(table), caption="Two\n  models.")
    texts = {"name": "fig-one", "caption": "Two models.", "alt": "The net leads.", "role": ""}
    assert said["exprml"] == texts
    assert "height" not in said["image/png"]
    picture = base64.b64decode(bundle["image/png"])
    assert len(picture) < 150_000
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    assert image.getpixel((0, 0)) == (255, 255, 255, 255)
    assert image.width > 1000
    assert not pyplot.get_fignums()


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"alt": " "}, "no alt"),
        ({"caption": ""}, "no caption"),
        ({"name": "Fig 1"}, "Fig 1"),
        ({"alt": "Two models."}, "repeats"),
    ],
)
def test_a_figure_without_words_is_refused(table, shown, texts, said):
    with pytest.raises(ParameterError, match=said):
        shown(figures.learning_curves(table), **texts)


@pytest.mark.parametrize(
    ("in_table", "given", "said", "stamped"),
    [
        ("twin", None, "twin", 0),  # the small print says it
        ("twin", "twin", "twin", 0),
        ("own", None, "", 0),
        ("own", "own", "own", 0),
        ("own", "stand-in", "stand-in", 1),
        ("own", "drawing", "drawing", 0),
    ],
)
def test_a_figure_says_the_role_of_its_data_once(table, shown, in_table, given, said, stamped):
    figure = figures.learning_curves(table.assign(role=in_table))
    _, metadata = shown(figure, role=given)
    assert metadata["exprml"]["role"] == said
    assert len(re.findall("simulated twin|stand-in data", note(figure))) == (said in ("twin", "stand-in"))
    assert note(figure).count("stand-in data, not the paper's") == stamped


def test_without_small_print_the_role_stands_below_the_words_of_the_axis(shown):
    figure = figures.heatmap_table(pd.DataFrame({"one": [1.0], "another model": [2.0]}))
    shown(figure, role="twin")
    assert note(figure) == "simulated twin, not real data"
    lowest = min(word.get_window_extent().y0 for word in figure.axes[0].get_xticklabels())
    assert figure._supxlabel.get_window_extent().y1 <= lowest


def test_a_legend_of_long_names_stays_inside_the_figure(table):
    names = {name: f"a model with a name as long as a line, {name}" for name in table["model"].unique()}
    for rows, fits in ((table, 4), (table.replace({"model": names}), 1)):
        figure = figures.learning_curves(rows, chance=0.5)
        figure.canvas.draw()
        assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1
        assert (figure.legends[0]._ncols <= 2) == (fits == 1)


def test_small_print_of_many_parts_stays_inside_the_figure(table):
    roles = ["made", "stand-in", "twin"] * len(table)
    figure = figures.before_after(table.assign(role=roles[: len(table)]))
    figure.canvas.draw()
    assert note(figure).count("\n") == 1
    assert figure._supxlabel.get_window_extent().x1 <= figure.bbox.x1
    for words in ("paper's recipe", "stand-in data", "simulated twin, not real data"):
        assert words in note(figure)


def test_a_role_that_is_none_is_refused(table, shown):
    with pytest.raises(UnknownNameError, match="did you mean 'stand-in'"):
        shown(figures.learning_curves(table), role="standin")


def test_the_same_figure_gives_the_same_bytes(table):
    first, second = (page.png(figures.before_after(table)) for _ in range(2))
    assert first == second


def test_means_in_words_leave_out_controls_and_small_sizes(table):
    words = figures.describe_means(table, by=["setting", "model"], chance=0.05)
    assert (
        words.startswith("Mean balanced accuracy: removed: five-layer 0.45; intact: five-layer 0.65") is False
    )
    assert "five-layer 0.65" in words
    assert "logistic regression 0.85" in words
    assert words.endswith("chance 0.05.")


ODD = [
    "\u80bf\u7624", "\u6b63\u5e38", "x" * 100, "x" * 50 + "y" + "x" * 49, "$\\foo{$", "a_b^c", "\\frac{1}{2}",
    "%s{0}", "\U0001f600 smile", "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627", "=1+1",
    "<script>",
    "a\nb", "_x", "\u202egnp.exe", "\U0001f9ec" * 50, "'q\"", "W" * 100,
]  # fmt: skip


def test_names_from_a_file_are_drawn_whatever_they_are(recwarn):
    obs = pd.DataFrame({"class": np.repeat(ODD, 3), "donor": [str(n) for n in range(3 * len(ODD))]})
    rows = pd.DataFrame(a_row("forest", "intact", 0, 9, 0.5, metric=f"recall:{name}") for name in ODD)
    pictures = [
        figures.class_sizes(obs, "class", "donor", floor=2),
        figures.recall_heatmap(rows, sizes=pd.Series(3, index=ODD)),
        figures.confusion(pd.DataFrame(1, index=ODD, columns=ODD)),
    ]
    for picture in pictures:
        assert len(page.png(picture)) > 1000
        texts = [label.get_text() for label in picture.axes[0].get_yticklabels()]
        assert len(set(texts)) == len(ODD)
        assert picture.axes[0].get_position().width > 0.2  # the words leave room for the panel
    assert not [str(one.message) for one in recwarn]


def test_letters_without_a_font_are_drawn_by_number_and_the_caption_says_so(monkeypatch, shown):
    monkeypatch.setattr(lettering, "_letters", lambda: frozenset(range(32, 127)))
    names = ["\u80bf\u7624 2", "plain", "50 $"]
    assert lettering.drawn(names) == ["[U+80BF 7624] 2", "plain", r"50 \$"]
    counts = pd.DataFrame(1, index=names, columns=names)
    assert "letters for which no font" in shown(figures.confusion(counts))[1]["exprml"]["caption"]
    counts = counts.loc[["plain"], ["plain"]]
    assert shown(figures.confusion(counts))[1]["exprml"]["caption"] == "Two models."


def test_every_name_has_its_home_and_is_no_module():
    for name, home in figures._HOME.items():
        assert getattr(figures, name).__module__.endswith(home)
        assert name not in figures._HOME.values()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        figures.nothing  # noqa: B018


def test_a_table_with_long_words_is_drawn_without_a_warning(recwarn):
    words = ["tissues, by donor (stand-in)", "tumour or normal, by patient (stand-in)"]
    table = pd.DataFrame([[0.3, 0.1], [0.0, -0.1]], index=words, columns=["logistic regression", "forest"])
    figures.heatmap_table(table, low=0.0, what="sample-wise less group-wise").canvas.draw()
    assert not [str(one.message) for one in recwarn if "constrained_layout" in str(one.message)]
