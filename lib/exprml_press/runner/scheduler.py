"""Snakemake, as a process that does not outlive the build that started it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from exprml.base.files import project_root
from exprml.book.machine import leave_with_parent, spare_slow_imports
from exprml_press.runner.folders import Folders


def run_graph(
    folders: Folders,
    stale: Sequence[str],
    cores: int,
    extra: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> None:
    """Run the notebooks whose key says so; what failed is told from their pages, not from here.

    Parameters
    ----------
    folders : Folders
        Of the profile.
    stale : sequence of str
        Names of the notebooks to run.
    cores : int
        How many cores the workers may fill together.
    extra : sequence of str
        Further Snakemake options (``--executor slurm``).
    missing : sequence of str
        Notebooks that failed: those that need them are run without.
    """
    pages = [str(folders.page(name).relative_to(folders.root)) for name in stale]
    command = [sys.executable, "-m", "exprml_press.runner.scheduler", str(os.getpid()), *pages]
    command += ["--snakefile", str(project_root() / "Snakefile"), "--directory", str(folders.root)]
    command += ["--cores", str(cores), "--nolock", "--rerun-incomplete", "--keep-going"]
    command += ["--rerun-triggers", "mtime", "--forcerun", *pages, "--quiet", "all", "--config"]
    command += [
        f"profile={folders.label}",
        f"stale={','.join(stale)}",
        f"missing={','.join(missing)}",
        *extra,
    ]
    environment = {**os.environ, "EXPRML_ROOT": str(project_root())}
    subprocess.run(command, env=environment, check=False, stdin=subprocess.DEVNULL)


def newest_log(folders: Folders) -> Path | None:
    """Return Snakemake's own newest log, for troubles that no notebook reports."""
    logs = sorted((folders.root / ".snakemake" / "log").glob("*.log"))
    return logs[-1] if logs else None


def main() -> None:
    """Start Snakemake and leave, its workers with it, when the build is gone."""
    spare_slow_imports()
    from snakemake.cli import main as snakemake

    leave_with_parent(int(sys.argv[1]), lambda: None)
    snakemake(sys.argv[2:])


if __name__ == "__main__":
    main()
