"""Made files in the true form of the papers' own data: what rehearses the paper profile.

Names, compression, headers, layouts and odd rows are those of the files that the catalogue names; values are
made, samples are some dozens to some hundreds, genes some hundreds. The same call gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from exprml_press.rehearsal import changes, gtex, l1000, landmarks, recount3

# Data set of the catalogue -> what writes its files, each at its path of the catalogue below a folder.
WRITERS: dict[str, Callable[[Path], None]] = {
    "gtex-v8": gtex.write_v8,
    "recount3": recount3.write_store,
    "dgex-maps": landmarks.write_maps,
    "dgex-geo": landmarks.write_microarrays,
    "dgex-gtex": landmarks.write_gtex,
    "geuvadis": landmarks.write_geuvadis,
    "l1000-inferred": landmarks.write_inferred,
    "lincs-full": l1000.write_level4,
    "dee2-mouse": changes.write_dee2,
    "dee2-mouse-bulk": changes.write_dee2,
    "gene-ontology": changes.write_ontology,
    "report-series": changes.write_series,
    "humanbase-prostate": l1000.write_tissue,
}
