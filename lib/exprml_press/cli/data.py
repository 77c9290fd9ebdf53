"""``exprml data``: which data sets there are, getting them, and taking them along in plain formats."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from exprml.data import catalogue
from exprml.data.catalogue.fetching import in_raw
from exprml.data.catalogue.plan import POLICIES, PROFILES


def add_parser(subparsers: Any) -> None:
    """Add ``data`` with its own subcommands."""
    parser = subparsers.add_parser("data", help="list, fetch, check and export the data sets")
    commands = parser.add_subparsers(metavar="what", required=True)
    _command(commands, "list", _list, "the data sets, and which are here")
    resolve = _command(commands, "resolve", _resolve, "decide and fetch the data of every notebook")
    resolve.add_argument("--profile", default="default", metavar="|".join(PROFILES))
    resolve.add_argument("--policy", default="auto", metavar="|".join(POLICIES))
    fetch = _command(commands, "fetch", _fetch, "get the files of a data set")
    fetch.add_argument("name")
    _add_build(_command(commands, "build", _build, "make the store of a data set too large to fetch"))
    verify = _command(commands, "verify", _verify, "compare the files with their hashes")
    verify.add_argument("name", nargs="?")
    show = _command(commands, "show", _show, "all there is to know about a data set")
    show.add_argument("name")
    export = _command(commands, "export", _export, "write a data set in a plain format")
    export.add_argument("name")
    export.add_argument("--to", required=True, metavar="csv|gct|h5ad")
    export.add_argument("--output", type=Path, metavar="PATH", help="default: NAME.FORMAT here")
    export.add_argument("--force", action="store_true", help="replace a file that is there")


def _add_build(build: argparse.ArgumentParser) -> None:
    build.add_argument("name", choices=["recount3"])
    build.add_argument("--projects", nargs="+", default=[], metavar="SRP", help="only these; default: all")
    build.add_argument("--genes", type=int, default=5000, metavar="N", help="how many to keep; default 5000")
    build.add_argument("--rank", default="before-scaling", metavar="before-scaling|after-scaling",
                       help="variance of TPM (the paper's code) or of scaled values (its text)")  # fmt: skip
    build.add_argument("--lengths", default="annotation", metavar="annotation|gene-lengths")
    build.add_argument("--variance", default="per-sample", metavar="per-sample|by-line-number",
                       help="by-line-number: the slip of the paper's code")  # fmt: skip
    build.add_argument("--storage", default="float32", metavar="float32|paper-float16")
    build.add_argument("--sex-labels", type=Path, metavar="CSV", help="of Flynn et al., fetched by hand")
    build.add_argument("--without-missing", action="store_true", help="leave out projects that cannot be had")


def _command(commands: Any, name: str, run: Callable, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run, resumes=True)  # what was fetched or built stays
    return parser


def _list(given: argparse.Namespace) -> None:
    entries = [catalogue.entry(name) for name in catalogue.names()]
    _print_table(("name", "role", "here", "title"), [(e.name, e.role, _here(e), e.title) for e in entries])


def _resolve(given: argparse.Namespace) -> None:
    plan = catalogue.resolve(given.profile, given.policy)
    rows = [
        (notebook, slot, one["dataset"], one["role"], one["why"])
        for notebook, slots in plan["notebooks"].items()
        for slot, one in slots.items()
    ]
    _print_table(("notebook", "slot", "data set", "role", "why"), rows)


def _fetch(given: argparse.Namespace) -> None:
    nothing = f"{given.name} is made by the library: there is nothing to fetch"
    print(*(catalogue.fetch(given.name).values() or [nothing]), sep="\n")


def _build(given: argparse.Namespace) -> None:
    from exprml.data.recount3 import build as recount3

    settings = recount3.Settings(
        tuple(given.projects), given.genes, given.rank, given.lengths, given.variance, given.storage
    )
    print(recount3.build(settings, sex_labels=given.sex_labels, without_missing=given.without_missing))


def _verify(given: argparse.Namespace) -> int:
    from exprml_press import inventory

    rows = inventory.verify(given.name)
    _print_table(("data set", "file", "state", "detail"), [tuple(row.values()) for row in rows])
    return int(any(row["state"] == "wrong" for row in rows))


def _show(given: argparse.Namespace) -> None:
    found = catalogue.entry(given.name)
    print(f"{found.title}\n")
    for title in ("about", "shows", "cannot_show", "floor", "units", "group", "licence", "how_to_get"):
        if text := getattr(found, title):
            print(f"{title.replace('_', ' ')}: {text}")
    print("roles:", ", ".join(f"{role} in {paper}" for paper, role in found.roles.items()))
    for one in found.citations:
        print(f"cite: {one['text']}. https://doi.org/{one['doi']}")
    for file in found.files:
        size = f"{file.bytes} bytes" if file.bytes else "size unknown"
        print(f"\n{file.path} ({size})\n  {file.origin or 'no public address'}")
        print(f"  sha256 {file.sha256 or 'recorded at first download'}")
        print(f"  {file.note}" if file.note else "", end="\n" if file.note else "")
        if file.conversion:
            print(f"  or, from a mirror, {file.conversion.path}\n  sha256 {file.conversion.sha256}")


def _export(given: argparse.Namespace) -> None:
    from exprml_press import inventory

    print(inventory.export(given.name, given.to, given.output, force=given.force))
    print(f"Terms: {catalogue.entry(given.name).licence}")


def _here(found: catalogue.Entry) -> str:
    if found.simulated:
        return "made"
    return "yes" if all(any(in_raw(file)) for file in found.files) else "no"


def _print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print(tabulate(rows, head, tablefmt="plain", disable_numparse=True))
