"""One function per kind of figure, one look; each returns a ``Figure``, `show` puts it on the page.

The functions take long tables with the columns of ``exprml.book.results`` (as ``cross_validate`` returns
them) and draw what is there: every fold as a dot, the mean as a line, chance and controls beside the models.
A name's module is imported when the name is first used, so that a page depends on the figures it draws.
"""

from exprml.base import lazy

_HOME = {  # module of this folder -> its names
    "comparisons": "before_after paired_differences published_and_reproduced",
    "curves": "accuracy_against error_by_epoch learning_curves variance_curves",
    "distributions": "class_sizes density feature_histograms scatter",
    "genes": "error_density gene_scatter side_label",
    "look": "model_label",
    "matrices": "confusion heatmap_table recall_heatmap score_grid",
    "page": "show",
    "schemes": "architecture graph_map weights_map",
}

__getattr__, __dir__ = lazy.names(__name__, _HOME)
