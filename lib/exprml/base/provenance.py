"""What was done to data, step by step, kept with them in ``uns["provenance"]``."""

from __future__ import annotations

from anndata import AnnData


def with_steps(adata: AnnData, steps: list[str]) -> AnnData:
    """Return the data with these steps in place of those noted so far."""
    adata.uns["provenance"] = {**adata.uns.get("provenance", {}), "steps": steps}
    return adata


def note_step(adata: AnnData, step: str) -> AnnData:
    """Return the data with one more step behind those noted so far."""
    return with_steps(adata, [*map(str, adata.uns.get("provenance", {}).get("steps", [])), step])
