"""``exprml new TEMPLATE``: a notebook of the reader's own, from a template, on the reader's files."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.base.files import project_root, write_text
from exprml.book.context import OWN_FOLDER

_USAGE = "exprml new {} --expression FILE [--labels FILE] {}"
TEMPLATES = Path(__file__).with_name("templates")
_COLUMNS = ("label", "group", "plate")
_FURTHER = {"reference": "WORD", "terms": "FILE"}  # of some templates
_LEAST_GENES = 5  # of a term, among the reader's genes
_READING = {  # option of the command -> argument of user_files.load, kept in the parameter `reading`
    "samples_in": "", "sample_column": "", "metadata_columns": [], "exclude": [], "missing_label": [],
    "r_object": "", "layer": "", "duplicates": "error", "delimiter": "", "decimal": "", "encoding": "",
    "log": False, "missing": "genes",
}  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    new = subparsers.add_parser(
        "new",
        help="write a notebook of your own, on your data, from a template",
        description="Write a notebook that runs an experiment of the book on your own file. The files are "
        "read and checked first. Without a name: list the templates.",
    )
    add = new.add_argument
    add("template", nargs="?", help="name of a template, for example tissue-benchmark")
    add("--expression", metavar="FILE", help="values: GCT, GCTX, TSV/CSV, h5ad or R data")
    add("--labels", metavar="FILE", default="",
        help="TSV/CSV, one line a sample; needless if the values' file has them")  # fmt: skip
    add("--label", metavar="COLUMN", default="", help="column with the class")
    add("--group", metavar="COLUMN", default="",
        help="column with the donor, patient, study or compound: name one if there is one")  # fmt: skip
    add("--plate", metavar="COLUMN", default="", help="perturbation-benchmark: column with the plate")
    add("--reference", metavar="WORD", default="",
        help="change-compression, of counts: the label of each series' controls")  # fmt: skip
    add("--terms", metavar="FILE", default="",
        help="change-compression: sets of genes (GMT), to be told from a code")  # fmt: skip
    add("--sample-column", metavar="COLUMN", default="",
        help="column of the labels file with the sample ids (the first)")  # fmt: skip
    add_reading(new)
    add("--exclude", metavar="NAME", nargs="+", default=[], help="genes, samples or columns to leave out")
    add("--missing-label", metavar="WORD", nargs="+", default=[],
        help="words for 'not known' in label and group, beside empty cells")  # fmt: skip
    add("--log", action="store_true", help="take log2(x + 1)")
    add("--missing", metavar="genes|samples|error", default="genes",
        help="what is left out where values are missing (genes)")  # fmt: skip
    add("--folds", type=int, default=5, help="folds of whole groups (5)")
    add("--min-groups", type=int, default=0, help="groups a class needs (tissues: two a fold)")
    add("--output", type=Path, metavar="FILE", help="default: my/TEMPLATE.ipynb")
    add("--force", action="store_true", help="replace a notebook that is there")
    new.set_defaults(run=_new)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a reader's expression file is read."""
    add = parser.add_argument
    add("--samples-in", metavar="rows|columns", default="",
        help="where the samples stand in a table or in R data; never guessed")  # fmt: skip
    add("--metadata", metavar="COLUMN", dest="metadata_columns", nargs="+", default=[],
        help="columns of a table that are no genes (or no samples); columns of words are found")  # fmt: skip
    add("--r-object", metavar="NAME", default="", help="which object of an R file")
    add("--layer", metavar="NAME", default="", help="which layer of an h5ad file, in place of X")
    add("--duplicates", metavar="sum|mean|first|error", default="error",
        help="what becomes of genes with one id (error: refuse)")  # fmt: skip
    add("--delimiter", metavar="MARK", default="",
        help="comma, tab, semicolon, space or the character between cells; else found")  # fmt: skip
    add("--decimal", metavar="MARK", default="", help="decimal mark of a table, . or , (else found)")
    add("--encoding", metavar="NAME", default="", help="encoding of tables, as latin-1 (else found)")


