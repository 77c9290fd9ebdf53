"""Preprocessing: units, scaling, choice of genes and classes; what D-GEX does to its arrays.

Transformers learn from the training data they are fitted on. The papers fit them on all samples, which leaks
without labels (heil2022, chen2016, public code); fit them on everything to follow the papers.
"""

from exprml.base import lazy

_HOME = {  # module of this folder -> its names
    "duplicates": "near_duplicates",
    "landmarks": "mark_landmarks probes_to_genes",
    "plates": "plate_scores",
    "quantiles": "QuantileNormaliser",
    "scaling": "GeneStandardiser ZeroOneScaler",
    "steps": "RANKS UNKNOWN_LABELS VariableGenes is_logarithm keep_classes log_transform",
}

__getattr__, __dir__ = lazy.names(__name__, _HOME)
