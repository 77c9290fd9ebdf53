"""Figures of gene errors and of networks: what is drawn and said is what the tables hold."""

import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError
from exprml.book import figures
from exprml.book.figures import look

NET, LINEAR, RIDGE = "chen2016/d-gex-3", "chen2016/linear-regression", "corrected/ridge"


def errors(model, values, **columns):
    table = pd.DataFrame({"gene": [f"g{i}" for i in range(len(values))], "absolute_error": values})
    return table.assign(model=model, **({"setting": "", "control": "", "fold": 0, "seed": 0} | columns))


@pytest.fixture
def genes():
    """Two folds of the net, whose mean is what is drawn; a control."""
    return pd.concat([
        errors(LINEAR, [0.5, 0.6, 0.7]), errors(NET, [0.3, 0.5, 0.7]), errors(NET, [0.5, 0.5, 0.9], fold=1),
        errors(LINEAR, [0.5, 0.6, 0.7], fold=1),
        errors("control/predict-zero", [0.8, 0.8, 0.9], control="predict zero"),
    ])  # fmt: skip


def lines(panel):
    return {line.get_label(): line for line in panel.get_lines()}


def test_density_has_a_line_for_each_model_and_a_mark_at_its_mean(genes):
    (panel,) = figures.error_density(genes).axes
    drawn = lines(panel)
    assert {"linear regression", "D-GEX, 3 layers", "control: predict zero"} <= set(drawn)
    marks = sorted(line.get_xdata()[0] for line in panel.get_lines() if line.get_marker() == "^")
    assert np.allclose(marks, [(0.4 + 0.5 + 0.8) / 3, 0.6, 2.5 / 3])
    curve = drawn["D-GEX, 3 layers"]
    assert np.trapezoid(curve.get_ydata(), curve.get_xdata()) > 0.4  # three far genes: the tails are cut
    assert curve.get_linestyle() != drawn["linear regression"].get_linestyle()


def test_density_tells_settings_of_a_model_apart():
    table = pd.concat([errors(NET, [0.1, 0.2, 0.4], setting=one) for one in ("narrow", "wide")])
    (panel,) = figures.error_density(table).axes
    drawn = lines(panel)
    assert {"D-GEX, 3 layers, narrow", "D-GEX, 3 layers, wide"} <= set(drawn)
    with pytest.raises(DataError, match="no errors"):
        figures.error_density(table[:0])


def test_the_alt_text_of_the_density_has_the_mean_of_every_line(genes):
    words = figures.error_density(genes).says.alt()
    assert "linear regression 0.600; D-GEX, 3 layers 0.567; control: predict zero 0.833" in words


def test_scatter_draws_each_gene_once_with_wins_and_gains(genes):
    figure = figures.gene_scatter(genes, NET, [LINEAR, LINEAR])
    assert len(figure.axes) == 2
    (_, points) = figure.axes[0].collections
    assert np.allclose(points.get_offsets(), [[0.4, 0.5], [0.5, 0.6], [0.8, 0.7]])
    (text,) = [one.get_text() for one in figure.axes[0].texts]
    assert "lower in 66.7% of 3 genes" in text
    assert "median +16.7%" in text
    assert figure.axes[0].get_xlabel() == "error, D-GEX, 3 layers"
    assert figure.axes[0].get_ylabel() == "error, linear regression"
    assert "D-GEX, 3 layers is: lower than linear regression in 66.7%" in figure.says.alt()


def history(*values):
    return pd.DataFrame({"epoch": np.arange(1, len(values) + 1), "test": values})


def test_error_by_epoch_draws_lines_levels_and_the_chosen_epoch():
    histories = {"no dropout": history(0.6, 0.4, 0.5), "dropout": history(0.7, 0.6, 0.5)}
    figure = figures.error_by_epoch(histories, levels={RIDGE: 0.45}, chosen={"no dropout": 2})
    (panel,) = figure.axes
    drawn = lines(panel)
    assert list(drawn["no dropout"].get_ydata()) == [0.6, 0.4, 0.5]
    assert list(drawn["tuned ridge"].get_ydata()) == [0.45, 0.45]
    assert drawn["no dropout"].get_color() != drawn["dropout"].get_color()
    (dot,) = [line for line in panel.get_lines() if line.get_marker() == "o"]
    assert list(dot.get_xdata()) == [2]
    assert list(dot.get_ydata()) == [0.4]
    assert "No dropout 0.600 at 1 to 0.500 at 3" in figure.says.alt()
    with pytest.raises(DataError, match="no column 'test'"):
        figures.error_by_epoch({"dropout": history(0.1).drop(columns="test")})


