"""The whole book: data plan, keys, notebooks by Snakemake, site. One call, safe to kill and to repeat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from exprml.base.errors import ExprmlError
from exprml.base.files import project_root
from exprml.base.locks import BusyError, held
from exprml.book import profiles
from exprml_press import keys, stage
from exprml_press.runner.folders import Folders
from exprml_press.runner.worker import Order, make_order, orders


def build(
    profile: str, policy: str | None = None, cores: int = 1, extra: Sequence[str] = (), site: bool = True
) -> bool:
    """Bring every page of a profile and its site up to date; return whether all of it is complete.

    Parameters
    ----------
    profile : str
        smoke, default or paper.
    policy : str, optional
        auto, real or simulated: which data the plan may choose.
    cores : int
        How many cores the notebooks may fill together.
    extra : sequence of str
        Further Snakemake options.
    site : bool
        False: run the notebooks only (on a machine whose pages are rendered elsewhere).

    Raises
    ------
    ExprmlError
        If another build of the profile is running, or the site cannot be rendered.
    """
    profiles.check_profile(profile)
    folders = Folders(profile)
    try:
        with held(folders.root / ".lock", wait=False):
            return _build(folders, policy, cores, extra, site)
    except BusyError as busy:
        raise ExprmlError(
            f"a build of profile {profile!r} is running in this folder (process {busy.pid}); "
            "wait for it, or end it and give the same command"
        ) from None


def _build(folders: Folders, policy: str | None, cores: int, extra: Sequence[str], site: bool) -> bool:
    started = time.perf_counter()
    stage.recover(folders)
    folders.remove_leftovers()
    made = orders(folders.label, policy or "auto")
    stale = _write_keys(folders, made)
    _say(f"{len(made) - len(stale)} of {len(made)} notebooks are up to date")
    if stale:
        _run_graph(folders, stale, cores, extra)
        _run_without_what_failed(folders, made, stale, extra)
    failed = [name for name in stale if not _is_complete(folders, made[name])]
    if site:
        _make_site(folders, made, strict=not failed)
    _summarise(folders, made, failed, (time.perf_counter() - started) / 60)
    return not failed


def _run_graph(
    folders: Folders, stale: Sequence[str], cores: int, extra: Sequence[str], missing: Sequence[str] = ()
) -> None:
    """Run the notebooks whose key says so; what failed is told from their pages, not from here.

    `extra` are further Snakemake options (``--executor slurm``). What needs notebooks that are `missing`,
    since they failed, is run without.
    """
    pages = [str(folders.page(name).relative_to(folders.root)) for name in stale]
    command = [sys.executable, "-m", "exprml_press.runner.scheduler", str(os.getpid()), *pages]
    command += ["--snakefile", str(project_root() / "Snakefile"), "--directory", str(folders.root)]
    command += ["--cores", str(cores), "--nolock", "--rerun-incomplete", "--keep-going"]
    command += ["--rerun-triggers", "mtime", "--forcerun", *pages, "--quiet", "all", "--config"]
    command += [f"profile={folders.label}", f"stale={','.join(stale)}", f"missing={','.join(missing)}"]
    environment = {**os.environ, "EXPRML_ROOT": str(project_root())}
    subprocess.run([*command, *extra], env=environment, check=False, stdin=subprocess.DEVNULL)


def _make_site(folders: Folders, made: Mapping[str, Order], *, strict: bool) -> None:
    site_hash = stage.make_stage(folders, {name: _page(folders, made, name) for name in made})
    if not stage.is_rendered(folders, site_hash):
        for warning in stage.render(folders, site_hash, strict=strict):
            _say(warning)


def _write_keys(folders: Folders, made: Mapping[str, Order]) -> list[str]:
    """Write the keys that changed; return the notebooks whose page does not repeat its key."""
    stale = []
    for name, order in made.items():
        keys.write_key(folders.key(name), order.parts)
        if not _is_complete(folders, order):
            folders.failed(name).unlink(missing_ok=True)
            stale.append(name)
    return stale


def _run_without_what_failed(
    folders: Folders, made: dict[str, Order], stale: Sequence[str], extra: Sequence[str]
) -> None:
    """Run the notebooks that waited for one that failed: they say what is missing, and are due again."""
    for name in stale:
        order = made[name]
        missing = tuple(one for one in order.notebook.needs if not _is_complete(folders, made[one]))
        if missing:
            earlier = order.parts["needs"]
            made[name] = make_order(order.notebook, order.profile, order.plan, earlier, missing=missing)
            keys.write_key(folders.key(name), made[name].parts)
            _run_graph(folders, [name], 1, extra, missing)


def _is_complete(folders: Folders, order: Order) -> bool:
    return keys.key_of_output(folders.page(order.notebook.name)) == order.key


def _page(folders: Folders, made: Mapping[str, Order], name: str) -> dict[str, Any]:
    """Return the page of a notebook: complete, failed with its traceback, or not run with the reason."""
    order = made[name]
    path = folders.page(name) if _is_complete(folders, order) else folders.failed(name)
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    return stage.stand_in_page(order.notebook.document, name, _why_killed(folders))


def _why_killed(folders: Folders) -> str:
    logs = sorted((folders.root / ".snakemake" / "log").glob("*.log"))
    where = f" Snakemake's log: {logs[-1].relative_to(project_root())}." if logs else ""
    return f"Its process ended without a word (killed, or out of memory).{where}"


def _summarise(folders: Folders, made: Mapping[str, Order], failed: list[str], minutes: float) -> None:
    used = {
        f"{entry['dataset']} ({entry['role']})" for order in made.values() for entry in order.plan.values()
    }
    _say(f"data: {', '.join(sorted(used)) or 'none'}")
    for name in failed:
        _say(f"FAILED: {name} (its page says why; the next build runs it again)")
    _say(f"{minutes:.1f} minutes, profile {folders.label}")
    index = folders.html / "index.html"
    _say(str(index) if index.is_file() else f"no site yet; pages in {folders.root / 'notebooks'}")


def _say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)
