"""``exprml infer``: the targets of a kept model for a reader's own profiles, block by block.

Memory does not grow with the number of samples of a GCTX file; other formats are read whole.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exprml.base.errors import DataError, ParameterError
from exprml.base.files import as_json
from exprml.base.hashing import file_hash
from exprml_press.cli.new import add_reading

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from anndata import AnnData

    from exprml.models.model_files import StoredModel
    from exprml_press.gene_match import GeneMatch

_READING = ("r_object", "layer", "duplicates", "delimiter", "decimal", "encoding")
FAR_MEAN, FAR_SPREAD = 0.6, 2.0  # training sds between the means; ratio of the sds, either way
_CONSTANT = 1e-6  # training sds: a landmark that spreads less is taken for constant
_EVERY = 2.0  # seconds between two lines of progress


def add_parser(subparsers: Any) -> None:
    """Add the command that applies a kept model."""
    infer = subparsers.add_parser(
        "infer",
        help="predict target genes from landmark genes with a model that was kept",
        description="Predict the target genes of a kept model for every profile of a file that has its "
        "landmark genes. Landmarks are found by id, by symbol or by Ensembl id. The result is a GCTX file "
        "with the samples' metadata, on the scale of the model's training data; it is whole or not there.",
        epilog="Values must be on the scale of the training data (its card says which). The command says "
        "how far the file's means and spreads lie from the training's.",
    )
    add = infer.add_argument
    add("--model", required=True, metavar="FILE", help="NAME.json of NAME.json + .safetensors")
    add("--expression", required=True, metavar="FILE",
        help="profiles: GCTX (in blocks), GCT, TSV/CSV or h5ad (whole)")  # fmt: skip
    add("--out", required=True, metavar="FILE", help="the GCTX file to write")
    add_reading(infer)
    add("--max-missing", type=float, default=0.05, metavar="SHARE",
        help="most landmarks that may be missing; they get the training mean (0.05)")  # fmt: skip
    add("--statistics", choices=("model", "own"), default="model",
        help="standardise by the training's means and sds, or the file's own")  # fmt: skip
    add("--block", type=int, default=1000, metavar="SAMPLES", help="samples at a time (1000)")
    add("--force", action="store_true", help="replace a file that is there")
    infer.set_defaults(run=run)


@dataclass(frozen=True)
class Profiles:
    """A file's metadata and a way to go through its values: ``blocks(columns)`` yields samples x columns."""

    path: Path
    obs: pd.DataFrame
    var: pd.DataFrame
    blocks: Callable[[np.ndarray], Iterator[np.ndarray]]


@dataclass
class Inferring:
    """One call of the command: the model, the profiles and what is said about them."""

    stored: StoredModel
    profiles: Profiles
    match: GeneMatch
    max_missing: float
    gaps: int = 0
    told: list[str] = field(default_factory=list)

    def values(self) -> Iterator[np.ndarray]:
        """Yield blocks of landmark values in the model's order; NaN where one is missing."""
        import numpy as np

        there = self.match.positions >= 0
        start = 0
        for read in self.profiles.blocks(self.match.positions[there]):
            block = np.full((len(read), len(there)), np.nan, dtype=np.float32)
            block[:, there] = read
            self._check(block, start)
            start += len(read)
            yield block

    def _check(self, block: np.ndarray, start: int) -> None:
        """Refuse infinite values, and samples that lack more landmarks than allowed."""
        import numpy as np

        samples = self.profiles.obs.index
        if np.isinf(block).any():
            sample, gene = np.argwhere(np.isinf(block))[0]
            name = self.stored.landmarks.index[gene]
            raise DataError(
                f"{self.profiles.path}: sample {samples[start + sample]!r}, {name!r}: infinite value"
            )
        lacking = np.isnan(block).sum(axis=1)
        if lacking.max() > self.max_missing * block.shape[1]:
            sample = samples[start + int(lacking.argmax())]
            raise DataError(
                f"{self.profiles.path}: sample {sample!r} has no value for {lacking.max()} of "
                f"{block.shape[1]} landmarks, allowed are {self.max_missing:.0%}: "
                "leave it out, or raise --max-missing"
            )
        self.gaps += int(lacking.sum()) - len(self.match.missing) * len(block)

    def say(self, text: str) -> None:
        """Print a line beside the output and remember it for the file's provenance."""
        self.told.append(text)
        print(text, file=sys.stderr)


