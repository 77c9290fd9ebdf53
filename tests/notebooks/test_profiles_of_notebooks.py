"""What profiles.yml says of the book's own notebooks holds together with the catalogue."""

import pytest

from exprml.book import profiles
from exprml.data import catalogue

NOTEBOOKS = profiles.notebooks()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_candidate_of_every_profile_has_a_role_in_the_notebooks_paper(name):
    slots = NOTEBOOKS[name].slots
    candidates = {one for by_profile in slots.values() for names in by_profile.values() for one in names}
    assert bool(candidates) == bool(slots)
    for one in candidates:
        assert catalogue.entry(one).role_for(name)