def test_architecture_names_layers_and_what_is_between():
    layers = [("landmarks", 943), ("hidden", 3000), ("targets", 4760)]
    figure = figures.architecture(layers, between=["2.8 million", "14.3 million"])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"943", "3,000", "4,760", "landmarks", "hidden", "targets"} <= set(texts)
    assert {"2.8 million", "14.3 million"} <= set(texts)
    with pytest.raises(DataError, match="2 words for the 1 arrows"):
        figures.architecture([("a", 1), ("b", 2)], between=["x", "y"])


EDGES = pd.DataFrame(
    {"layer": [0, 0, 1, 1], "start": [0, 2, 1, 1], "end": [1, 1, 0, 3], "weight": [1.0, -1.0, 2.0, 1.0]}
)


def test_weights_map_draws_every_edge_in_the_colour_of_its_sign():
    figure = figures.weights_map(EDGES, (3, 2, 4))
    (panel,) = figure.axes
    drawn = [one for one in panel.collections if hasattr(one, "get_segments")]
    assert [len(one.get_segments()) for one in drawn] == [2, 2]
    positive, negative = (tuple(colour[:3]) for colour in drawn[0].get_colors())
    assert positive != negative
    assert tuple(drawn[1].get_colors()[0][:3]) == positive
    texts = [text.get_text().replace("\n", " ") for text in panel.texts]
    assert texts == ["2 of 3 inputs", "1 of 2 hidden units", "2 of 4 outputs"]
    words = figure.says.alt()
    assert "4 strong weights, 75% positive, touch 2 of 3 inputs, 1 of 2 hidden units, 2 of 4 outputs" in words
    assert "the busiest hidden unit has 4" in words
    with pytest.raises(DataError, match="end 3 of 3 nodes"):
        figures.weights_map(EDGES, (3, 2, 3))


def test_graph_map_draws_every_edge_and_larger_dots_for_more_neighbours():
    edges = pd.DataFrame({"source": ["A", "A", "A", "B"], "target": ["B", "C", "D", "C"]})
    figure = figures.graph_map(edges)
    lines, dots = figure.axes[0].collections
    assert len(lines.get_segments()) == 4
    assert list(dots.get_sizes()) == [7.5, 6.0, 6.0, 4.5]  # of A, B, C, D
    words = figure.says.alt()
    assert "4 genes, 4 edges, in the middle A with 3, B with 2, C with 2 neighbours" in words
    assert "1 genes hang on by one edge" in words


def test_variance_curves_draw_lines_levels_and_marks():
    table = pd.DataFrame(
        {"components": [1, 10] * 2, "share": [0.2, 0.9, 0.5, 1.0], "kind": ["a"] * 2 + ["b"] * 2}
    )
    figure = figures.variance_curves(table, levels={"99 %": 0.99}, marks={"paper": 5})
    drawn = lines(figure.axes[0])
    assert list(drawn["b"].get_ydata()) == [0.5, 1.0]
    assert drawn["99 %"].get_ydata()[0] == 0.99
    assert drawn["paper"].get_xdata()[0] == 5
    assert (
        "share by components. A 0.200 at 1 to 0.900 at 10; b 0.500 at 1 to 1.000 at 10." in figure.says.alt()
    )
    with pytest.raises(DataError, match="no column 'kind'"):
        figures.variance_curves(table.drop(columns="kind"))


def test_the_two_ridges_have_names_of_their_own_and_d_gex_its_spelling():
    names = ["chen2016/ridge", "corrected/ridge", "chen2016/lasso", "corrected/d-gex", "bhukya2021/e-mlp"]
    words = ["LR-L2 (ridge)", "tuned ridge", "LR-L1 (lasso)", "D-GEX (corrected)", "E-MLP"]
    assert [figures.model_label(name) for name in names] == words
    same = ("d-gex-1", "d-gex-2", "d-gex-3", "lasso", "ridge", "linear-regression", "knn-ge")
    styles = [look.model_style(f"chen2016/{name}") for name in same]
    assert len({(style["color"], style["marker"]) for style in styles}) == len(same)


def test_a_name_that_a_notebook_spells_keeps_its_spelling():
    spelled = "D-GEX settings with ELU for tanh"
    assert figures.model_label(spelled) == spelled