def run(given: argparse.Namespace) -> None:
    """Match the genes, look at the values, predict and write."""
    from exprml.data.formats import write_gctx_blocks
    from exprml.models import model_files
    from exprml_press.gene_match import match_genes

    out = _checked(given)
    stored = model_files.load(given.model)
    options = {name: getattr(given, name) for name in ("samples_in", *_READING)}
    profiles = read_profiles(Path(given.expression), given.block, texts=given.metadata_columns, **options)
    match = match_genes(stored.landmarks, profiles.var, given.expression)
    call = Inferring(stored, profiles, match, given.max_missing)
    _say_missing(call)
    statistics = _statistics(call, given.statistics)
    attributes = {"provenance": as_json(_provenance(call, given))}
    var = stored.targets.rename_axis(None)
    write_gctx_blocks(_predicted(call, statistics), out, obs=profiles.obs, var=var, attributes=attributes)
    if call.gaps:
        print(f"{call.gaps:,} single values were missing and got the training mean", file=sys.stderr)
    print(f"{out}: {len(profiles.obs):,} samples x {len(stored.targets):,} predicted genes")


def read_profiles(path: Path, size: int, samples_in: str = "", **options: Any) -> Profiles:
    """Open a file of profiles: GCTX is gone through in blocks of `size` samples, others are read whole.

    `options` are those of :func:`exprml.data.user_files.read_values`.
    """
    from exprml.data import formats, user_files

    if formats.file_kind(path) == "gctx" and not samples_in:
        obs, var = formats.read_gctx_metadata(path)
        return Profiles(path, obs, var, lambda columns: formats.gctx_blocks(path, columns=columns, size=size))
    data = user_files.read_values(path, samples_in, **options)
    print(data.uns["provenance"]["steps"][-1], _seen(data), sep="\n", file=sys.stderr)
    parts = [data.X[start : start + size] for start in range(0, data.n_obs, size)]
    return Profiles(path, data.obs, data.var, lambda columns: (part[:, columns] for part in parts))


def _seen(data: AnnData) -> str:
    """Return what was taken as samples, genes and values, before anything is written."""
    import numpy as np

    rows, columns = f"{data.n_obs:,} samples ({data.obs_names[0]}, ...)", f"{data.n_vars:,} genes"
    values = f"values from {np.nanmin(data.X):g} to {np.nanmax(data.X):g}"
    return f"{rows} x {columns} ({data.var_names[0]}, ...), {values}"


