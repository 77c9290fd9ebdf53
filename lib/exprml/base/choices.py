"""Words that several rooms must agree on."""

PROFILES = ("smoke", "default", "paper")
REHEARSAL = "rehearsal"  # the paper profile at small sizes, on generated files in the form of the papers' own
