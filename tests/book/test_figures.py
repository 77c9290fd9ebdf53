"""Figures: what is drawn is what the table says; texts are required; white and light for the page."""

from __future__ import annotations

import base64
import re
import xml.dom.minidom

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.text import Text

from exprml.base.errors import DataError, ParameterError, UnknownNameError
from exprml.base.files import data_folder
from exprml.base.lazy import by_name
from exprml.book import context, figures
from exprml.book.figures import lettering, look, page
from exprml.models import presets


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


def words_in(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


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


def test_both_ends_of_a_comparison_are_on_the_axis_and_numbers_on_both_sides(table):
    two = pd.concat([table, table.assign(task="pairs")])
    figure = figures.before_after(two, facet="task", labels={"removed": "after removal"})
    for panel in figure.axes:
        assert [one.get_text() for one in panel.get_xticklabels()] == ["intact", "after removal"]
        assert panel.get_xlabel() == "highest after: five-layer, 0.45"
    ticks = [panel.yaxis.get_major_ticks()[0] for panel in figure.axes]
    assert [(one.label1.get_visible(), one.label2.get_visible()) for one in ticks] == [
        (True, False),
        (False, True),
    ]


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
    assert look.model_style("heil2022/three-layer")["color"] == look.model_style("three-layer")["color"]
    assert len({look.model_style(name)["color"] for name in names}) == len(names)
    assert len({look.model_style(name)["marker"] for name in names}) == len(names)
    assert look.model_style("corrected/forest")["markerfacecolor"] == "white"
    assert look.model_style("heil2022/forest") != look.model_style("forest")
    assert look.model_style("something new") == look.model_style("something new")


def test_no_two_models_of_the_book_share_a_style():
    """A preset without a row of its own fails here; one model's settings for several tasks have one row."""
    names = {re.sub("-(site|subtype|moa|prostate)$", "", name) for name in presets.names()}
    own = {look._bare(name): tuple(look.MODELS[look._bare(name)][:2]) for name in names}
    assert len(set(own.values())) == len(own)


@pytest.mark.parametrize("path", sorted(data_folder("reference").rglob("*.csv")), ids=lambda path: path.stem)
def test_no_two_models_of_a_page_share_a_style(path):
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    models = set(table.loc[table["control"] == "", "model"]) if "model" in table else set()
    models = {name for name in models if " - " not in name}  # differences of two
    known = [name for name in models if look._bare(name) in look.MODELS]
    styles = {name: tuple(look.model_style(name).values()) for name in known}
    assert len(set(styles.values())) == len(styles), styles


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


def test_many_panels_stand_in_two_columns_and_on_a_telephone_in_one():
    tasks = [f"task {place}" for place in range(5)]
    rows = [{"task": one, "model": "net", "value": 0.5, "source": "published"} for one in tasks]
    figure = figures.published_and_reproduced(pd.DataFrame(rows), label="model")
    for drawn, columns in ((figure, 2), (figure.again(), 1)):
        shown = [panel for panel in drawn.axes if panel.get_visible()]
        assert [panel.get_title("left") for panel in shown] == tasks
        assert len({panel.get_subplotspec().colspan.start for panel in shown}) == columns


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
        figures.recall_heatmap(rows.assign(metric="accuracy"), sizes=pd.Series(dtype=int))


def test_confusion_shows_shares_of_the_true_class():
    counts = pd.DataFrame([[3, 1], [0, 0]], index=["a", "b"], columns=["a", "b"])
    shown = figures.confusion(counts).axes[0].collections[0].get_array()
    np.testing.assert_allclose(np.asarray(shown)[0], [0.75, 0.25])


def test_class_sizes_count_groups_and_mark_the_excluded():
    obs = pd.DataFrame({"tissue": ["a"] * 4 + ["b"] * 3, "donor": [1, 2, 3, 3, 1, 1, 1]})
    panel = figures.class_sizes(obs, "tissue", "donor", floor=2).axes[0]
    drawn = {
        name: [tuple(map(int, spot)) for spot in line.get_xydata()] for name, line in lines(panel).items()
    }
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
    ]
    for figure in drawn:
        assert len(words_in(figure)) > 5
        for same in (figure, figure.again()):
            form, content = page.drawn(same, "fig-one")
            assert form == "svg+xml"
            assert re.search(rb'<path d="M 0 [\d.]+ L [^"]*" class="s0"/>', content)
            assert b".s0{fill: #ffffff}" in content


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


