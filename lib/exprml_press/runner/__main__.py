"""The worker of the run graph: ``python -m exprml_press.runner --parent PID NAME PROFILE``."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys

from exprml.base.errors import ExprmlError
from exprml.book import profiles
from exprml_press.processes import leave_with_parent
from exprml_press.runner.folders import Folders, explain
from exprml_press.runner.kernel import PrivateKernelManager
from exprml_press.runner.worker import Order, execute


def _order_from_graph(name: str, profile: str) -> Order:
    """Return the order that the build wrote down in the key file."""
    notebook = profiles.notebooks()[name]
    parts = json.loads(Folders(profile).key(name).read_text(encoding="utf-8"))
    del parts["key"]
    plan, missing = profiles.plan_of(notebook, profile), tuple(parts["missing"])
    return Order(notebook, profile, parts["parameters"], plan, parts, missing=missing)


def main(arguments: list[str] | None = None) -> int:
    """Run one notebook of the graph; the exit status says whether it is complete."""
    parser = argparse.ArgumentParser(prog="exprml_press.runner")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("name")
    parser.add_argument("profile")
    given = parser.parse_args(arguments)
    leave_with_parent(given.parent, PrivateKernelManager.kill_all)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `finally` clauses run
    try:
        outcome = execute(_order_from_graph(given.name, given.profile))
    except (ExprmlError, OSError) as error:
        message = explain(error) if isinstance(error, OSError) else str(error)
        print(f"failed    {given.name}: {message}", file=sys.stderr, flush=True)
        return 1
    word = "finished" if outcome.ok else "failed"
    detail = f"in {outcome.seconds:.1f} s" if outcome.ok else outcome.message
    with contextlib.suppress(OSError):
        print(f"{word:9} {given.name} {detail}", file=sys.stderr, flush=True)
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main())
