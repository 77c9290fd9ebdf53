"""`exprml new`: the reader's files are checked, the notebook is written whole, and it runs."""

import gzip
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import rdata
from anndata import AnnData

from exprml.book import results
from exprml.data.formats import write_gct, write_gctx
from exprml_press import cli
from exprml_press.cli import new

TINY = ["epochs=1", "n_trees=3", "n_genes=10", "fractions=[1.0]", "check_folds=1"]


def made() -> AnnData:
    """48 samples x 30 genes of 16 donors in three tissues; a class of one donor beside them."""
    draws = np.random.default_rng(1)
    tissue = np.array(["liver", "lung", "skin"] * 16)
    values = draws.normal(5, 1, (48, 30)) + 2 * (tissue == "liver")[:, None] * (np.arange(30) < 10)
    obs = pd.DataFrame({"tissue": tissue, "donor": [f"d{n // 3}" for n in range(48)]})
    obs.loc[0, "tissue"] = "tonsil"
    names = [f"S-{n}" for n in range(48)]
    var = pd.DataFrame(index=[f"g{n}" for n in range(30)])
    return AnnData(X=values.astype(np.float32), obs=obs.set_index(pd.Index(names, dtype=object)), var=var)


def write_gct_12(data, path):
    rows = ["#1.2", f"{data.n_vars}\t{data.n_obs}", "\t".join(["Name", "Description", *data.obs_names])]
    for gene, values in zip(data.var_names, data.X.T, strict=True):
        rows.append("\t".join([gene, "-", *map(str, values)]))
    path.write_bytes(gzip.compress("\n".join(rows).encode()))


def write_rds(data, path):
    rdata.write_rds(path, data.to_df().astype(float))  # R knows no other


FORMATS = {
    "gct12.gct.gz": (write_gct_12, []),
    "gct13.gct.gz": (write_gct, []),
    "levels.gctx": (write_gctx, []),
    "rows.csv": (lambda data, path: data.to_df().to_csv(path), ["--samples-in", "rows"]),
    "columns.tsv": (lambda data, path: data.to_df().T.to_csv(path, sep="\t"), ["--samples-in", "columns"]),
    "own.h5ad": (lambda data, path: data.write_h5ad(path), []),
    "frame.rds": (write_rds, ["--samples-in", "rows"]),
}  # fmt: skip


@pytest.fixture
def here(project, monkeypatch):
    """Stand in an empty project with the labels of `made` in data/y.csv."""
    monkeypatch.chdir(project.root)
    made().obs.to_csv(project.root / "data" / "y.csv", index_label="run")
    return project.root


def write(here, name: str) -> list[str]:
    writer, options = FORMATS[name]
    writer(made(), here / "data" / name)
    return ["--expression", f"data/{name}", *options]


def ask(*arguments, labels: bool = True) -> int:
    told = ["--labels", "data/y.csv"] if labels else []
    return cli.main(
        [
            "new",
            "tissue-benchmark",
            *told,
            "--label",
            "tissue",
            "--group",
            "donor",
            "--folds",
            "2",
            *arguments,
        ]
    )


