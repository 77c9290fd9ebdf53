"""The files of D-GEX: lists of genes, microarrays, two sets of sequenced samples, inferred L1000 profiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from exprml.data.formats import write_gctx_blocks
from exprml.data.simulate import landmark_twin
from exprml_press.rehearsal.parts import ensembl, pack, path_of

_N_LANDMARKS, _N_TARGETS, _N_BOTH = 40, 88, 12  # of the targets besides: other probes of landmarks
_N_ARRAYS, _N_SEQUENCED, _N_LINES, _N_INFERRED = 240, 60, 48, 2040
_UNLISTED = 4  # probes and genes of no list
_UNLISTED_LANDMARKS = ("200799_at", "201069_at", "201185_at", "201778_s_at")  # true ones, measured by L1000


def write_maps(folder: Path) -> None:
    """Write the two lists: symbol, Ensembl id, probes; a gene in both, a symbol of two genes."""
    genes = _genes()
    for key, rows in (("landmarks", genes["is_landmark"]), ("targets", ~genes["is_landmark"])):
        table = genes.loc[rows, ["symbol", "ensembl", "probes"]]
        pack(path_of(folder, "dgex-maps", key), table.to_csv(sep="\t", header=False, index=False))


def write_microarrays(folder: Path) -> None:
    """Write profiles of probes, quantile normalised, landmarks first, some in no list; two samples twice."""
    values, names = _arrays()
    accessions = [f"GSM{100_000 + 3 * i}" for i in range(len(values))]
    _write_gctx(path_of(folder, "dgex-geo", "expression"), values, names, accessions)


def write_gtex(folder: Path) -> None:
    """Write RPKM by Ensembl id with version; one gene stands twice, one is a copy on Y (ENSGR)."""
    values, genes = _sequenced()
    values = np.hstack([values[:_N_SEQUENCED], values[:_N_SEQUENCED, :2]])
    names = [f"{gene}.{i % 9 + 1}" for i, gene in enumerate(genes)]
    names += [f"{genes[0]}.99", genes[1].replace("ENSG0", "ENSGR") + ".7"]
    order = np.random.default_rng(2).permutation(len(genes))
    order = [*order, len(genes), len(genes) + 1]
    ids = [f"GTEX-N7M{i // 2:02d}-{7 + i:04d}-SM-2D7W{i % 9}" for i in range(_N_SEQUENCED)]
    path = path_of(folder, "dgex-gtex", "expression")
    _write_gctx(path, values[:, order], [names[at] for at in order], ids)


def write_geuvadis(folder: Path) -> None:
    """Write RPKM as text, corrected for hidden factors, so that a few values fall below zero."""
    values, genes = _sequenced()
    values = values[_N_SEQUENCED:] - 0.05
    names = [f"{gene}.{i % 9 + 1}" for i, gene in enumerate(genes)]
    table = pd.DataFrame({"TargetID": names, "Gene_Symbol": names})
    table["Chr"] = ["X" if i % 23 == 22 else str(i % 23 + 1) for i in range(len(names))]
    table["Coord"] = [10_000 + 513 * i for i in range(len(names))]
    people = [f"{'HG' if i % 2 else 'NA'}{i + 96:05d}" for i in range(len(values))]
    table[people] = values.T
    table = table.sample(frac=1, random_state=3)
    path = path_of(folder, "geuvadis", "expression")
    pack(path, table.to_csv(sep="\t", index=False, float_format="%.9g"))


def write_inferred(folder: Path) -> None:
    """Write inferred profiles: landmark probes first, the others a linear function of them; mean 0, sd 1."""
    arrays, names = _arrays()
    n_first = _N_LANDMARKS + _UNLISTED
    scaled = (arrays - arrays.mean(axis=0)) / arrays.std(axis=0)
    weights = np.linalg.lstsq(scaled[:, :n_first], scaled[:, n_first:], rcond=None)[0]
    wells = _values(landmark_twin(_N_INFERRED, _N_LANDMARKS, _N_TARGETS, nonlinear=0), _N_INFERRED)
    known = (wells - wells.mean(axis=0))[:, :n_first] / wells.std(axis=0)[:n_first]
    values = np.hstack([known, known @ weights])
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    plates = [f"CPC{i // 51:03d}_A375_24H_X{i // 51 % 3 + 1}_F1B3_DUO52HI53LO" for i in range(_N_INFERRED)]
    rows = [f"{'ABCDEFGHIJKLMNOP'[i % 51 % 16]}{i % 51 // 16 + 1:02d}" for i in range(_N_INFERRED)]
    ids = [f"{plate}:{well}" for plate, well in zip(plates, rows, strict=True)]
    _write_gctx(path_of(folder, "l1000-inferred", "expression"), values, names, ids)


def _genes() -> pd.DataFrame:
    """Return one row for each row of the lists; `gene` numbers the genes, which may be in both."""
    twin = landmark_twin(2, _N_LANDMARKS, _N_TARGETS).var.reset_index(drop=True)
    landmarks, targets = (twin.index[twin[f"is_{kind}"]] for kind in ("landmark", "target"))
    order = [*landmarks, *targets, *landmarks[:_N_BOTH]]
    genes = pd.DataFrame({"gene": order, "symbol": twin["symbol"].to_numpy()[order]})
    genes["is_landmark"] = genes.index < _N_LANDMARKS
    genes["ensembl"] = [ensembl(gene) for gene in order]
    genes["probes"] = [",".join(_probes(i)) for i in range(len(genes))]
    genes.loc[_N_LANDMARKS, "symbol"] = genes.loc[_N_LANDMARKS + 1, "symbol"]
    return genes


def _probes(row: int) -> list[str]:
    """Return the probes of a row of the lists: one of a landmark, one to three of a target."""
    n = 1 if row < _N_LANDMARKS else row % 3 + 1
    return [f"{200_000 + 7 * row + at}{('_at', '_s_at', '_x_at')[at]}" for at in range(n)]


def _arrays() -> tuple[np.ndarray, list[str]]:
    """Return profiles x probes, and their names: landmarks, unlisted, then the targets' and unlisted ones."""
    values = _values(landmark_twin(_N_ARRAYS, _N_LANDMARKS, _N_TARGETS), _N_ARRAYS)
    reference = np.clip(np.sort(values, axis=1).mean(axis=0), 4, 15)
    values = reference[values.argsort(axis=1).argsort(axis=1)]
    values = np.vstack([values, values[:1], values[5:6] + 0.001])
    rows = [name for probes in _genes()["probes"] for name in probes.split(",")]
    last = [f"AFFX-{at}_at" for at in range(_UNLISTED)]
    names = [*rows[:_N_LANDMARKS], *_UNLISTED_LANDMARKS, *rows[_N_LANDMARKS:], *last]
    return values.astype(np.float32), names


