"""An R original, or the text table a mirror holds instead: the same table from both."""

import base64
import gzip
import hashlib

import pandas as pd
import pytest
import yaml

from exprml.base.errors import DataError, NotAvailableError
from exprml.data import catalogue
from exprml.data.catalogue.hashing import entry_hash
from exprml.data.formats import read_r_frame
from exprml_press import inventory

# gene <- data.frame(gene_id=c("1","10"), length=c(9488L,1923L), ratio=c(0.5,NA),
#                    ensembl_id=factor(c("ENSG00000121410",NA)), paired=c(TRUE,NA), stringsAsFactors=FALSE)
# save(gene, file="gene.rda", compress="xz")
ORIGINAL = base64.b64decode("""
/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4AG4AN9dACkRB1RoEeRuUsqgM8UkXrtrnNeLUzcP1dKbshUqBwT4yAjz6ehxKU3oXLGG
n8lxyRO0dQESCd57dVKacOi2e7wNPKSItRmnXKxCTIMk4oAPHb/gUZ5FHjMSedj6fWFTekzOC9ltq9JgYvlRQdhbbC5hsaOH9zua
S2TBs72xjYegxfjDQPPLR5CxWnRL6emQD1sEtgM5ItXmlGD1FPWLo/KG4/A/2uWgxgH/GnC89zqAIDbGA0tFsbv1vcR51PGkR/t3
pUBKVT1teR2Yue25d5A+sU4ISvGSYjb1AR04NQAAAC8XeUkAAfcBuQMAAIVrnpQ+MA2LAgAAAAABWVo=""")
CONVERTED = (
    b"gene_id\tlength\tratio\tensembl_id\tpaired\n1\t9488\t0.5\tENSG00000121410\tTRUE\n10\t1923\t\t\t\n"
)
COLUMNS = ["gene_id", "length", "ratio", "ensembl_id", "paired"]


def about(path, content):
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Make a catalogue of one R file with its conversion, and an empty mirror."""
    (tmp_path / "data").mkdir()
    (tmp_path / "mirror" / "lengths").mkdir(parents=True)
    for name, folder in (("EXPRML_DATA", "data"), ("EXPRML_ROOT", "."), ("EXPRML_MIRROR", "mirror")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    write(tmp_path)
    return tmp_path


def write(house, **changes):
    conversion = {**about("lengths/gene.tsv", CONVERTED), **changes}
    texts = dict.fromkeys(("licence", "about", "shows", "cannot_show", "floor"), "x")
    one = {"title": "T", "kind": "real", "roles": {"paper": "own"}, **texts}
    one["reader"] = "readers.heil2022.gene_lengths"
    one["files"] = {"genes": {**about("lengths/gene.rda", ORIGINAL), "conversion": conversion}}
    (house / "data" / "catalogue.yml").write_text(yaml.safe_dump({"small": one}))


def mirrored(house, name, content):
    (house / "mirror" / "lengths" / name).write_bytes(content)


def test_both_forms_give_the_same_table(house):
    tables = []
    for name, content in (("gene.rda", ORIGINAL), ("gene.tsv.gz", gzip.compress(CONVERTED))):
        path = house / name
        path.write_bytes(content)
        tables.append(read_r_frame(path, "gene", COLUMNS))
    pd.testing.assert_frame_equal(*tables)
    assert tables[0].iloc[0].tolist() == ["1", "9488", "0.5", "ENSG00000121410", "TRUE"]
    assert tables[0].iloc[1].tolist() == ["10", "1923", "", "", ""]


def test_a_mirror_with_the_conversion_alone_is_enough(house):
    mirrored(house, "gene.tsv.gz", gzip.compress(CONVERTED))
    assert catalogue.fetch("small")["genes"].name == "gene.tsv.gz"
    row = inventory.verify("small")[0]
    assert (row["file"], row["state"]) == ("lengths/gene.tsv", "right")
    assert catalogue.fetch("small", sources=())["genes"].name == "gene.tsv.gz"  # from data/raw, offline


def test_the_original_comes_first(house):
    mirrored(house, "gene.tsv", CONVERTED)
    mirrored(house, "gene.rda", ORIGINAL)
    assert catalogue.fetch("small")["genes"].name == "gene.rda"


def test_a_damaged_original_gives_way_to_the_conversion(house):
    mirrored(house, "gene.rda", ORIGINAL[:-3])
    mirrored(house, "gene.tsv", CONVERTED)
    assert catalogue.fetch("small")["genes"].name == "gene.tsv"


def test_another_table_is_no_conversion(house):
    mirrored(house, "gene.tsv", CONVERTED.replace(b"9488", b"9489"))
    with pytest.raises(OSError, match="expected SHA-256"):
        catalogue.fetch("small")


def test_what_is_loaded_has_one_hash_in_either_form(house):
    before = entry_hash(catalogue.entry("small"))
    mirrored(house, "gene.tsv", CONVERTED)
    catalogue.fetch("small")
    assert entry_hash(catalogue.entry("small")) == before


def test_without_either_the_message_names_the_original(house):
    with pytest.raises(NotAvailableError, match=r"lengths/gene\.rda"):
        catalogue.fetch("small")


@pytest.mark.parametrize("changes", [{"url": "https://example.org/gene.tsv"}, {"sha256": None}])
def test_a_conversion_has_a_hash_and_no_address(house, changes):
    write(house, **changes)
    with pytest.raises(DataError, match=r"conversion of lengths/gene\.rda"):
        catalogue.entry("small")


def test_a_column_that_is_not_there_is_named(house):
    path = house / "gene.tsv"
    path.write_bytes(CONVERTED)
    with pytest.raises(DataError, match=r"gene\.tsv: no column 'symbol', only gene_id, length"):
        read_r_frame(path, "gene", ["symbol"])


def test_an_object_that_is_no_frame_is_refused(house):
    path = house / "gene.rda"
    path.write_bytes(ORIGINAL)
    with pytest.raises(KeyError, match="did you mean 'gene'"):
        read_r_frame(path, "genes", COLUMNS)


@pytest.mark.mirror
def test_the_lengths_of_real_genes_come_from_the_conversion(mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path))
    monkeypatch.setenv("EXPRML_MIRROR", str(mirror))
    var = catalogue.load("gene-lengths").var
    assert (var.shape, var.index.is_unique) == ((25_298, 2), True)
    assert var.loc["ENSG00000121410"].to_dict() == {"symbol": "A1BG", "length": 9488.0}
