"""Preprocessing: units, scaling, choice of genes and classes; what D-GEX does to its arrays.

Transformers learn from the training data they are fitted on. The papers fit them on all samples, which leaks
without labels (heil2022, chen2016, public code); fit them on everything to follow the papers.
"""

from exprml.data.preprocess.duplicates import near_duplicates
from exprml.data.preprocess.landmarks import mark_landmarks, probes_to_genes
from exprml.data.preprocess.quantiles import QuantileNormaliser
from exprml.data.preprocess.scaling import GeneStandardiser, ZeroOneScaler
from exprml.data.preprocess.steps import (
    RANKS,
    UNKNOWN_LABELS,
    VariableGenes,
    is_logarithm,
    keep_classes,
    log_transform,
)

__all__ = [
    "RANKS",
    "UNKNOWN_LABELS",
    "GeneStandardiser",
    "QuantileNormaliser",
    "VariableGenes",
    "ZeroOneScaler",
    "is_logarithm",
    "keep_classes",
    "log_transform",
    "mark_landmarks",
    "near_duplicates",
    "probes_to_genes",
]
