"""The structure of many studies by recount2's label tables, and the twin that is simulated on it."""

from __future__ import annotations

from typing import Any

import pandas as pd
from anndata import AnnData

from exprml.data import formats
from exprml.data.readers.shared import Paths, reading, require
from exprml.data.simulate import studies


def studies_twin(paths: Paths, **options: Any) -> AnnData:
    """Make the twin of many studies: see :func:`exprml.data.simulate.studies.studies_twin`.

    Parameters
    ----------
    paths : dict
        labels, runs: the label tables of recount2 (R data or their text conversion), from which the structure
        comes; without files the structure is made too.
    options : dict
        Keywords of the simulation.
    """
    adata = studies.studies_twin(recount2_structure(paths) if paths else None, **options)
    steps = adata.uns["provenance"]["steps"]
    adata.uns["provenance"]["steps"] = [*(f"structure: {one}" for one in reading(paths)), *steps]
    return adata


def recount2_structure(paths: Paths) -> pd.DataFrame:
    """Return which runs of the Sequence Read Archive belong to which study and tissue, by recount2's tables.

    Parameters
    ----------
    paths : dict
        labels (tissue and sex of each run), runs (study of each run); each as R data or text.

    Returns
    -------
    DataFrame
        By run: study, tissue (as reported; runs without are left out), sex (as reported, else as recount2
        predicts it from expression: "male", "female" or "").
    """
    columns = ["sample_id", "dataset", "reported_tissue", "reported_sex", "predicted_sex"]
    labels = formats.read_r_frame(paths["labels"], "PredictedPhenotypes", columns).replace("NA", "")
    runs = formats.read_r_frame(paths["runs"], "metadata_clean", ["run", "project"])
    labels = labels[(labels["dataset"] == "sra") & (labels["reported_tissue"] != "")].set_index("sample_id")
    study = runs.set_index("run")["project"]
    require(labels.index, study.index, "run", paths["runs"])
    reported = labels["reported_sex"].str.lower().replace({"m": "male", "f": "female"})
    sex = reported.where(reported.isin(["male", "female"]), labels["predicted_sex"])
    return pd.DataFrame(
        {
            "study": study.loc[labels.index],
            "tissue": labels["reported_tissue"],
            "sex": sex.where(sex.isin(["male", "female"]), ""),
        }
    ).rename_axis("run")
