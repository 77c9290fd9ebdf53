"""The door: ``exprml data … | run … | build … | new … | infer … | list … | search …``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from exprml.base.errors import ExprmlError

_ROOMS = ("data", "run", "new", "infer", "list", "plan", "search")
_FIRST_STEPS = """first steps:
  exprml list                                     the notebooks and how long they take
  exprml run heil2022/01 --profile smoke          one of them, small, in seconds
  exprml run heil2022/01 -p n_features=500        the same with another value
  exprml plan --profile paper                     what a run at the papers' sizes needs
  exprml new                                      what can be run on your own data
  exprml build                                    every notebook and the site
  exprml COMMAND --help                           more about one command"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser with the subcommands of every room."""
    parser = argparse.ArgumentParser(
        prog="exprml",
        description="Run, list and feed the notebooks of the book, or write one on your own data.",
        epilog=_FIRST_STEPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(metavar="command", required=True)
    for room in _ROOMS:
        importlib.import_module(f"exprml_press.cli.{room}").add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors that name their thing end it with one line, not a traceback."""
    given = make_parser().parse_args(arguments)
    try:
        return int(given.run(given) or 0)
    except BrokenPipeError:  # the reader of `exprml list | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ExprmlError as error:
        print(f"exprml: {error}", file=sys.stderr)
    except OSError as error:
        from exprml_press.runner.folders import explain

        print(f"exprml: {explain(error)}", file=sys.stderr)
    except KeyboardInterrupt as stopped:
        again = "goes on from here" if getattr(given, "resumes", False) else "begins anew"
        print(f"\nexprml: stopped; the same command {again}{stopped}", file=sys.stderr)
        return 130
    return 1