def _values(twin: object, n_samples: int) -> np.ndarray:
    """Return probes of a twin's genes: the gene, a level and noise of the probe."""
    genes, generator = _genes(), np.random.default_rng(1)
    of_probe = np.repeat(genes["gene"].to_numpy(), genes["probes"].str.count(",") + 1)
    unlisted = np.full(_UNLISTED, -1)
    of_probe = np.concatenate([of_probe[:_N_LANDMARKS], unlisted, of_probe[_N_LANDMARKS:], unlisted])
    values = np.where(of_probe >= 0, twin.X[:, of_probe].astype(float), 8.0)
    values += generator.normal(0, 0.5, len(of_probe))
    return values + generator.normal(0, 0.15, (n_samples, len(of_probe)))


def _sequenced() -> tuple[np.ndarray, list[str]]:
    """Return RPKM of samples x genes, each gene once, some that are in no list at the end; and their ids."""
    twin = landmark_twin(_N_SEQUENCED + _N_LINES, _N_LANDMARKS, _N_TARGETS, pipeline=1.0)
    other = np.random.default_rng(4).normal(8, 2, (twin.n_obs, _UNLISTED))
    values = np.maximum(2.0 ** (np.hstack([twin.X, other]) - 6) - 0.5, 0)
    return np.round(values, 6), [ensembl(gene) for gene in range(values.shape[1])]


def _write_gctx(path: Path, values: np.ndarray, genes: list[str], samples: list[str]) -> None:
    frames = {"obs": pd.DataFrame(index=samples), "var": pd.DataFrame(index=genes)}
    write_gctx_blocks([values.astype(np.float32)], path, **frames)
