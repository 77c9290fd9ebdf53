"""All readers of the catalogue by the name that entries use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from anndata import AnnData

from exprml.data.catalogue import landmarks, loading, tumours
from exprml.data.catalogue.loading import Paths

_MADE = ("gtex_twin", "tcga_twin", "heil_simulation", "landmark_twin", "plates_twin", "probe_twin")


def _maker(name: str) -> Callable[..., AnnData]:
    """Return the reader of made data without files: the function of that name in the simulations."""

    def make(paths: Paths, **options: Any) -> AnnData:
        from exprml.data import simulate

        adata = getattr(simulate, name)(**options)
        adata.uns["provenance"]["missing"] = int(np.isnan(adata.X).sum())
        return adata

    return make


READERS: dict[str, Callable[..., AnnData]] = {
    one.__name__: one
    for one in (
        loading.gtex_toil,
        loading.gtex_v8,
        loading.tcga_paired,
        loading.dgex_maps,
        loading.recount3,
        loading.gene_lengths,
        loading.studies_twin,
        tumours.khan,
        tumours.nci60,
        landmarks.tcga_landmarks,
        landmarks.cognoma_landmarks,
        landmarks.dgex_microarrays,
        landmarks.dgex_probes,
        landmarks.dgex_gtex,
        landmarks.geuvadis,
        landmarks.l1000_plates,
    )
} | {name: _maker(name) for name in _MADE}