def templates() -> dict[str, dict[str, Any]]:
    """Return what every template says of itself: about, options it needs and takes, folds, groups a fold."""
    documents = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(TEMPLATES.glob("*.ipynb"))}
    return {name: one["metadata"]["exprml"] for name, one in documents.items()}


def _new(given: argparse.Namespace) -> None:
    known = templates()
    if given.template is None:
        for name, said in known.items():
            print(f"{name}  {said['about']}\n    {_usage(name, said)}")
        return
    check_known("template", [given.template], known)
    said = known[given.template]
    for option in ("expression", *_COLUMNS, *_FURTHER):
        needed = option in ("expression", *said["needs"])
        if needed != bool(getattr(given, option)) and option not in said["takes"]:
            words = "is missing" if needed else f"has no use in {given.template}"
            raise ParameterError(f"--{option} {words}: {_usage(given.template, said)}")
    if "reference" in said["takes"] and bool(given.label) != bool(given.reference):
        raise ParameterError("--label and --reference go together: counts, their groups, the controls' word")
    output = _output(given)
    _check(given, said)
    write_text(output, _notebook(given, output))
    if output.parent == project_root() / OWN_FOLDER and not (output.parent / ".gitignore").exists():
        write_text(output.parent / ".gitignore", "*\n")  # kept out of git: it may name people's data
    _say_next(output)


def _usage(name: str, said: Mapping[str, Any]) -> str:
    columns = [f"--{one} COLUMN" for one in said["needs"]] + [
        f"[--{one} {_FURTHER.get(one, 'COLUMN')}]" for one in said["takes"]
    ]
    return _USAGE.format(name, " ".join(columns))


def _output(given: argparse.Namespace) -> Path:
    """Return where the notebook goes; refuse to overwrite."""
    output = given.output or project_root() / OWN_FOLDER / given.template
    if not output.name:
        raise ParameterError(f"--output {output}: a folder; give the notebook's name too: {output / 'mine'}")
    output = output if output.suffix == ".ipynb" else output.with_name(output.name + ".ipynb")
    if not re.fullmatch(r"[\w.-]+", output.name):
        raise ParameterError(f"--output {output.name!r}: use letters, digits, - and _ in the name")
    if (project_root() / "notebooks") in output.resolve().parents:
        raise ParameterError(f"--output {output}: notebooks/ holds the book's own; choose another folder")
    if output.exists() and not given.force:
        raise ParameterError(f"{_shown(output)} is there already: --output another, or --force to replace it")
    return output.resolve()


def _check(given: argparse.Namespace, said: Mapping[str, Any]) -> None:
    """Read both files as the notebook will, and print what is in them."""
    from exprml.data import user_files

    if given.folds < said["least_folds"]:
        raise ParameterError(f"--folds {given.folds}: at least {said['least_folds']} are needed")
    given.min_groups = given.min_groups or said["groups_a_fold"] * given.folds
    if given.min_groups < given.folds:
        raise ParameterError(f"--min-groups {given.min_groups}: at least {given.folds}, one for each fold")
    options = {name: getattr(given, name) for name in (*_READING, *_COLUMNS)}
    data = user_files.load(given.expression, given.labels, **options)
    print(f"{Path(given.expression).name}: {data.n_obs:,} samples x {data.n_vars:,} genes")
    print(f"  samples {_first(data.obs_names)}; genes {_first(data.var_names)}; first value {data.X[0, 0]:g}")
    if "plate" in said["takes"]:
        data = user_files.on_plates(data, given.label, given.group, given.plate)
    for note in data.uns["user_files"]["notes"]:
        print(f"  {note}")
    kept = _series(given, data) if "terms" in said["takes"] else _classes(given, data)
    twins = user_files.duplicates(kept, given.label or given.group, given.group)
    across = int((twins["groups"] > 1).sum())
    for warning in data.uns["user_files"]["warnings"]:
        if given.reference and "--log takes" in warning:
            continue  # they are meant to be counts
        print(f"warning: {warning}")
    if across:
        first = twins.loc[twins["groups"] > 1, "first sample"].iloc[0]
        print(f"warning: {across} sets of identical samples stand in several groups, e.g. that of {first!r}")


