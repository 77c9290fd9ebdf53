"""Preprocessing: units, scaling, choice of genes and classes; what D-GEX does to its arrays.

Transformers learn from the training data they are fitted on. The papers fit them on all samples, which leaks
without labels (heil2022, chen2016, public code); fit them on everything to follow the papers.
"""

from exprml.base import lazy

_HOME = {
    "GeneStandardiser": "scaling",
    "QuantileNormaliser": "quantiles",
    "RANKS": "steps",
    "UNKNOWN_LABELS": "steps",
    "VariableGenes": "steps",
    "ZeroOneScaler": "scaling",
    "is_logarithm": "steps",
    "keep_classes": "steps",
    "log_transform": "steps",
    "mark_landmarks": "landmarks",
    "near_duplicates": "duplicates",
    "probes_to_genes": "landmarks",
}  # name -> module of this folder

__getattr__, __dir__ = lazy.names(__name__, _HOME)
