"""One function per kind of figure, one look; each returns a ``Figure``, `show` puts it on the page.

The functions take long tables with the columns of ``exprml.book.results`` (as ``cross_validate`` returns
them) and draw what is there: every fold as a dot, the mean as a line, chance and controls beside the models.
"""

from exprml.book.figures.comparisons import before_after, paired_differences, published_and_reproduced
from exprml.book.figures.curves import accuracy_against, learning_curves
from exprml.book.figures.distributions import class_sizes, density, feature_histograms, scatter
from exprml.book.figures.drawings import (
    architecture,
    describe_curves,
    describe_weights,
    variance_curves,
    weights_map,
)
from exprml.book.figures.genes import (
    describe_density,
    describe_epochs,
    describe_reductions,
    describe_wins,
    error_by_epoch,
    error_density,
    gene_scatter,
    side_label,
)
from exprml.book.figures.look import MODEL_ORDER, look, model_label, model_style, new_figure
from exprml.book.figures.matrices import confusion, heatmap_table, recall_heatmap
from exprml.book.figures.page import describe_differences, describe_means, show
from exprml.book.figures.workflow import workflow

__all__ = [
    "MODEL_ORDER",
    "accuracy_against",
    "architecture",
    "before_after",
    "class_sizes",
    "confusion",
    "density",
    "describe_curves",
    "describe_density",
    "describe_differences",
    "describe_epochs",
    "describe_means",
    "describe_reductions",
    "describe_weights",
    "describe_wins",
    "error_by_epoch",
    "error_density",
    "feature_histograms",
    "gene_scatter",
    "heatmap_table",
    "learning_curves",
    "look",
    "model_label",
    "model_style",
    "new_figure",
    "paired_differences",
    "published_and_reproduced",
    "recall_heatmap",
    "scatter",
    "show",
    "side_label",
    "variance_curves",
    "weights_map",
    "workflow",
]
