"""One function per kind of figure, one look; each returns a ``Figure``, `show` puts it on the page.

The functions take long tables with the columns of ``exprml.book.results`` (as ``cross_validate`` returns
them) and draw what is there: every fold as a dot, the mean as a line, chance and controls beside the models.
A name's module is imported when the name is first used, so that a page depends on the figures it draws.
"""

from exprml.base import lazy

_HOME = {
    "accuracy_against": "curves",
    "architecture": "schemes",
    "before_after": "comparisons",
    "class_sizes": "distributions",
    "confusion": "matrices",
    "density": "distributions",
    "error_by_epoch": "curves",
    "error_density": "genes",
    "feature_histograms": "distributions",
    "gene_scatter": "genes",
    "heatmap_table": "matrices",
    "learning_curves": "curves",
    "model_label": "look",
    "paired_differences": "comparisons",
    "published_and_reproduced": "comparisons",
    "recall_heatmap": "matrices",
    "scatter": "distributions",
    "score_grid": "matrices",
    "show": "page",
    "side_label": "genes",
    "variance_curves": "curves",
    "weights_map": "schemes",
}  # name -> module of this folder

__getattr__, __dir__ = lazy.names(__name__, _HOME)