def pictures_in(bundle):
    """Return the SVGs of a figure's HTML: the one for telephones, the one for the page."""
    packed = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", bundle["text/html"])
    return [base64.b64decode(one).decode() for one in packed]


def test_show_hands_texts_and_two_light_pictures_to_the_page(table, shown):
    bundle, said = shown(figures.learning_curves(table), caption="Two\n  models.")
    alt = f"Lines of balanced accuracy by training samples. The net leads. {lettering.IN_RESULTS}"
    texts = {"name": "fig-one", "caption": "Two models.", "alt": alt, "role": ""}
    assert said["exprml"] == texts
    narrow, wide = (xml.dom.minidom.parseString(one).documentElement for one in pictures_in(bundle))
    assert (narrow.getAttribute("width"), wide.getAttribute("width")) == ("252pt", "518.4pt")
    assert float(narrow.getAttribute("height")[:-2]) > float(wide.getAttribute("height")[:-2])
    assert '<source media="(max-width: 576px)"' in bundle["text/html"]
    assert len(bundle["text/html"]) < 60_000
    assert not pyplot.get_fignums()


def test_words_of_a_picture_stay_words_with_all_their_digits(table, shown):
    rows = pd.DataFrame(
        {"comparison": ["a \u2212 b 1.23456"], "mean": 0.3, "low": 0.2, "high": 0.4, "p": 0.0005}
    )
    for picture in pictures_in(shown(figures.paired_differences(rows))[0]):
        told = [
            one.firstChild.data for one in xml.dom.minidom.parseString(picture).getElementsByTagName("text")
        ]
        assert "p < 0.001" in told
        assert "a \u2212 b 1.23456" in told
        assert not re.search(r"\d\.\d{3,}[^<>]*>", re.sub(">[^<]*<", "><", picture))


def test_a_crowd_of_marks_is_a_picture_and_ids_differ_between_figures():
    rng = np.random.default_rng(0)
    for count, form in ((1900, "svg+xml"), (2100, "webp")):
        points = pd.DataFrame(rng.normal(size=(count, 2)), columns=["x", "y"]).assign(kind="a")
        assert page.drawn(figures.scatter(points, "x", "y", label="kind"), "fig-one")[0] == form
    figure = figures.scatter(points[:50], "x", "y", label="kind")
    one, other = (set(re.findall(rb' id="([^"]+)"', page.drawn(figure, name)[1])) for name in ("a", "b"))
    assert one
    assert not one & other


def test_a_telephone_gets_its_panels_below_each_other_and_no_word_beside_the_page(table):
    long = {
        "five-layer": "a network with quite a name",
        "logistic regression": "another with a longer name yet",
    }
    tables = [table, table.replace({"model": long})]
    beside = pd.DataFrame(
        {"comparison": [" - ".join(long.values())] * 2, "mean": 0.1, "low": 0.0, "high": 0.2}
    )
    drawn = [figures.learning_curves(one, chance=0.5) for one in tables]
    drawn += [figures.paired_differences(beside), figures.before_after(tables[1], chance=0.5)]
    drawn += [figures.heatmap_table(tables[1], rows=["task", "model"])]
    for figure in drawn:
        small = figure.again()
        small.canvas.draw()
        assert small.get_figwidth() == 3.5
        box = small.get_tightbbox()
        assert box.x0 >= -0.05
        assert box.x1 <= 3.55
        assert len({round(panel.get_position().x0, 2) for panel in small.axes}) == 1


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"caption": ""}, "no caption"),
        ({"name": "Fig 1"}, "Fig 1"),
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


def test_the_role_of_the_only_data_set_is_taken_and_one_of_several_is_not(monkeypatch, shown):
    for plan, role in (({"one": {"role": "twin"}}, "twin"), ({"one": {"role": "twin"}, "two": {}}, "")):
        monkeypatch.setattr(context, "plan_here", plan)
        figure = figures.density({"a": np.arange(9.0)})
        assert shown(figure)[1]["exprml"]["role"] == role
        assert ("simulated twin" in note(figure)) == bool(role)


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
    first, second = (page.drawn(figures.before_after(table, chance=0.1), "fig-one") for _ in range(2))
    assert first == second
    assert b"dc:date" not in first[1]


