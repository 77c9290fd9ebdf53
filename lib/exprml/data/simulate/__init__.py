"""Made data: the simulations of heil2022, twins of real data sets, and the floor.

All draws come from one seeded generator, so the same arguments give the same values everywhere. The module of
a simulation is imported when it is first used, so that a page depends on those it makes data with.
"""

from exprml.base import lazy

_HOME = {
    "FLOOR": "gtex",
    "TISSUES": "gtex",
    "floored_shift": "heil",
    "gtex_twin": "gtex",
    "heil_simulation": "heil",
    "landmark_twin": "landmarks",
    "plates_twin": "plates",
    "probe_twin": "plates",
    "studies_structure": "studies",
    "studies_twin": "studies",
    "tcga_twin": "tcga",
}  # name -> module of this folder

__getattr__, __dir__ = lazy.names(__name__, _HOME)
