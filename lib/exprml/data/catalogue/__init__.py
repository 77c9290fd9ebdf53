"""Which data sets there are, which can be had, and how they become AnnData.

``load(name)`` is what notebooks call. The list is ``data/catalogue.yml``; files go to ``data/raw``, what the
readers make of them to ``data/prepared``, the choice for every notebook to ``data/plan.json``.
"""

from exprml.base import lazy

_HOME = {
    "DataFile": "entries",
    "Entry": "entries",
    "describe": "loading",
    "entry": "entries",
    "export": "exporting",
    "fetch": "fetching",
    "load": "loading",
    "names": "entries",
    "plan_for": "plan",
    "resolve": "plan",
    "verify": "fetching",
}  # name -> module of this folder

__getattr__, __dir__ = lazy.names(__name__, _HOME)