def test_a_figure_says_chart_message_and_where_its_numbers_are(table):
    words = figures.before_after(table, chance=0.05).says.alt()
    assert words == (
        "Lines of balanced accuracy from intact to removed, where a guess has 0.05. "
        "Highest after is five-layer (0.65 to 0.45), lowest logistic regression (0.85 to 0.15). "
        "Every number is in this page's results table."
    )
    words = figures.learning_curves(table).says.alt()
    assert "intact highest logistic regression 0.85, lowest five-layer 0.65" in words
    one = table[table["model"] == "five-layer"]
    assert "intact five-layer 0.65, at the left end 0.65" in figures.learning_curves(one).says.alt().lower()


def test_an_alt_text_ends_after_sixty_words_and_says_how_much_it_left_out():
    says = lettering.Says("Dots", "Means", [f"model {place} has five words" for place in range(40)])
    words = says.alt()
    assert 50 < len(words.split()) <= 60
    told = words.count("has five words")
    assert f"and {40 - told} more. The numbers are in the table" in words
    assert says.alt("the net leads.") == f"Dots. The net leads. {lettering.IN_CELL}"


@pytest.mark.parametrize(
    ("p", "words"), [(0.0004, "p < 0.001"), (0.001, "p < 0.001"), (0.0123, "p = 0.012"), (np.nan, "")]
)
def test_a_p_value_ends_where_a_bootstrap_does(p, words):
    assert lettering.p_words(p) == words


def test_low_and_high_never_share_a_direction_of_a_colour_map(table):
    cells = pd.DataFrame([[0.0, 1.0]])
    bright = {}
    for better in ("higher", "lower"):
        shades = figures.heatmap_table(cells, better=better).axes[0].collections[0]
        shades.update_scalarmappable()
        bright[better] = shades.get_facecolors().sum(axis=1).argmax()
    assert bright == {"higher": 1, "lower": 0}


def test_a_long_table_becomes_a_grid_of_labels(table):
    grid = figures.score_grid(table[table["n_train"] > 50], rows=["task", "model"])
    assert grid.loc["tissues, five-layer"].round(2).to_dict() == {"removed": 0.45, "intact": 0.65}
    assert "highest 0.85 (logistic regression, intact)" in figures.heatmap_table(table).says.alt().lower()
    told = table.assign(metric="recall").assign(model="corrected/" + table["model"])
    assert list(figures.score_grid(told, columns="metric").index) == [
        "five-layer (corrected)",
        "logistic regression (corrected)",
    ]


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
        xml.dom.minidom.parseString(page.drawn(picture, "fig-odd")[1])
        texts = [label.get_text() for label in picture.axes[0].get_yticklabels()]
        assert len(set(texts)) == len(ODD)
        assert picture.axes[0].get_position().width > 0.2  # the words leave room for the panel
    assert not [str(one.message) for one in recwarn]


def test_letters_stay_as_they_are_but_those_that_cannot_be_seen():
    assert lettering.drawn(["\u80bf\u7624 2", "a\u202eb", "50 $"]) == [
        "\u80bf\u7624 2",
        "a[U+202E]b",
        r"50 \$",
    ]


def test_every_name_has_its_home_and_is_no_module():
    for name, home in by_name(figures._HOME).items():
        assert getattr(figures, name).__module__.endswith(home)
        assert name not in figures._HOME
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        figures.nothing  # noqa: B018


def test_a_table_with_long_words_is_drawn_without_a_warning(recwarn):
    words = ["tissues, by donor (stand-in)", "tumour or normal, by patient (stand-in)"]
    table = pd.DataFrame([[0.3, 0.1], [0.0, -0.1]], index=words, columns=["logistic regression", "forest"])
    figures.heatmap_table(table, low=0.0, what="sample-wise less group-wise").canvas.draw()
    assert not [str(one.message) for one in recwarn if "constrained_layout" in str(one.message)]
