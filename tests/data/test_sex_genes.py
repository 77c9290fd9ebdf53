"""What the chapter on sex tells about GTEx (Toil): which genes of sex its thousand genes hold."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from exprml.base.files import project_root
from exprml.data import catalogue

NOTEBOOK = project_root() / "notebooks" / "heil2022" / "04-sex-and-tumour.ipynb"
needs_mirror = pytest.mark.skipif("EXPRML_MIRROR" not in os.environ, reason="EXPRML_MIRROR is not set")


def known_genes() -> dict[str, str]:
    """Return the list of the notebook: symbol -> Ensembl id."""
    codes = ("".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text())["cells"])
    names: dict = {}
    exec(next(code for code in codes if "KNOWN = " in code), names)
    return names["KNOWN"]


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Give an empty data folder with the project's own catalogue."""
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def toil(data):
    return catalogue.load("gtex-toil")


def test_the_notebook_has_a_list_of_two_genes_of_x_and_eleven_of_y():
    known = known_genes()
    assert len(known) == 13
    assert all(ensembl.startswith("ENSG") for ensembl in known.values())


@pytest.mark.mirror
@needs_mirror
def test_neither_xist_nor_a_main_gene_of_y_is_in_the_table_by_symbol_or_by_id(toil):
    known = known_genes()
    assert {"XIST", "RPS4Y1", "DDX3Y", "KDM5D", "UTY", "EIF1AY", "USP9Y", "ZFY"} <= set(known)
    assert not set(known) & set(toil.var["symbol"])
    assert not set(known.values()) & set(toil.var_names)
    assert {"DDX3X", "TSPEAR"} <= set(toil.var["symbol"])  # the look-up itself finds genes that are there


@pytest.mark.mirror
@needs_mirror
def test_the_ids_of_the_list_are_those_of_its_symbols(data):
    path = catalogue.fetch("gtex-toil")["symbols"]
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    symbols = dict(zip(table["symbol"], table["gene_id"].str.split(".").str[0], strict=True))
    assert {symbol: symbols[symbol] for symbol in known_genes()} == known_genes()


@pytest.mark.mirror
@needs_mirror
def test_two_pseudogenes_of_y_are_above_the_floor_in_men_alone(toil):
    men = (toil.obs["sex"] == "male").to_numpy()
    for symbol in ("XKRYP1", "ZNF736P9Y"):
        above = np.asarray(toil.X[:, toil.var["symbol"] == symbol]).ravel() > toil.X.min()
        assert above[men].mean() > 0.25
        assert above[~men].mean() < 0.02


@pytest.mark.mirror
@needs_mirror
def test_the_organs_of_one_sex_hold_one_sex_alone(toil):
    organs = ["Testis", "Prostate", "Ovary", "Uterus", "Vagina", "Cervix Uteri", "Fallopian Tube"]
    rows = toil.obs[toil.obs["tissue"].isin(organs)]
    assert (rows.groupby("tissue", observed=True)["sex"].nunique() == 1).all()
    assert len(rows) == 267
    breast = toil.obs.loc[toil.obs["tissue"] == "Breast", "sex"].value_counts()
    assert breast.min() >= 25
