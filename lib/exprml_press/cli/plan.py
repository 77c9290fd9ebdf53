"""``exprml plan``: what a run of a profile needs before it starts: files, disk, memory, hours."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from exprml.base.choices import PROFILES
from exprml.base.errors import check_known
from exprml.base.files import project_root

if TYPE_CHECKING:
    from exprml.book.profiles import Notebook
    from exprml.data.catalogue import Entry

# Row of bench/report.csv -> notebook, times how many, and of what.
_MEASURED = {
    "heil2022 grid, no search: extrapolated": ("heil2022/02-gtex-tissues", 1, "its grid without search"),
    "heil2022 grid, search: extrapolated": ("heil2022/02-gtex-tissues", 1, "the search before it"),
    "D-GEX, an epoch at batch 200": (
        "chen2016/02-microarray-benchmark", 88_807 / 3_000 * 200 * 2,
        "one network 943-3000-9520, 200 epochs on 88,807 samples",
    ),
}  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    command = subparsers.add_parser("plan", help="what a run needs before it starts", description=__doc__)
    command.add_argument("--profile", default="default", help="smoke, default or paper")
    command.set_defaults(run=_plan)


def _plan(given: argparse.Namespace) -> None:
    """Print data sets, then notebooks, then sums; nothing is fetched."""
    from exprml.book import profiles
    from exprml.data import catalogue

    check_known("profile", [given.profile], PROFILES)
    known = profiles.notebooks()
    wanted = {name: _first_choices(one, given.profile) for name, one in known.items()}
    used = dict.fromkeys(name for names in wanted.values() for name in names)
    print(f"Data sets that profile {given.profile} asks for first\n")
    print(*(line for name in used for line in _about(catalogue.entry(name))), sep="\n")
    print(f"\n{'notebook':40}{'hours':>8}{'memory':>9}  data")
    for name, one in known.items():
        hours, memory = one.minutes(given.profile) / 60, one.memory_mb(given.profile) / 1000
        print(f"{name:40}{hours:8.2f}{memory:6.0f} GB  {', '.join(wanted[name]) or 'none'}")
    _sums(known, given.profile, [catalogue.entry(name) for name in used])


def _first_choices(notebook: Notebook, profile: str) -> list[str]:
    return list(dict.fromkeys((one.get(profile) or one["default"])[0] for one in notebook.slots.values()))


def _about(found: Entry) -> list[str]:
    """Return a line on a data set, one on each of its files, and how to get what has no address."""
    from exprml.data.catalogue.fetching import in_raw

    if not found.files:
        return [f"{found.name}: made by the library"]
    lines = [f"{found.name}: {found.title}"]
    for file in found.files:
        where = "here" if any(in_raw(file)) else file.origin or "no address"
        lines.append(f"  {file.path} ({_size(file.bytes)}): {where}")
    return lines + ([f"  how to get it: {' '.join(found.how_to_get.split())}"] if found.how_to_get else [])


def _sums(known: dict[str, Notebook], profile: str, used: list[Entry]) -> None:
    files = {file.path: file.bytes for entry in used for file in entry.files}
    unknown = sum(size is None for size in files.values())
    hours = sum(one.minutes(profile) for one in known.values()) / 60
    memory = max(one.memory_mb(profile) for one in known.values()) / 1000
    size = _size(sum(filter(None, files.values())))
    print(f"\ndisk: {size} in files of known size; {unknown} of unknown size, see above")
    print(f"memory: up to {memory:.0f} GB for one notebook (estimates of notebooks/profiles.yml)")
    on = ", on a GPU where networks are large" if profile == "paper" else " on two cores of a laptop"
    print(f"hours: {hours:.1f} one after the other{on} (estimates of notebooks/profiles.yml)")
    for line in measured() if profile == "paper" else []:
        print(line)


def measured() -> list[str]:
    """Return the hours that follow from the steps measured in ``bench/report.csv``, a line each."""
    import pandas as pd

    path = project_root() / "bench" / "report.csv"
    if not path.is_file():
        return []
    rows = pd.read_csv(path).set_index("bench")
    return [
        f"  {notebook}, {what}: {rows.at[bench, 'ours_seconds'] * times / 3600:,.0f} hours without a GPU, "
        f"from steps measured on {str(rows.at[bench, 'hardware']).split(', load')[0]}"
        for bench, (notebook, times, what) in _MEASURED.items()
        if bench in rows.index
    ]


def _size(number: int | None) -> str:
    if number is None:
        return "size unknown"
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"
