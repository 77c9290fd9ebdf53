"""Keep a fitted model in two files: ``NAME.safetensors`` (arrays) and ``NAME.json`` (everything else).

Neither can run code. The JSON names the other file's SHA-256 and its own, so that damage, a cut or a pair
that does not belong together is refused and never used.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from sklearn.base import BaseEstimator

from exprml.base.errors import DataError, ExprmlError, FormatError
from exprml.base.files import as_json, atomic_path, write_text
from exprml.base.hashing import file_hash, text_hash
from exprml.models.model_values import Arrays, describe, restore

FORMAT, VERSION = "exprml-model", 2
Normalise = Callable[[np.ndarray, np.ndarray, str], np.ndarray]


@dataclass(frozen=True)
class Scaling:
    """How values were standardised for training: ``(x - mean) / scale``, gene by gene.

    Attributes
    ----------
    landmark_mean, landmark_scale : array, (landmarks,)
    target_mean, target_scale : array, (targets,)
    reference : array, (landmarks,), optional
        Where landmarks were quantile normalised among themselves before: the profile they were brought to.
    form : str
        Form of that normalisation, "microarray" or "rna-seq".
    """

    landmark_mean: np.ndarray
    landmark_scale: np.ndarray
    target_mean: np.ndarray
    target_scale: np.ndarray
    reference: np.ndarray | None = None
    form: str = ""


@dataclass(frozen=True)
class StoredModel:
    """A fitted model with its genes, its scaling and where it comes from.

    Attributes
    ----------
    model : estimator
    landmarks, targets : DataFrame
        Indexed by gene id; columns symbol and ensembl where known.
    scaling : Scaling
    provenance : dict
        Data set, role, hashes, versions, results key, scores: what `save` was told.
    """

    model: BaseEstimator
    landmarks: pd.DataFrame
    targets: pd.DataFrame
    scaling: Scaling
    provenance: dict[str, Any]

    def predict(
        self,
        values: np.ndarray,
        *,
        mean: np.ndarray | None = None,
        scale: np.ndarray | None = None,
        normalise: Normalise | None = None,
    ) -> np.ndarray:
        """Predict the targets, on the scale of the training data.

        Parameters
        ----------
        values : array, (samples, landmarks)
            On the scale of the training data, landmarks in the model's order; NaN stands for the mean.
        mean, scale : array, (landmarks,), optional
            Statistics to standardise by in place of the training's.
        normalise : callable, optional
            ``(values, reference, form)`` -> values; needed where the model was trained on quantile normalised
            landmarks.

        Returns
        -------
        array, (samples, targets) float32
        """
        held = self.scaling
        if values.ndim != 2 or values.shape[1] != len(self.landmarks):
            raise DataError(f"values have shape {values.shape}: expected samples x {len(self.landmarks)}")
        if held.reference is not None:
            if normalise is None:
                raise DataError("the model was trained on quantile normalised landmarks: give normalise")
            values = normalise(values, held.reference, held.form)
        mean = held.landmark_mean if mean is None else mean
        scale = held.landmark_scale if scale is None else scale
        standardised = np.nan_to_num((values - mean) / scale, nan=0.0, posinf=np.inf, neginf=-np.inf)
        found = self.model.predict(standardised.astype(np.float32)).reshape(len(values), -1)
        return (found * held.target_scale + held.target_mean).astype(np.float32)


def save(
    path: str | Path,
    model: BaseEstimator,
    *,
    landmarks: pd.DataFrame | Sequence[str],
    targets: pd.DataFrame | Sequence[str],
    scaling: Scaling,
    provenance: Mapping[str, Any],
) -> Path:
    """Write a fitted model; the JSON comes last, and without it there is no model.

    Parameters
    ----------
    path : str or Path
        ``NAME``, ``NAME.json`` or ``NAME.safetensors``.
    model : estimator
        The book's or scikit-learn's, fitted on standardised values.
    landmarks, targets : DataFrame or list of str
        Genes in the model's order: indexed by id, with columns symbol and ensembl where known.
    scaling : Scaling
    provenance : dict
        Of texts, numbers, lists and dicts: data set, role, hashes, results key, scores on the test part.

    Returns
    -------
    Path
        The JSON file.
    """
    weights, described = _paths(path)
    arrays: Arrays = {}
    genes = {"landmarks": _gene_table(landmarks), "targets": _gene_table(targets)}
    _check_sizes(scaling, genes)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "model": describe(model, arrays),
        "scaling": {one: describe(_as_array(value), arrays, f"scaling.{one}")
                    for one, value in vars(scaling).items()},
        "provenance": dict(provenance),
        "made_with": _versions(),
    }  # fmt: skip
    document |= {kind: table.reset_index(names="id").to_dict("list") for kind, table in genes.items()}
    with atomic_path(weights) as part:
        save_file(arrays, part)
        size = part.stat().st_size
        document["weights"] = {"file": weights.name, "sha256": file_hash(part), "bytes": size}
    write_text(described, as_json(document | {"sha256": text_hash(as_json(document))}))
    return described


def load(path: str | Path) -> StoredModel:
    """Read a model that `save` wrote.

    Raises
    ------
    FormatError
        If a file is missing, cut short, damaged, not ours, of another version of the format, or holds an
        estimator that is neither the book's nor scikit-learn's.
    """
    weights, described = _paths(path)
    document = _read_description(described)
    arrays = _read_arrays(weights, document["weights"])
    try:
        scaling = {one: restore(value, arrays) for one, value in document["scaling"].items()}
        genes = [pd.DataFrame(document[kind]).set_index("id") for kind in ("landmarks", "targets")]
        model = restore(document["model"], arrays)
        return StoredModel(model, *genes, Scaling(**scaling), document["provenance"])
    except ExprmlError:
        raise
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        raise FormatError(f"{described}: not a whole model file ({type(error).__name__}: {error})") from error


def _paths(path: str | Path) -> tuple[Path, Path]:
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in (".json", ".safetensors") else path
    return stem.with_name(stem.name + ".safetensors"), stem.with_name(stem.name + ".json")


def _gene_table(genes: pd.DataFrame | Sequence[str]) -> pd.DataFrame:
    """Return ids, symbols and Ensembl ids as texts; a blank stands for what is not known."""
    if not isinstance(genes, pd.DataFrame):
        genes = pd.DataFrame(index=pd.Index(list(genes)))
    kept = {one: genes[one].astype(object) for one in ("symbol", "ensembl") if one in genes}
    table = pd.DataFrame({one: values.where(values.notna(), "").astype(str) for one, values in kept.items()},
                         index=genes.index.astype(str))  # fmt: skip
    twice = table.index[table.index.duplicated()]
    if len(twice):
        raise DataError(f"gene id {twice[0]!r} stands twice: ids must be unique")
    return table


def _check_sizes(scaling: Scaling, genes: Mapping[str, pd.DataFrame]) -> None:
    for name, value in vars(scaling).items():
        kind = "targets" if name.startswith("target") else "landmarks"
        if name != "form" and value is not None and np.shape(value) != (len(genes[kind]),):
            raise DataError(
                f"scaling: {name} has shape {np.shape(value)}, but there are {len(genes[kind])} {kind}"
            )


def _as_array(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else np.asarray(value, dtype=np.float64)


def _versions() -> dict[str, str]:
    packages = ("exprml", "numpy", "scikit-learn", "torch", "safetensors")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def _read_description(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FormatError(f"{path}: no such file; a model is NAME.json and NAME.safetensors")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(f"{path}: cut short or no JSON ({error}); copy or make it again") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise FormatError(f"{path}: not a model file of ours (no 'format': {FORMAT!r})")
    if document.get("version") != VERSION:
        found = document.get("version")
        raise FormatError(f"{path}: format version {found!r}, this library reads {VERSION}; update it")
    claimed = document.pop("sha256", None)
    if claimed != text_hash(as_json(document)):
        raise FormatError(f"{path}: content and checksum differ: damaged or changed by hand; make it again")
    return document


def _read_arrays(path: Path, expected: Mapping[str, Any]) -> Arrays:
    if not path.is_file():
        raise FormatError(f"{path}: no such file; it belongs beside the .json")
    size = path.stat().st_size
    if size < expected["bytes"]:
        raise FormatError(f"{path}: cut short, {size} of {expected['bytes']} bytes; copy it again")
    if file_hash(path) != expected["sha256"]:
        raise FormatError(f"{path}: damaged, or not the file that the .json was written for; copy both again")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise FormatError(f"{path}: not a safetensors file ({error})") from error
