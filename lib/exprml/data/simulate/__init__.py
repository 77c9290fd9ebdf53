"""Made data: the simulations of heil2022, twins of real data sets, and the floor.

All draws come from one seeded generator, so the same arguments give the same values everywhere.
"""

from exprml.data.simulate.gtex import FLOOR, TISSUES, gtex_twin
from exprml.data.simulate.heil import floored_shift, heil_simulation
from exprml.data.simulate.landmarks import landmark_twin
from exprml.data.simulate.parts import detection_floor
from exprml.data.simulate.plates import plates_twin, probe_twin
from exprml.data.simulate.studies import studies_structure, studies_twin
from exprml.data.simulate.tcga import tcga_twin

__all__ = [
    "FLOOR",
    "TISSUES",
    "detection_floor",
    "floored_shift",
    "gtex_twin",
    "heil_simulation",
    "landmark_twin",
    "plates_twin",
    "probe_twin",
    "studies_structure",
    "studies_twin",
    "tcga_twin",
]
