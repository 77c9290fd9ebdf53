"""Which data sets there are, which can be had, and how they become AnnData.

``load(name)`` is what notebooks call. The list is ``data/catalogue.yml``; files go to ``data/raw``, what the
readers make of them to ``data/prepared``, the choice for every notebook to ``data/plan.json``.
"""

from exprml.data.catalogue.entries import DataFile, Entry, entry, names
from exprml.data.catalogue.exporting import export
from exprml.data.catalogue.fetching import fetch, verify
from exprml.data.catalogue.loading import describe, load
from exprml.data.catalogue.plan import plan_for, resolve

__all__ = [
    "DataFile",
    "Entry",
    "describe",
    "entry",
    "export",
    "fetch",
    "load",
    "names",
    "plan_for",
    "resolve",
    "verify",
]
