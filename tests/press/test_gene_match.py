"""Landmarks found among the genes of a file."""

import pandas as pd
import pytest

from exprml.base.errors import DataError
from exprml_press.gene_match import match_genes

WANTED = pd.DataFrame(
    {"symbol": ["TP53", "MYC", ""], "ensembl": ["ENSG00000141510", "ENSG00000136997", "ENSG00000000003"]},
    index=["7157", "4609", "7105"],
)


@pytest.mark.parametrize(
    ("ids", "columns", "positions"),
    [
        (["4609", "1", "7157", "7105"], {}, [2, 0, 3]),
        (["MYC", "TP53", "TSPAN6"], {}, [1, 0, -1]),
        (["ENSG00000136997.5", "ENSG00000000003.15", "ENSG00000141510"], {}, [2, 0, 1]),
        (["ENSG00000000003.15_PAR_Y", "ENSG00000000003.15", "x"], {}, [-1, -1, 1]),
        (["a", "b", "c"], {"pr_gene_symbol": ["MYC", "x", "TP53"]}, [2, 0, -1]),
        (["a", "b", "c"], {"Gene ID": ["ENSG00000141510.9", "x", "y"]}, [0, -1, -1]),
    ],
)
def test_genes_are_matched_by_id_symbol_or_ensembl_id(ids, columns, positions):
    found = match_genes(WANTED, pd.DataFrame(columns, index=ids), "f")
    assert found.positions.tolist() == positions
    assert len(found.missing) == positions.count(-1)


def test_missing_gene_is_named_by_symbol_where_there_is_one():
    assert match_genes(WANTED, pd.DataFrame(index=["x"]), "f").missing == ("TP53", "MYC", "7105")


def test_gene_that_is_there_twice_is_refused():
    with pytest.raises(DataError, match="landmark 'MYC' is found 2 times \\('a', 'b'\\)"):
        match_genes(WANTED, pd.DataFrame({"symbol": ["MYC", "MYC"]}, index=["a", "b"]), "f")


def test_id_decides_before_a_symbol_that_stands_twice():
    given = pd.DataFrame({"symbol": ["MYC", "MYC"]}, index=["4609", "b"])
    assert match_genes(WANTED, given, "f").positions.tolist() == [-1, 0, -1]


def test_one_gene_for_two_landmarks_is_refused():
    given = pd.DataFrame({"symbol": ["MYC"]}, index=["7157"])
    with pytest.raises(DataError, match="'7157' is both landmark 'TP53' and 'MYC'"):
        match_genes(WANTED, given, "f")
