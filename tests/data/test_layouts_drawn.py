"""Any table in any layout is read back as it was: values, ids, genes and labels, drawn by hypothesis."""

import gzip

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exprml.data import user_files
from exprml.data.formats import read_table

LETTERS = "abcdeXYZäß腫"
IDS = st.one_of(
    st.text(LETTERS, min_size=1, max_size=4).map(lambda text: f"P-{text}"),
    st.integers(0, 9999).map("S{:04}".format),
    st.tuples(st.integers(1, 40), st.sampled_from(["1", "10", "01"])).map("site{0[0]}.{0[1]}".format),
    st.integers(10**16, 10**17).map("d{}".format),
)  # fmt: skip
GENES = st.one_of(
    st.integers(1, 999).map("GENE{}A".format),
    st.integers(10**10, 10**11 - 1).map("ENSG{}".format),
    st.integers(1, 99).map("HLA-D{}".format),
)
NUMBERS = st.floats(-5, 20, allow_nan=False).map(lambda one: round(one, 4) + 0.0)


@st.composite
def written(draw):
    """Draw a table and how a program may write it; return both."""
    ids = draw(st.lists(IDS, min_size=6, max_size=10, unique=True))
    genes = draw(st.lists(GENES, min_size=4, max_size=7, unique=True))
    values = draw(st.lists(NUMBERS, min_size=len(ids) * len(genes), max_size=len(ids) * len(genes)))
    values = np.reshape(values, (len(ids), len(genes))) + np.linspace(0.01, 0.07, len(genes)).round(2)
    form = {
        "mark": draw(st.sampled_from(["\t", ",", ";"])),
        "decimal": draw(st.sampled_from([".", ","])),
        "turned": draw(st.booleans()),
        "quoted": draw(st.booleans()),
        "end": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "code": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
        "packed": draw(st.booleans()),
        "trailing": draw(st.booleans()),
        "comment": draw(st.booleans()),
    }
    if form["mark"] == form["decimal"]:
        form["decimal"] = "."
    return ids, genes, values, form


def raw_of(rows: list[list[str]], form: dict) -> bytes:
    """Return a table of words, the first row its header, as the form writes it."""
    lines = [form["mark"].join(f'"{cell}"' if form["quoted"] else cell for cell in row) for row in rows]
    lines = [lines[0], *(line + form["mark"] * form["trailing"] for line in lines[1:])]
    lines = ["# made by a program"] * form["comment"] + lines
    raw = (form["end"].join(lines) + form["end"]).encode(form["code"])
    return gzip.compress(raw) if form["packed"] else raw


# No deadline: the machine may be busy. The same examples every time: a red test is red again.
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(written())
def test_what_is_written_is_read_back(tmp_path_factory, table):
    ids, genes, values, form = table
    folder = tmp_path_factory.mktemp("table")
    frame = pd.DataFrame(values, index=ids, columns=genes)
    frame = frame.T if form["turned"] else frame
    number = lambda one: f"{one:.6f}".replace(".", form["decimal"])  # noqa: E731
    rows = [[str(name), *map(number, row)] for name, row in zip(frame.index, frame.to_numpy(), strict=True)]
    path = folder / ("x.txt.gz" if form["packed"] else "x.csv")
    path.write_bytes(
        raw_of([["gene" if form["turned"] else "sample", *map(str, frame.columns)], *rows], form)
    )
    found = read_table(path, samples_in="columns" if form["turned"] else "rows")
    assert list(found.obs_names) == ids
    assert list(found.var_names) == genes
    np.testing.assert_allclose(found.X, values, atol=2e-6)

    labels = folder / ("y.tsv.gz" if form["packed"] else "y.csv")
    groups = [f"{at}.1{'0' * (at % 2)}" for at in range(len(ids))]
    classes = ["none" if at % 2 else "1.10" for at in range(len(ids))]
    table = [["sample", "donor", "kind"], *map(list, zip(ids, groups, classes, strict=True))]
    labels.write_bytes(raw_of(table, form))
    read = user_files.read_labels(labels)
    assert list(read.index) == ids
    assert list(read["donor"]) == groups
    assert list(read["kind"]) == classes
