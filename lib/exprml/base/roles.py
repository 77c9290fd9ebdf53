"""How data stand to a paper, and the one wording of it: in the catalogue, on pages and under figures."""

from __future__ import annotations

from dataclasses import dataclass

OWN, READERS_OWN, STAND_IN, MADE, TWIN = "own", "reader's own", "stand-in", "made", "twin"


@dataclass(frozen=True)
class Role:
    """One way in which data stand to a paper.

    Attributes
    ----------
    words : str
        For readers; what stands before the comma is enough for a badge.
    colour : str
        Of its badge.
    """

    words: str
    colour: str

    @property
    def short(self) -> str:
        """The words up to the comma."""
        return self.words.split(",")[0]


ROLES = {  # ever less real
    OWN: Role("the paper's own data", "#1b6e4a"),
    READERS_OWN: Role("your own data", "#444444"),
    STAND_IN: Role("stand-in data, not the paper's", "#1f5fa8"),
    MADE: Role("made data, by the paper's recipe", "#5b3a8c"),
    TWIN: Role("simulated twin, not real data", "#9a3b00"),
}
PAPERS_ROLES = (OWN, STAND_IN, MADE, TWIN)  # what an entry of the catalogue may say
NOT_OWN = {role: ROLES[role].words for role in (STAND_IN, MADE, TWIN)}  # what a figure must own up to
