"""What scores in a reference run is also trained on shuffled labels there, five times at least."""

import pandas as pd
import pytest

from exprml.base.files import project_root
from exprml.book import results
from exprml.evaluation.parts import SHUFFLED
from exprml.evaluation.scoring import MAJORITY

FEWEST = 5
SCORES = ["balanced_accuracy", "accuracy"]
REMOVAL = ["intact", "removed"]
FOLDER = project_root() / "data" / "reference"
CLASSIFY = [
    name
    for paper in ("heil2022", "mcdermott2020")
    for name in sorted(f"{paper}/{path.stem}" for path in (FOLDER / paper).glob("[0-9]*.csv"))
    if name != "mcdermott2020/02-regulatory-graph"  # nothing is classified there
]


def few_controls(table: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Return models with too few runs on shuffled labels, before or after removal where both are scored."""
    rows = table[table["metric"].isin(SCORES) & (table["model"] != MAJORITY)].copy()
    rows["when"] = rows["setting"].where(rows["setting"].isin(REMOVAL), "")
    runs = rows.drop_duplicates(["dataset", "task", "setting", "model", "control", "split", "seed", "fold"])
    scored = runs[runs["control"] == ""].groupby(["model", "when"]).size()
    idle = runs[runs["control"] == SHUFFLED]
    count = {"": idle.groupby("model").size()} | {
        when: part.groupby("model").size() for when, part in idle.groupby("when") if when
    }
    found = {key: int(count.get(key[1], {}).get(key[0], 0)) for key in scored.index}
    return {key: n for key, n in found.items() if n < FEWEST}


@pytest.mark.parametrize("name", CLASSIFY)
def test_every_model_is_also_run_on_shuffled_labels(name):
    assert not few_controls(results.read_reference(name))


def test_a_model_without_its_control_is_named():
    table = results.read_reference("heil2022/05-sample-or-study")
    assert not few_controls(table)
    model = table.loc[table["control"] == SHUFFLED, "model"].iloc[0]
    lost = table[(table["model"] != model) | (table["control"] != SHUFFLED)]
    assert {key[0] for key in few_controls(lost)} == {model}