def _classes(given: argparse.Namespace, data: Any) -> Any:
    """Print the classes and what is left out; return the samples of those that are kept."""
    from exprml.data import user_files

    kept, excluded = user_files.usable_classes(data, given.label, given.group, given.min_groups)
    classes = kept.obs.groupby(given.label, observed=True)[given.group or user_files.EACH_SAMPLE]
    counts = classes.agg(["size", "nunique"]).sort_values("nunique", ascending=False)
    head = [given.label, "samples", "groups"]
    table = tabulate(counts, head, tablefmt="plain", intfmt=",", disable_numparse=[0])
    print(f"\n{textwrap.indent(table, '  ')}\n")
    for name, row in excluded.iterrows():
        print(f"  left out: {name}, {row['samples']} samples, {row['groups']} groups: {row['reason']}")
    return kept


def _series(given: argparse.Namespace, data: Any) -> Any:
    """Print the series of a table of changes; refuse what no code can be compared on."""
    from exprml.evaluation.landmark_parts import three_parts

    where, folds = f"{given.expression}: ", given.folds
    series = _contrasts(given, data) if given.reference else data.obs[given.group]
    sizes = series.value_counts()
    if data.X.min() >= 0 and not given.reference:
        raise DataError(
            f"{where}no value is below zero, so these are no log fold changes: give differences of "
            "logarithms between two groups of samples, a row (or column) a contrast; for counts add --label "
            "(column with the groups of each series) and --reference (the word for controls there)"
        )
    if len(sizes) < folds:
        raise DataError(
            f"{where}{given.group!r} has {len(sizes)} series ({_first(sizes.index)}) for {folds} folds: "
            "one tests, one chooses, the others train; take fewer --folds (3 at least), or more series"
        )
    fewest = min(len(three_parts(series, n_folds=folds, fold=at).train) for at in range(folds))
    given.codes = [length for length in (2, 5, 20) if 2 * length <= min(fewest, data.n_vars)][-2:]
    if not given.codes:
        raise DataError(
            f"{where}as few as {fewest} contrasts train and there are {data.n_vars} genes: the shortest code "
            "(2) needs 4 of each; give more series, or more --folds"
        )
    if given.terms:
        _terms(given, data)
    print(f"\n  {len(sizes)} series of up to {sizes.max()} contrasts; {fewest} or more contrasts train\n")
    return data


def _contrasts(given: argparse.Namespace, data: Any) -> Any:
    """Return the series of every contrast that counts give: a label of a series against its controls."""
    from exprml.data import changes

    where, obs = f"{given.expression}: ", data.obs
    check_known("reference", [given.reference], sorted(set(obs[given.label])), f"column {given.label!r}")
    try:
        changes.log_cpm(data.X)
    except DataError as error:
        raise DataError(f"{where}{error}") from error
    counted = obs.groupby(given.group)[given.label].value_counts().unstack(fill_value=0)
    controls = counted.pop(given.reference)
    pairs = counted.stack()[lambda one: one > 0]
    others = counted.sum(axis=1)
    for name in counted.index[(controls == 0) | (others == 0)]:
        raise DataError(
            f"{where}series {name!r} has an empty group ({controls[name]} samples {given.reference!r}, "
            f"{others[name]} others): leave its samples out (--exclude), or name controls alike everywhere"
        )
    for name, word in pairs.index[pairs + controls.reindex(pairs.index, level=0) < 3]:
        raise DataError(
            f"{where}series {name!r} has one sample {word!r} and one control: no error can be known from two"
        )
    print(f"  {len(pairs)} contrasts of a label with {given.reference!r} of its series, by limma")
    return pairs.index.to_frame(index=False)[given.group]


