# The run graph of the notebooks. `exprml build` writes the data plan and the keys, starts this, then renders the
# site; it decides by key, not by date, what is out of date. On a cluster: exprml build --profile paper -- --executor slurm
import sys

from exprml.book import profiles
from exprml.book.profiles import notebooks

PROFILE = config.get("profile", "default")
NOTEBOOKS = notebooks()
STALE = config.get("stale", "").split(",")
MISSING = (config.get("missing") or "").split(",")  # needed pages that failed: their readers do without


def needed_pages(wildcards):
    """Return the pages to wait for. Their dates never make a page due; but a page that is due must not be
    given them as ancient, or Snakemake leaves it out where one of them is made in the same run."""
    needed = [one for one in NOTEBOOKS[wildcards.name].needs if one not in MISSING]
    pages = [f"notebooks/{one}.ipynb" for one in needed]
    return pages if wildcards.name in STALE else ancient(pages)


wildcard_constraints:
    name="|".join(NOTEBOOKS),


rule all:
    input:
        expand("notebooks/{name}.ipynb", name=list(NOTEBOOKS)),


# `exec` makes the worker a child of the scheduler, so that it sees the scheduler die. Its threads come from
# profiles.yml and are part of the run: what is asked for here only keeps two workers from sharing a core.
rule notebook:
    input:
        key="keys/{name}.key",
        needs=needed_pages,
    output:
        "notebooks/{name}.ipynb",
    params:
        python=sys.executable,
        profile=PROFILE,
    threads: lambda wildcards: NOTEBOOKS[wildcards.name].threads
    resources:
        runtime=lambda wildcards: NOTEBOOKS[wildcards.name].timeout_seconds(PROFILE) // 60,
        mem_mb=lambda wildcards: NOTEBOOKS[wildcards.name].memory_mb(PROFILE),
    shell:
        "exec {params.python:q} -m exprml_press.runner --parent $PPID {wildcards.name:q} {params.profile:q}"
