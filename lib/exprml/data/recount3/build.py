"""The two passes over the projects, and the table they end in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, NotAvailableError, ParameterError, check_known
from exprml.base.files import as_json, atomic_path, data_folder
from exprml.base.gene_ids import without_version
from exprml.base.hashing import text_hash
from exprml.base.locks import held
from exprml.data.catalogue import fetching
from exprml.data.catalogue.checking import record
from exprml.data.catalogue.entries import entry
from exprml.data.preprocess import RANKS
from exprml.data.recount3 import sources
from exprml.data.recount3.samples import FILTERS, Project, gene_sums, transcripts_per_million
from exprml.data.recount3.state import VARIANCES, Running, State

LENGTHS = ("annotation", "gene-lengths")
STORAGE = {"float32": "float32", "paper-float16": "float16"}  # the paper's slip loses small values
SEX_LABELS = "recount3/combined_human_mouse_meta_v2.csv"
_ROWS = 4096  # written to the store together
Report = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What a build does; the defaults follow the paper's code where that is no slip.

    Attributes
    ----------
    projects : tuple of str
        Which, in this order; none: all of the list of samples.
    n_genes : int
    rank : {"before-scaling", "after-scaling"}
        The paper's code ranks Recount3's genes by the variance of TPM; its text, of values scaled to [0, 1].
    lengths : {"annotation", "gene-lengths"}
        Exon bases as recount3's annotation has them (all genes), or the data set gene-lengths (fewer genes).
    variance : {"per-sample", "by-line-number"}
        See :class:`exprml.data.recount3.state.Running`.
    storage : {"float32", "paper-float16"}
    """

    projects: tuple[str, ...] = ()
    n_genes: int = 5000
    rank: str = "before-scaling"
    lengths: str = "annotation"
    variance: str = "per-sample"
    storage: str = "float32"

    def __post_init__(self) -> None:
        choices = {"rank": RANKS, "lengths": LENGTHS, "variance": VARIANCES, "storage": tuple(STORAGE)}
        for name, known in choices.items():
            check_known(name, [getattr(self, name)], known)
        if self.n_genes < 1:
            raise ParameterError(f"n_genes {self.n_genes}: keep at least one")


def build(
    settings: Settings,
    *,
    sex_labels: str | Path | None = None,
    without_missing: bool = False,
    report: Report = print,
) -> Path:
    """Make the store of the data set recount3 and return its path; go on where an earlier call was killed.

    Parameters
    ----------
    settings : Settings
    sex_labels : path, optional
        The table of Flynn et al.; by default its place below ``data/raw``, and no sexes if it is not there.
    without_missing : bool
        Whether projects that cannot be had are left out; else the build ends with their names.
    report : callable
        Takes lines that say how far it is.

    Raises
    ------
    NotAvailableError
        If files cannot be had. What is finished stays, so the same call goes on.
    DataError
        If a file is not what it should be, or no sample is left.
    """
    folder = data_folder("raw", "recount3")
    with held(folder / ".build.lock"):
        genes = sources.read_annotation(_fetched(sources.annotation_file()))
        lengths = _lengths(genes, settings.lengths)
        first = {key: getattr(settings, key) for key in ("projects", "lengths", "variance")}
        state = State(folder / f"build-{text_hash(as_json(first))[:12]}.sqlite")
        running = _first_pass(settings, state, lengths, without_missing, report)
        if not running.n:
            found = f"no sample of {len(state.finished())} projects"
            raise DataError(f"{found} passes the filters: see {FILTERS}")
        chosen = running.choose(settings.n_genes, settings.rank)
        obs = _obs(state, sex_labels)
        key = text_hash(as_json([asdict(settings), running.n, int(running.lines)]))[:12]
        rows = state.path.with_name(f"rows-{key}.float32")
        _second_pass(state, rows, running, chosen, lengths, report)
        var = _var(genes[lengths.notna()].iloc[chosen], running, chosen)
        store = data_folder("raw", entry("recount3").files[0].path)
        _write(store, rows, obs, var, settings, state.audit())
        record(entry("recount3").files[0], store)
        rows.unlink()
    return store


