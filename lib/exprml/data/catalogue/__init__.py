"""Which data sets there are, which can be had, and how they become AnnData.

``load(name)`` is what notebooks call. The list is ``data/catalogue.yml``; files go to ``data/raw``, what the
readers make of them to ``data/prepared``, the choice for every notebook to ``data/plan.json``.
"""

from exprml.base import lazy

_HOME = {  # module of this folder -> its names
    "entries": "DataFile Entry entry names",
    "fetching": "fetch",
    "loading": "load",
    "plan": "plan_for resolve",
}

__getattr__, __dir__ = lazy.names(__name__, _HOME)