def _terms(given: argparse.Namespace, data: Any) -> None:
    """Say how the sets of genes meet the data; refuse those that cannot be told from them."""
    from exprml.data.readers.okeke2023 import gene_sets

    sets = gene_sets({"sets": Path(given.terms)})
    shared = sets.var_names.isin(data.var_names.str.upper())
    sizes = sets.varm["terms"][shared].sum(axis=0).A1
    usable = int(((sizes >= _LEAST_GENES) & (sizes < shared.sum())).sum())
    if not usable:
        raise DataError(
            f"{given.terms}: none of {len(sizes)} sets has {_LEAST_GENES} genes among yours "
            f"({_first(sets.var_names)} there, {_first(data.var_names)} here): are both symbols?"
        )
    print(f"  {usable} of {len(sizes)} sets have {_LEAST_GENES} genes or more here")


def _first(names: Sequence[str]) -> str:
    return ", ".join(map(str, names[:3])) + (", ..." if len(names) > 3 else "")


def _notebook(given: argparse.Namespace, output: Path) -> str:
    """Return the template with the reader's values in its parameters cell."""
    document = json.loads((TEMPLATES / f"{given.template}.ipynb").read_text(encoding="utf-8"))
    reading = {name: getattr(given, name) for name in _READING if getattr(given, name) != _READING[name]}
    values = {
        "expression": _from_notebook(given.expression, output.parent),
        "labels": _from_notebook(given.labels, output.parent),
        "label": given.label, "group": given.group, "plate": given.plate, "reading": reading,
        "n_folds": given.folds, "min_groups": given.min_groups, "codes": vars(given).get("codes"),
        "reference": given.reference, "terms": _from_notebook(given.terms, output.parent),
    }  # fmt: skip
    for cell in document["cells"]:
        source = "".join(cell["source"])
        if "parameters" in cell["metadata"].get("tags", []):
            source = _with_values(source, values)
        elif cell["cell_type"] == "code":
            source = source.replace(f'start_own("{given.template}"', f"start_own({json.dumps(output.stem)}")
        cell["source"] = source
    document["metadata"]["exprml"] = {"template": given.template}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _with_values(source: str, values: Mapping[str, Any]) -> str:
    """Return a parameters cell with other literals, comments kept."""
    lines = []
    for line in source.splitlines():
        name, kind, value, comment = re.fullmatch(r"(\w+): (\w+) = (.*?)  (# .*)", line).groups()
        lines.append(f"{name}: {kind} = {repr(values[name]) if name in values else value}  {comment}")
    return "\n".join(lines)


def _from_notebook(path: str, folder: Path) -> str:
    """Return how a notebook in `folder` names a file: from there if both move together, else in full."""
    if not path:
        return ""
    there, project = Path(path).resolve(), project_root()
    together = folder in there.parents or (project in there.parents and project in folder.parents)
    return Path(os.path.relpath(there, folder)).as_posix() if together else there.as_posix()


def _say_next(output: Path) -> None:
    shown = _shown(output)
    typed, opened = (shlex.quote(str(one)) for one in (shown.with_suffix(""), shown))
    print(f"written: {shown}\nnext, one of:")
    print(f"  {_command('exprml')} run {typed}\n      runs it and makes {output.stem}.html")
    print(f"  {_command('jupyter')} lab {opened}\n      opens it, to read and change")


def _shown(path: Path) -> Path:
    """Return a path as the reader would type it here."""
    path = path.resolve()
    return path.relative_to(Path.cwd()) if Path.cwd() in path.parents else path


def _command(name: str) -> str:
    """Return how to call a program of this environment: by name only where the shell would find it."""
    beside = Path(sys.executable).with_name(name)
    return name if shutil.which(name) == str(beside) else os.path.relpath(beside)
