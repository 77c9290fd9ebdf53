"""Readers of L1000 profiles and of regulatory edges: tiny files of the same form, and the real ones."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from exprml.base.errors import DataError, ParameterError
from exprml.data import catalogue, formats
from exprml.data.readers import mcdermott2020 as readers

GENES = (
    "pr_gene_id\tpr_gene_symbol\tpr_gene_title\tpr_is_lm\tpr_is_bing\n"
    "7\tAAA\ta\t1\t1\n256364\tBBB\tb\t1\t1\n9\tCCC\tc\t0\t1\n"
)
HUB = (
    "Name\tMOA\tId\n"
    "Aspirin\tCOX inhibitor\tBRD-K11111111-001-01-1, BRD-K22222222-001-01-1\n"
    "both\tA agonist, B antagonist\tBRD-K33333333-001-01-1\n"
    "none\t\tBRD-K44444444-001-01-1\n"
)
WELLS = "inst_id,rna_plate,rna_well,cell_id,pert_iname,pert_id,pert_type,pert_dose,pert_time"
ROWS = {
    "w1": ["P1", "A01", "PC3", "aspirin", "BRD-K00000000", "trt_cp", "10", "6"],
    "w2": ["P1", "A02", "PC3", "other name", "BRD-K22222222", "trt_cp", "1.1", "6"],
    "w3": ["P1", "A03", "PC3", "both", "BRD-K33333333", "trt_cp", "-666", "6"],
    "w4": ["P1", "A04", "PC3", "DMSO", "DMSO", "ctl_vehicle", "-666", "6"],
    "w5": ["P2", "A01", "NOLINE", "LMNA", "TRCN1", "trt_sh", "-666", "96"],
}


@pytest.fixture
def shared(write_file):
    return {"genes": write_file("genes.txt", GENES), "hub": write_file("hub.txt", HUB)}


def gctx(path, ids, genes, values=None, **obs):
    values = np.arange(len(ids) * len(genes)).reshape(len(ids), -1) if values is None else values
    frames = {"obs": pd.DataFrame(obs, index=ids), "var": pd.DataFrame(index=genes)}
    formats.write_gctx(AnnData(np.asarray(values, np.float32), **frames), path)
    return path


def wells(rows):
    return (
        WELLS.replace(",", "\t")
        + "\n"
        + "".join("\t".join([name, *row]) + "\n" for name, row in rows.items())
    )


def test_wells_get_their_metadata_site_and_one_mechanism(shared, write_file, tmp_path):
    paths = {
        "expression": gctx(tmp_path / "x.gctx", list(ROWS), ["25636", "9", "7"]),
        "wells": write_file("wells.txt", wells(ROWS)),
        **shared,
    }
    adata = readers.l1000_profiles(paths)
    assert list(adata.var_names) == ["BBB", "AAA"]  # 256364 cut to five digits; CCC is no landmark
    assert adata.X.tolist()[1] == [3, 5]
    obs = adata.obs
    assert list(obs["moa"]) == ["COX inhibitor", "COX inhibitor", "", "DMSO", ""]
    assert list(obs["site"]) == ["prostate"] * 4 + [""]
    assert list(obs["dose"]) == [10, 1.1, 0, 0, 0]
    assert list(obs["is_control"]) == [False, False, False, True, False]
    assert "1 Entrez ids, cut to five digits in the file, made whole" in adata.uns["provenance"]["steps"]


def test_profiles_without_metadata_are_refused(shared, tmp_path, write_file):
    expression = gctx(tmp_path / "x.gctx", ["w1", "w9"], ["7"])
    with pytest.raises(DataError, match=r"x.gctx: ids of profiles only, no metadata"):
        readers.l1000_profiles({"expression": expression, **shared})
    table = write_file("wells.txt", wells(ROWS))
    with pytest.raises(DataError, match=r"wells.txt: 1 of 2 wells are not in it, as 'w9'"):
        readers.l1000_profiles({"expression": expression, "wells": table, **shared})
    strange = gctx(tmp_path / "y.gctx", ["w1"], ["1234"])
    with pytest.raises(DataError, match="none of the 1 genes is a landmark"):
        readers.l1000_profiles({"expression": strange, "wells": table, **shared})


def test_doses_of_signatures_are_micromolar(shared, tmp_path):
    about = {
        "cell_id": ["PC3", "VCAP"], "pert_iname": "aspirin", "pert_id": "x", "pert_type": "trt_cp",
        "pert_idose": ["500 nM", "10 µM"], "pert_itime": ["6 h", "24 h & 4 h"], "brew_prefix": "P",
        "distil_nsample": [2, 3],
    }  # fmt: skip
    obs = readers.l1000_profiles(
        {"expression": gctx(tmp_path / "s.gctx", ["a", "b"], ["7"], **about), **shared}
    ).obs
    assert list(obs["dose"]) == [0.5, 10]
    assert list(obs["hours"]) == [6, 24]
    assert list(obs["n_replicates"]) == [2, 3]


def test_compounds_have_two_sources_of_mechanisms(shared, write_file):
    paths = {
        "expression": write_file("c.tsv", "perturbagen\t7\t256364\nDB1\t1\t2\nDB2\t3\t4\nDB3\t5\t6\n"),
        "drugs": write_file("d.tsv", "drugbank_id\tdrugbank_name\nDB1\tAspirin\nDB1\tAspirin\n"),
        "compounds": write_file(
            "p.tsv", "DrugBank_ID\tpert_iname\tMOA\nDB1\tasp\tCox Inhibitor\nDB2\tboth\tA; B\n\tz\tC\n"
        ),
        **shared,
    }
    obs = readers.l1000_compounds(paths).obs
    assert obs[["perturbagen", "moa", "moa_by_id"]].to_numpy().tolist() == [
        ["Aspirin", "COX inhibitor", "cox inhibitor"],
        ["both", "", ""],
        ["", "", ""],
    ]


@pytest.fixture
def level4(shared, write_file, tmp_path):
    """Six wells of aspirin in two lines, two of DMSO, one without mechanism, one line without subtype."""
    rows = {f"a{at}": ["P", "A", "PC3" if at < 4 else "VCAP", *ROWS["w1"][3:]] for at in range(6)}
    rows |= {f"d{at}": ["P", "A", "PC3", *ROWS["w4"][3:]] for at in range(2)}
    rows |= {"b": ROWS["w3"], "n": ["P", "A", "BARE", *ROWS["w1"][3:]]}
    lines = "cell_id\tprimary_site\tsubtype\nPC3\tprostate\tadeno\nVCAP\tprostate\tcarcinoma\n"
    lines += "BARE\t-666\t-666\nNOLINE\t-666\t-666\n"
    return {
        "expression": gctx(tmp_path / "z.gctx", list(rows), ["9", "256364", "7"]),
        "wells": write_file("w.txt.gz", wells(rows)),
        "lines": write_file("l.txt", lines),
        **shared,
    }


def test_the_full_view_counts_its_labels_apart_and_at_the_start(level4):
    adata = readers.lincs_level4(level4, more_than=1)
    # mechanisms: 7 aspirin (one of a line without site), 2 DMSO; subtypes: 6 adeno, 2 carcinoma
    assert list(adata.obs_names) == ["a0", "a1", "a2", "a3", "a4", "a5", "d0", "d1"]
    assert list(adata.var_names) == ["AAA", "BBB"]
    assert adata["a1"].X.tolist() == [[5, 4]]
    assert list(readers.lincs_level4(level4, more_than=2).obs_names) == ["a0", "a1", "a2", "a3"]
    assert "exactly one known mechanism: 9 wells left" in adata.uns["provenance"]["steps"]


def test_the_prostate_view_keeps_mechanisms_with_enough_wells_there(level4):
    adata = readers.lincs_level4(level4, view="prostate", more_than=6)
    assert set(adata.obs["moa"]) == {"COX inhibitor"}
    assert set(adata.obs["cell_line"]) == {"PC3", "VCAP"}
    with pytest.raises(DataError, match="no class has 7 wells"):
        readers.lincs_level4(level4, view="prostate", more_than=7)
    with pytest.raises(ParameterError, match="view 'brain'"):
        readers.lincs_level4(level4, view="brain")


def test_scores_that_are_no_numbers_are_refused(level4, tmp_path):
    values = np.ones((10, 3))
    values[0, 1] = np.inf
    ids = list(formats.read_gctx_metadata(level4["expression"])[0].index)
    gctx(tmp_path / "z.gctx", ids, ["9", "256364", "7"], values)
    with pytest.raises(DataError, match="1 z-scores are NaN or infinite"):
        readers.lincs_level4(level4, more_than=1)


def test_edges_are_read_with_and_without_header(write_file):
    plain = readers.regulation({"edges": write_file("t.tsv", "A\tB\tup\t1\nB\tC\tup\t2\n")})
    assert plain.uns["edges"].to_numpy().tolist() == [["A", "B", 1.0], ["B", "C", 1.0]]
    assert list(plain.var_names) == ["A", "B", "C"]
    named = write_file("e.csv", '"x","y","grade"\n"A","B","good"\n"A","C","poor"\n')
    some = readers.regulation({"edges": named}, columns=("x", "y"), where={"grade": ["good"]})
    assert len(some.uns["edges"]) == 1
    weighed = {"columns": ("x", "y"), "where": {"grade": {"good": 1.0, "poor": 0.5}}}
    assert list(readers.regulation({"edges": named}, **weighed).uns["edges"]["weight"]) == [1.0, 0.5]
    with pytest.raises(DataError, match="no column 'z', only"):
        readers.regulation({"edges": named}, columns=("x", "z"))


def test_a_network_of_a_tissue_keeps_its_probabilities_between_landmarks(write_file, shared, monkeypatch):
    monkeypatch.setattr(readers, "_AT_ONCE", 2)
    edges = write_file("top.tsv", "7\t9\t0.5\n7\t256364\t0.25\n9\t8\t0.9\n256364\t7\t0.75\n")
    found = readers.tissue_graph({"edges": edges, **shared})
    assert found.uns["edges"].to_numpy().tolist() == [["AAA", "BBB", 0.25], ["BBB", "AAA", 0.75]]
    with pytest.raises(DataError, match="no edge joins two landmarks"):
        readers.tissue_graph({"edges": write_file("none.tsv", "7\t9\t0.5\n"), **shared})


@pytest.mark.mirror
def test_the_real_files_are_what_their_cards_say(mirror, monkeypatch, tmp_path):
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path))
    monkeypatch.setenv("EXPRML_ROOT", str(tmp_path))
    shapes = {
        "l1000-annotation": (0, 978), "l1000-compounds": (1170, 978), "l1000-replicates": (681, 978),
        "l1000-cell-lines": (581, 978), "l1000-signatures": (272, 978), "regnetwork": (0, 20698),
    }  # fmt: skip
    found = {name: catalogue.load(name) for name in shapes}
    assert {name: adata.shape for name, adata in found.items()} == shapes
    classes = found["l1000-compounds"].obs["moa"].value_counts().drop("")
    assert (classes >= 8).sum() == 20
    assert (found["l1000-cell-lines"].obs["site"] != "").all()
    assert len(found["regnetwork"].uns["edges"]) == 192072
    assert len(catalogue.load("trrust").uns["edges"]) == 9396
    assert len(catalogue.load("dorothea").uns["edges"]) == 5434 + 974 + 6815
    assert set(catalogue.load("dorothea-graded").uns["edges"]["weight"]) == {1.0, 0.8, 0.6, 0.4, 0.2}
    plate = catalogue.load("l1000-knockdowns")
    assert plate.shape == (374, 976)
    sizes = plate.obs[~plate.obs["is_control"]].groupby("perturbagen").size()
    assert (len(sizes), (sizes == 4).sum()) == (85, 81)
    assert set(plate.obs["plate"]) == {"LITMUS.KD017"}