def parameters(path) -> dict:
    for cell in json.loads(path.read_text())["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            names: dict = {}
            exec("".join(cell["source"]), names)
            return {name: names[name] for name in names["__annotations__"]}
    return {}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_summed_up_and_written_down(here, capsys, name):
    assert ask(*write(here, name)) == 0
    said = capsys.readouterr().out
    assert f"{name}: 48 samples x 30 genes" in said
    assert re.search(r"lung +16 +16\n", said)
    assert re.search(r"liver +15 +15\n", said)
    assert "left out: tonsil, 1 samples, 1 groups: fewer than 4 groups" in said
    assert "exprml run my/tissue-benchmark" in said
    values = parameters(here / "my" / "tissue-benchmark.ipynb")
    assert (values["expression"], values["labels"]) == (f"../data/{name}", "../data/y.csv")
    assert (values["label"], values["group"]) == ("tissue", "donor")
    assert (values["n_folds"], values["min_groups"]) == (2, 4)
    assert (here / "my" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("name", ["gct13.gct.gz", "levels.gctx", "own.h5ad"])
def test_labels_may_stand_in_the_expression_file(here, capsys, name):
    assert ask(*write(here, name), labels=False) == 0
    assert "48 samples" in capsys.readouterr().out
    assert parameters(here / "my" / "tissue-benchmark.ipynb")["labels"] == ""


def test_labels_may_be_columns_of_the_table(here):
    frame = made().to_df()
    frame.insert(0, "tissue", made().obs["tissue"])
    frame.insert(1, "donor", made().obs["donor"])
    frame.to_csv(here / "data" / "all.csv")
    assert ask("--expression", "data/all.csv", "--samples-in", "rows", labels=False) == 0


def test_the_notebook_runs_from_end_to_end(here, capsys):
    name = "gct12.gct.gz"
    assert ask(*write(here, name), "--output", "my/first") == 0
    changes = [word for one in TINY for word in ("-p", one)]
    assert cli.main(["run", "my/first", *changes]) == 0, capsys.readouterr().out
    table = results.parse_table(here / "my" / "first-changed-results.csv")
    assert set(table["role"]) == {"reader's own"}
    assert set(table["dataset"]) == {name}
    assert {"own-comparison", "own-control", "own-checks"} == set(table["experiment"])
    assert {"intact", "removed", "shuffled labels"} == set(table["setting"])
    assert {"logistic regression", "three-layer", "five-layer", "random forest"} <= set(table["model"])
    page = (here / "my" / "first-changed.html").read_text()
    for words in (
        "The verdict",
        "<figcaption>Balanced accuracy against training",
        "changed by hand",
        "your own data",
    ):
        assert words in page
    assert len(re.findall(r'<img alt="[^"]{20}|alt="Mean balanced', page)) >= 2
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_the_notebook_runs_in_a_kernel_of_the_readers_own(here, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    for name in ("EXPRML_RUN", "EXPRML_PAGE", "IPYTHONDIR"):
        monkeypatch.delenv(name, raising=False)
    assert ask(*write(here, "rows.csv")) == 0
    path = here / "my" / "tissue-benchmark.ipynb"
    notebook = nbformat.read(path, 4)
    (cell,) = [one for one in notebook.cells if "parameters" in one.metadata.get("tags", [])]
    quick = dict(one.split("=") for one in TINY)
    lines = [re.sub(r" = .*?  #", f" = {quick[line.split(':')[0]]}  #", line) if line.split(":")[0] in quick
             else line for line in cell.source.splitlines()]  # fmt: skip
    cell.source = "\n".join(lines)
    NotebookClient(
        notebook, resources={"metadata": {"path": str(path.parent)}}, kernel_name="python3"
    ).execute()
    table = results.parse_table(here / "my" / "tissue-benchmark-results.csv")
    assert set(table["profile"]) == {"live"}
    report = json.dumps(notebook.cells[-1].outputs)
    assert "check_folds" in report
    assert "rows.csv (reader" in report


def test_nothing_is_overwritten_unless_told(here, capsys):
    files = write(here, "rows.csv")
    assert ask(*files, "--output", "my/first try") == 1
    assert "use letters, digits" in capsys.readouterr().err
    assert ask(*files) == 0
    path = here / "my" / "tissue-benchmark.ipynb"
    path.write_text("mine")
    assert ask(*files) == 1
    assert "is there already" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert ask(*files, "--force") == 0
    assert path.read_text() != "mine"


def test_files_elsewhere_are_named_in_full_and_beside_the_notebook_from_there(here, tmp_path):
    files = write(here, "rows.csv")
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    assert ask(*files, "--output", str(outside / "a.ipynb")) == 0
    assert parameters(outside / "a.ipynb")["expression"] == (here / "data" / "rows.csv").as_posix()
    shutil.copy(here / "data" / "rows.csv", outside)
    assert ask("--expression", str(outside / "rows.csv"), *files[2:], "--output", str(outside / "b")) == 0
    assert parameters(outside / "b.ipynb")["expression"] == "rows.csv"


def test_how_the_files_were_read_goes_into_the_notebook(here):
    assert ask(*write(here, "columns.tsv"), "--missing", "samples", "--sample-column", "run") == 0
    reading = parameters(here / "my" / "tissue-benchmark.ipynb")["reading"]
    assert reading == {"samples_in": "columns", "missing": "samples", "sample_column": "run"}


def spoil_gct(here):
    text = gzip.decompress((here / "data" / "gct12.gct.gz").read_bytes()).decode()
    (here / "data" / "bad.gct").write_text(re.sub(r"\ng3\t-\t[^\t]+", "\ng3\t-\thigh", text))


GCT = "data/gct12.gct.gz"
WRONG = [
    (["--expression", "data/no.gct"], "data/no.gct: no such file"),
    (["--expression", "data/y.pkl"], "a Python pickle"),
    (["--expression", "data/bad.gct"], "found 'high'"),
    (["--expression", GCT, "--label", "tissu"], "unknown label column 'tissu': did you mean 'tissue'"),
    (["--expression", GCT, "--group", "doner"], "unknown group column 'doner': did you mean 'donor'"),
    (["--expression", GCT, "--samples-in", "rows"], "leave out --samples-in"),
    (["--expression", GCT, "--folds", "17"], "'lung' (16)"),
    (["--expression", GCT, "--folds", "1"], "at least 2 are needed"),
    (["--expression", GCT, "--min-groups", "1"], "--min-groups 1: at least 2"),
    (["--expression", GCT, "--label", "one"], "has 1 classes"),
    (["--expression", GCT, "--labels", "data/other.csv"], "none of its 48 samples ('T-0', "),
    (["--expression", GCT, "--output", "notebooks/mine"], "notebooks/ holds the book's own"),
    (["--expression", "data/rows.csv"], "say where the samples stand"),
    (["--expression", "data/rows.csv", "--samples-in", "columns"], "change --samples-in"),
    (["--expression", "data/rows.csv", "--samples-in", "row"], "did you mean 'rows'?"),
    (["--expression", "data/holes.csv", "--samples-in", "rows"], "nothing is left ('S-0' lacks most"),
    (["--expression", "data/minus.csv", "--samples-in", "rows", "--log"], "already a logarithm"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=[" ".join(one[1:]) for one, _ in WRONG])
def test_wrong_files_and_words_are_named_and_nothing_is_left_behind(here, refused, arguments, words):
    for name in ("gct12.gct.gz", "rows.csv"):
        write(here, name)
    spoil_gct(here)
    (here / "data" / "y.pkl").write_bytes(b"\x80\x04K\x01.")
    labels = made().obs.assign(one="the same")
    labels.to_csv(here / "data" / "y.csv", index_label="run")
    labels.rename(lambda one: one.replace("S", "T")).to_csv(here / "data" / "other.csv", index_label="run")
    holes = made().to_df()
    holes.loc["S-0"] = np.nan
    holes.to_csv(here / "data" / "holes.csv")
    (made().to_df() - 9).to_csv(here / "data" / "minus.csv")
    refused(ask, arguments, words)


def test_templates_are_listed_and_the_nearest_named(here, capsys):
    assert cli.main(["new"]) == 0
    assert "tissue-benchmark  linear or nonlinear" in capsys.readouterr().out
    assert cli.main(["new", "tissue-benchmrk"]) == 1
    assert "unknown template 'tissue-benchmrk': did you mean 'tissue-benchmark'" in capsys.readouterr().err
    assert cli.main(["new", "tissue-benchmark", "--label", "tissue"]) == 1
    assert "--expression is missing" in capsys.readouterr().err


@pytest.mark.parametrize("path", sorted(new.TEMPLATES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_templates_keep_the_habits_of_the_book(path):
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    sources = ["".join(cell["source"]) for cell in code]
    assert max(len(source.splitlines()) for source in sources) <= 25
    (given,) = ["".join(cell["source"]) for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    assert all(
        re.match(r"\w+: (int|float|str|bool|list|dict) = .+  # \w", line) for line in given.splitlines()
    )
    prose = " ".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert len(prose.split()) >= 700
    assert sources[-1] == "run.finish()"
