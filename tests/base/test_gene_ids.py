"""Ensembl ids lose their version and nothing else; other names lose nothing."""

from exprml.base.gene_ids import without_version


def test_only_the_version_of_an_ensembl_id_goes():
    given = ["ENSG00000000003.14", "ENSMUSG00000000001", "ENSG00000002586.18_PAR_Y", "RP11-34P13.7", "", 7]
    there = ["ENSG00000000003", "ENSMUSG00000000001", "ENSG00000002586_PAR_Y", "RP11-34P13.7", "", "7"]
    assert without_version(given) == there