def _checked(given: argparse.Namespace) -> Path:
    out = Path(given.out)
    if out.suffix != ".gctx":
        raise ParameterError(f"--out {given.out}: the result is a GCTX file, call it {out.stem}.gctx")
    if out.resolve() == Path(given.expression).resolve():
        raise ParameterError(f"--out {out} is the file of --expression: they would be lost; name another")
    if out.is_dir():
        raise ParameterError(f"--out {out} is a folder: name a file in it, as {out / 'inferred.gctx'}")
    if out.exists() and not given.force:
        raise ParameterError(f"{out} is there already: --out another name, or --force to replace it")
    folder = next(one for one in out.absolute().parents if one.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ParameterError(f"--out {out}: nothing can be written in {folder}; name another folder")
    if not 0 <= given.max_missing < 1:
        raise ParameterError(f"--max-missing {given.max_missing}: a share from 0 to below 1")
    if given.block < 1:
        raise ParameterError(f"--block {given.block}: at least 1 sample")
    return out


def _say_missing(call: Inferring) -> None:
    """Name the landmarks that the file lacks; refuse too many of them."""
    missing, n = call.match.missing, len(call.match.positions)
    if not missing:
        return
    if len(missing) == n:
        seen = ", ".join(repr(str(name)) for name in call.profiles.var.index[:3])
        raise DataError(
            f"{call.profiles.path}: none of the model's {n} landmarks (as {missing[0]!r}) is a gene of it; "
            f"its genes begin with {seen}: are they samples? In a table --samples-in says where they are. "
            "Genes go by the model's ids, symbols or Ensembl ids"
        )
    names = ", ".join(missing[:10]) + (", ..." if len(missing) > 10 else "")
    share = len(missing) / n
    found = f"{len(missing)} of {n} landmarks ({share:.1%}) are missing: {names}"
    if share > call.max_missing:
        raise DataError(
            f"{call.profiles.path}: {found}. Allowed are {call.max_missing:.0%}; with --max-missing "
            f"{share + 0.005:.2f} they would get the training mean"
        )
    call.say(f"{found}; they get the training mean")


def _statistics(call: Inferring, whose: str) -> tuple[np.ndarray, np.ndarray]:
    """Return means and sds to standardise by; warn where the file's differ from the training's."""
    import numpy as np

    scaling, count, total, squares = call.stored.scaling, 0, 0.0, 0.0
    for number, block in enumerate(call.values()):
        if whose == "model" and number:
            break  # the first block is enough for a warning
        if scaling.reference is not None:  # trained on values that were quantile normalised
            block = normalise(block, scaling.reference, scaling.form)
        apart = (block - scaling.landmark_mean) / scaling.landmark_scale  # so that squares keep their digits
        there = ~np.isnan(apart)
        apart = np.where(there, apart, 0)
        count, total = count + there.sum(axis=0), total + apart.sum(axis=0)
        squares = squares + (apart**2).sum(axis=0)
    call.gaps = 0
    with np.errstate(invalid="ignore"):
        mean = total / count
        spread = np.sqrt(np.maximum(squares / count - mean**2, 0))
    n_seen = int(np.max(count))
    if whose == "own":
        if n_seen < 2:
            raise DataError(f"{call.profiles.path}: --statistics own needs 2 samples or more, found {n_seen}")
        mean, spread = np.nan_to_num(mean), np.where(spread > _CONSTANT, spread, 1)
        return scaling.landmark_mean + mean * scaling.landmark_scale, spread * scaling.landmark_scale
    _warn_if_far(call, mean, spread, n_seen)
    return scaling.landmark_mean, scaling.landmark_scale


def _warn_if_far(call: Inferring, mean: np.ndarray, spread: np.ndarray, n_seen: int) -> None:
    """Say how far the file's means and spreads, in training sds, lie from the training's, where it is far."""
    import numpy as np

    apart = float(np.nanmedian(np.abs(mean)))
    ratio = float(np.nanmedian(spread)) if n_seen > 1 else 1.0
    by_chance = 0.67 / n_seen**0.5  # median of |mean|, in sds, of samples drawn like the training's
    if apart <= FAR_MEAN + by_chance and 1 / FAR_SPREAD <= ratio <= FAR_SPREAD:
        return
    call.say(
        f"warning: these values do not look like the training's. In the first {n_seen:,} samples the "
        f"median landmark's mean lies {apart:.1f} training sds from its training mean, and its sd is "
        f"{ratio:.2g} times the training's. Bring the file to the training's scale (logarithm? "
        "normalisation?); --statistics own takes a constant difference out, if the samples are a mixture "
        "like the training's."
    )


def normalise(values: np.ndarray, reference: np.ndarray, form: str) -> np.ndarray:
    """Bring each sample's landmarks to the reference, rank by rank; gaps are filled by the median before."""
    import numpy as np

    from exprml.data.preprocess import QuantileNormaliser

    gaps = np.isnan(values)
    filled = np.where(gaps, np.nanmedian(values, axis=1, keepdims=True), values)
    brought = QuantileNormaliser.handing_out(reference, form=form).transform(filled)
    return np.where(gaps, np.nan, brought)


def _predicted(call: Inferring, statistics: tuple[np.ndarray, np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the predictions block by block, with a line of progress now and then."""
    mean, scale = statistics
    total, done, said = len(call.profiles.obs), 0, time.monotonic()
    for block in call.values():
        yield call.stored.predict(block, mean=mean, scale=scale, normalise=normalise)
        done += len(block)
        if time.monotonic() - said > _EVERY:
            print(f"{done:,} of {total:,} samples", file=sys.stderr)
            said = time.monotonic()


def _provenance(call: Inferring, given: argparse.Namespace) -> dict[str, Any]:
    """Return what the values of the written file are: predictions, by which model, from what."""
    described = Path(given.model.removesuffix(".json").removesuffix(".safetensors") + ".json")
    return {
        "what": "predicted expression, not measured",
        "model": {"file": Path(given.model).name, "sha256": file_hash(described),
                  "provenance": call.stored.provenance},
        "expression": {"file": call.profiles.path.name, "sha256": file_hash(call.profiles.path)},
        "statistics": given.statistics,
        "missing_landmarks": list(call.match.missing),
        "notes": call.told,
    }  # fmt: skip
