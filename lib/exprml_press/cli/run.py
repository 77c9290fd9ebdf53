"""``exprml run NAME``, ``exprml build`` and ``exprml reference NAME``."""

from __future__ import annotations

import argparse
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from exprml.base.choices import PROFILES, REHEARSAL
from exprml.base.errors import NotAvailableError, ParameterError, check_known
from exprml.base.files import atomic_path, data_folder, from_yaml

if TYPE_CHECKING:
    from exprml.book.profiles import Notebook


def add_parser(subparsers: Any) -> None:
    """Add the commands that run notebooks."""
    run = subparsers.add_parser("run", help="run one notebook", description=_run.__doc__)
    run.add_argument(
        "name",
        help="as in `exprml list`, a unique part is enough; or the path of a notebook of your own",
    )
    run.add_argument("--profile", default="default", help="smoke, default (as written) or paper")
    run.add_argument("-p", dest="changes", action="append", default=[], metavar="NAME=VALUE",
                     help="another value for a parameter; may be given several times")  # fmt: skip
    _add_rehearse(run)
    run.set_defaults(run=_run)
    build = subparsers.add_parser("build", help="run what is out of date, then make the site")
    build.add_argument("--profile", default="default", help="smoke, default or paper")
    build.add_argument("--policy", choices=("auto", "real", "simulated"), default="auto")
    _add_rehearse(build)
    build.add_argument("--cores", type=_positive, help="cores the notebooks may fill (all)")
    build.add_argument("--no-site", action="store_true", help="run the notebooks, render nothing")
    build.add_argument("snakemake", nargs="*", metavar="-- OPTION", help="further options for Snakemake")
    build.set_defaults(run=_build, resumes=True)
    keep = subparsers.add_parser("reference", help="keep a notebook's results as its reference run")
    keep.add_argument("name")
    keep.add_argument("--profile", default="default", help="whose results; custom: those changed by hand")
    keep.set_defaults(run=_reference)


def _add_rehearse(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rehearse", action="store_true",
                         help="with --profile paper: its code on small generated files, without a site; "
                         "the numbers mean nothing")  # fmt: skip


def _run(given: argparse.Namespace) -> int:
    """Run one notebook; values changed by hand go to _build/custom and are marked on the page."""
    from exprml.book import profiles
    from exprml_press.cli import user_page
    from exprml_press.runner.worker import run_notebook

    mine = user_page.find(given.name)
    if mine is not None and (given.profile != "default" or given.rehearse):
        raise ParameterError(
            f"--profile {given.profile}: a notebook of your own has no profiles; change values by -p"
        )
    changes = _changes(given, mine or profiles.find(given.name))
    if mine is not None:
        outcome, made = user_page.run(mine, changes)
    else:
        outcome = run_notebook(given.name, _profile(given), changes)
        made = [outcome.page]
    print(f"{'finished' if outcome.ok else 'FAILED'} in {outcome.seconds:.1f} s", end="")
    print("" if outcome.ok else f" {outcome.message}")
    print(*made, sep="\n")
    return 0 if outcome.ok else 1


def _build(given: argparse.Namespace) -> int:
    from exprml.book.machine import cores
    from exprml_press.runner.graph import build

    profile = _profile(given)
    with_site = not given.no_site and profile != REHEARSAL
    complete = build(profile, given.policy, given.cores or cores(), given.snakemake, with_site)
    return 0 if complete else 1


def _profile(given: argparse.Namespace) -> str:
    """Return the profile to run; a rehearsal gets its files first.

    Raises
    ------
    UnknownNameError, ParameterError
        If there is no such profile, or another than paper is to be rehearsed.
    """
    check_known("profile", [given.profile], PROFILES)
    if not given.rehearse:
        return given.profile
    if given.profile != "paper":
        raise ParameterError("--rehearse: only the paper profile is rehearsed; add --profile paper")
    from exprml_press.runner import rehearsal

    rehearsal.prepare()
    return REHEARSAL


def _reference(given: argparse.Namespace) -> None:
    """Copy a results table and its stamp to data/reference, where they can be committed."""
    from exprml.book import profiles
    from exprml.book.context import CUSTOM, results_path

    name = profiles.find(given.name).name
    if given.profile == REHEARSAL:
        raise ParameterError("a rehearsal is no reference run: its numbers mean nothing")
    check_known("profile", [given.profile], (*PROFILES, CUSTOM))
    for suffix in (".csv", ".json"):
        source = results_path(name, given.profile, suffix)
        if not source.is_file():
            how = "-p NAME=VALUE" if given.profile == CUSTOM else f"--profile {given.profile}"
            raise NotAvailableError(f"no results of {name!r}: `exprml run {name} {how}` first")
        with atomic_path(data_folder("reference", name + suffix)) as part:
            shutil.copyfile(source, part)
    print(data_folder("reference", name + ".csv"))


def _changes(given: argparse.Namespace, notebook: Notebook) -> dict[str, Any]:
    """Return the values of ``-p``, read by the types in the parameters cell."""
    changes = {}
    for text in given.changes:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"-p {text!r}: write -p NAME=VALUE")
        check_known("parameter", [name], notebook.parameters, f"notebook {notebook.name}")
        where = f"parameter {name!r} of {notebook.name}"
        changes[name] = from_text(value, notebook.parameters[name].kind, where)
    return changes


def from_text(text: str, kind: str, where: str) -> Any:
    """Return the value a command line gave as text, read as a type.

    ``false`` is a boolean for a bool, and a word for a str.
    """
    import yaml

    from exprml.book.parameters import fit

    for given in [None] * (text == "None") + [text]:
        with suppress(ParameterError):
            return fit(given, kind, where)
    try:
        return fit(from_yaml(text), kind, where)
    except (yaml.YAMLError, ValueError) as error:
        said = getattr(error, "problem", None) or error
        raise ParameterError(f"{where}: {text!r} cannot be read as a value ({said})") from error


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of cores")
    return number
