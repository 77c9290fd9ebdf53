"""The files of GSE92742: level 4, its tables of wells, lines and genes; and the Repurposing Hub's table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from exprml.data.formats import write_gctx_blocks
from exprml.data.readers.mcdermott2020 import COLUMNS, KINDS
from exprml.data.simulate import l1000_twin, regulation_twin
from exprml_press.rehearsal.parts import pack, path_of

_INFERRED = 6


def write_level4(folder: Path) -> None:
    """Write wells of three lines, more than a thousand of each kind; ids alone in the GCTX.

    Odd: a knock-down, compounds of no mechanism and of two, a dose of -666, a line without site, genes that
    are inferred.
    """
    twin = l1000_twin(n_lines=3, n_mechanisms=2, n_compounds=38, n_replicates=7, n_controls=72)
    obs, genes = twin.obs, pd.RangeIndex(5001, 5001 + twin.n_vars + _INFERRED).astype(str)
    X = np.hstack([twin.X, twin.X[:, :_INFERRED] * 0.5])
    write_gctx_blocks([X], _path(folder, "expression"), obs=obs[[]], var=pd.DataFrame(index=genes))
    wells = obs[list(COLUMNS.values())].set_axis(list(COLUMNS), axis=1)
    wells["pert_type"] = wells["pert_type"].map({ours: theirs for theirs, ours in KINDS.items()})
    wells["pert_dose"] = wells["pert_dose"].astype(str).where(wells["pert_type"] == "trt_cp", "-666")
    wells.iloc[0, wells.columns.get_loc("pert_type")] = "trt_sh"
    wells.iloc[-1, wells.columns.get_loc("cell_id")] = "NOSITE"
    pack(_path(folder, "wells"), wells.rename_axis("inst_id").to_csv(sep="\t"))
    lines = obs.drop_duplicates("cell_line")[["cell_line", "site", "subtype"]]
    lines = lines.set_axis(["cell_id", "primary_site", "subtype"], axis=1)
    pack(_path(folder, "lines"), lines.to_csv(sep="\t", index=False) + "NOSITE\t-666\t-666\n")
    about = pd.DataFrame({"pr_gene_id": genes, "pr_gene_symbol": [*twin.var_names, *"ABCDEF"]})
    about["pr_gene_title"], about["pr_is_lm"] = "made", (about.index < twin.n_vars).astype(int)
    pack(_path(folder, "genes"), about.to_csv(sep="\t", index=False))
    hub = obs[obs["kind"] == "compound"].drop_duplicates("perturbagen")
    hub = hub[["perturbagen", "moa", "perturbagen_id"]].set_axis(["Name", "MOA", "Id"], axis=1)
    hub.iloc[0, 1], hub.iloc[1, 1] = "", "one mechanism, another"
    pack(_path(folder, "hub"), hub.to_csv(sep="\t", index=False))


def write_tissue(folder: Path) -> None:
    """Write a network of a tissue as HumanBase does: no header, Entrez ids, a posterior probability.

    Some landmarks are joined, along the graph of the twin too; odd: pairs with a gene that is no landmark.
    """
    edges = regulation_twin().uns["edges"]
    edges = edges[edges[["source", "target"]].isin(set(l1000_twin().var_names)).all(axis=1)]
    number = {name: 5001 + at for at, name in enumerate(l1000_twin().var_names)}
    generator = np.random.default_rng(0)
    pairs = [(number[a], number[b]) for a, b in edges[["source", "target"]].to_numpy()]
    pairs += [tuple(one) for one in generator.integers(5001, 5071, (300, 2)) if one[0] != one[1]]
    weights = generator.uniform(0.1, 1, len(pairs))
    rows = [f"{a}\t{b}\t{weight:.6g}" for (a, b), weight in zip(pairs, weights, strict=True)]
    pack(path_of(folder, "humanbase-prostate", "edges"), "\n".join(rows) + "\n")


def _path(folder: Path, key: str) -> Path:
    return path_of(folder, "lincs-full", key)
