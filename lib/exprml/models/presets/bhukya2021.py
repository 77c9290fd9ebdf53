"""bhukya2021 (Methods): E-MLP's parts and the D-GEX it was compared with."""

from __future__ import annotations

from exprml.models.presets.preset import Preset

PRESETS: dict[str, Preset] = {}