def _first_pass(
    settings: Settings, state: State, lengths: pd.Series, without_missing: bool, report: Report
) -> Running:
    """Filter the samples and learn the genes' moments, project by project."""
    projects = settings.projects or tuple(sources.read_projects(_fetched(sources.samples_file())))
    running = state.running(Running(int(lengths.notna().sum()), settings.variance))
    seen, finished, missing = state.seen(), state.finished(), []
    for number, name in enumerate(projects, 1):
        if name in finished:
            continue
        try:
            paths = {key: _fetched(file) for key, file in sources.project_files(name).items()}
        except NotAvailableError as error:
            missing.append(f"{name} ({error})")
            continue
        counts, metadata = paths.pop("counts"), sources.read_metadata(paths)
        with gene_sums(counts, list(lengths.index)) as sums:
            project = Project(sums, metadata, seen)
            for values, usable in project.tpm(lengths.to_numpy()):
                running.add(values, usable)
        kept = project.metadata.loc[project.kept, ["study", "type", "tissue"]]
        state.finish(name, project.seen, kept, project.audit, running)
        report(f"{number} of {len(projects)}: {name}, {len(kept)} of {project.audit['samples']} samples kept")
    if missing and not without_missing:
        raise NotAvailableError(
            f"{len(missing)} of {len(projects)} projects cannot be had, as {missing[0]}. What is finished is "
            "kept: run the same command again, or leave them out with --without-missing"
        )
    return running


def _second_pass(
    state: State, rows: Path, running: Running, chosen: np.ndarray, lengths: pd.Series, report: Report
) -> None:
    """Write the chosen genes of every kept sample to a plain file of float32, project after project.

    How long the file is says how far an earlier build came; a project that was cut short begins anew.
    """
    with open(rows, "ab") as file:
        there, end = file.tell(), 0
        for name, kept in state.kept():
            start, end = end, end + 4 * len(kept) * len(chosen)
            if len(kept) and end > there:
                file.truncate(start)
                for values in _kept_rows(name, kept.index, lengths):
                    file.write(running.scaled(values, chosen).astype(np.float32).tobytes())
                file.flush()
                os.fsync(file.fileno())
                report(f"{name}: {len(kept)} samples written")


def _kept_rows(name: str, kept: pd.Index, lengths: pd.Series) -> Iterator[np.ndarray]:
    """Yield TPM of a project's kept samples, in slices; of an id that stands twice the first was kept."""
    with gene_sums(_fetched(sources.project_files(name)["counts"]), list(lengths.index)) as sums:
        for _, rows in sums.rows(np.array([sums.samples.index(one) for one in kept])):
            yield transcripts_per_million(rows, lengths.to_numpy())[0]


def _fetched(file) -> Path:
    return fetching.fetch_file("recount3", file)


def _lengths(genes: pd.Series, source: str) -> pd.Series:
    """Return bases of every gene of the files; NaN where the source has none."""
    if source == "annotation":
        return genes.astype(float)
    from exprml.data.catalogue import load

    known = load("gene-lengths").var["length"]
    return known.reindex(without_version(genes.index)).astype(float).set_axis(genes.index)


def _obs(state: State, sex_labels: str | Path | None) -> pd.DataFrame:
    obs = pd.concat([kept for _, kept in state.kept() if len(kept)])
    path = Path(sex_labels) if sex_labels else data_folder("raw", SEX_LABELS)
    if sex_labels and not path.is_file():
        raise DataError(f"{path}: no such file; give the table of Flynn et al., or leave --sex-labels out")
    sexes = sources.read_sexes(path) if path.is_file() else pd.Series(dtype=object)
    obs["sex"] = sexes.reindex(obs.index).fillna("").to_numpy()
    return obs


def _var(genes: pd.Series, running: Running, chosen: np.ndarray) -> pd.DataFrame:
    var = pd.DataFrame({"ensembl_version": genes.index, "length": genes.to_numpy()})
    var.index = pd.Index(without_version(genes.index), name="gene")
    var["minimum"], var["maximum"] = running.minimum[chosen], running.maximum[chosen]
    return var.assign(variance=running.variances()[chosen])


def _write(
    store: Path, rows: Path, obs: pd.DataFrame, var: pd.DataFrame, settings: Settings, audit: pd.DataFrame
) -> None:
    """Write the store, X in slices; whole or not at all."""
    steps = [
        f"filters in the paper's order: {', '.join(FILTERS)}",
        f"TPM by lengths of {settings.lengths}; variance {settings.variance}",
        f"{len(var)} genes of largest variance, ranked {settings.rank}",
        f"scaled to [0, 1] over all samples; stored as {settings.storage}",
    ]
    uns = {"provenance": {"steps": steps, "missing": 0}, "audit": audit}
    with atomic_path(store) as part:
        AnnData(None, obs=obs, var=var, uns=uns).write_h5ad(part)
        with h5py.File(part, "r+") as file:
            file.pop("X", None)
            X = file.create_dataset("X", (len(obs), len(var)), STORAGE[settings.storage], chunks=True)
            X.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
            for start in range(0, len(obs), _ROWS):
                count = min(_ROWS, len(obs) - start) * len(var)
                part_of = np.fromfile(rows, np.float32, count, offset=4 * start * len(var))
                X[start : start + _ROWS] = part_of.reshape(-1, len(var))
