"""Made data: the simulations of heil2022, twins of real data sets, and the floor.

All draws come from one seeded generator, so the same arguments give the same values everywhere. The module of
a simulation is imported when it is first used, so that a page depends on those it makes data with.
"""

from exprml.base import lazy

_HOME = {  # module of this folder -> its names
    "changes": "changes_twin counts_twin terms_twin",
    "gtex": "FLOOR TISSUES gtex_twin",
    "heil": "floored_shift heil_simulation",
    "landmarks": "landmark_twin",
    "perturbations": "l1000_twin regulation_twin",
    "plates": "plates_twin probe_twin",
    "studies": "studies_structure studies_twin",
    "tcga": "tcga_twin",
}

__getattr__, __dir__ = lazy.names(__name__, _HOME)
