"""Readers of landmark and target genes: tiny files of the same form, and the real ones if they are here."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from exprml.base.errors import DataError, NotAvailableError
from exprml.data import catalogue, formats
from exprml.data.readers import chen2016

LANDMARKS = "AAA\tENSG1\t1_at\nBBB\tENSG2\t2_at\n"
TARGETS = "CCC\tENSG3\t3_at,4_at\nAAA\tENSG1\t5_at\n"  # AAA is a target too, by another probe


@pytest.fixture
def maps(write_file):
    return {"landmarks": write_file("lm.txt", LANDMARKS), "targets": write_file("tg.txt", TARGETS)}


def gctx(path, names, values, ids=None):
    ids = ids or [f"GSM{at}" for at in range(len(values))]
    formats.write_gctx(
        AnnData(np.array(values, np.float32), obs=pd.DataFrame(index=ids), var=pd.DataFrame(index=names)),
        path,
    )
    return path


def roles(adata):
    return dict(
        zip(adata.var_names, zip(adata.var["is_landmark"], adata.var["is_target"], strict=True), strict=True)
    )


def test_tcga_drops_genes_with_gaps_and_marks_the_rest(maps, monkeypatch, tmp_path):
    paired = AnnData(
        np.array([[1, 2, 3, np.nan], [4, 5, 6, 7]], np.float32),
        obs=pd.DataFrame({"patient": ["p", "p"]}, index=["a", "b"]),
        var=pd.DataFrame({"symbol": ["CCC", "AAA", "XYZ", "BBB"]}, index=["CCC", "AAA", "XYZ", "BBB"]),
    )
    paired.uns["provenance"] = {"steps": [], "missing": 1}
    given = []
    monkeypatch.setattr(chen2016, "tcga_paired", lambda paths: given.append(list(paths)) or paired)
    adata = chen2016.tcga_landmarks({"BRCA": tmp_path / "BRCA.RData", **maps})
    assert given == [["BRCA"]]
    assert roles(adata) == {"CCC": (False, True), "AAA": (True, False), "XYZ": (False, False)}
    assert "1 genes with missing values left out" in adata.uns["provenance"]["steps"]


def test_cognoma_names_genes_by_symbol_and_finds_patients(maps, write_file):
    paths = {
        "expression": write_file(
            "x.tsv", "sample_id\t1\t20\t300\nTCGA-21-5787-01\t1\t2\t3\nTCGA-28-2509-11\t4\t5\t6\n"
        ),
        "genes": write_file("g.tsv", "entrez_gene_id\tsymbol\n300\tTWO\n1\tAAA\n20\tTWO\n"),
        "samples": write_file(
            "s.tsv",
            "sample_id\tpatient_id\tacronym\tgender\nTCGA-28-2509-11\tTCGA-28-2509\tGBM\tFemale\n"
            "TCGA-21-5787-01\tTCGA-21-5787\tLUSC\tMale\n",
        ),
    }
    adata = chen2016.cognoma_landmarks({**paths, **maps})
    assert adata.var_names.tolist() == ["AAA", "20", "300"]  # a symbol that stands twice names no gene
    assert adata.obs[["patient", "cohort", "sample_type", "sex"]].to_numpy().tolist() == [
        ["TCGA-21-5787", "LUSC", "tumour", "male"],
        ["TCGA-28-2509", "GBM", "normal", "female"],
    ]
    assert adata.var["is_landmark"].tolist() == [True, False, False]
    np.testing.assert_array_equal(adata.X, [[1, 2, 3], [4, 5, 6]])


def test_microarrays_give_the_mean_of_the_probes_of_each_gene(maps, tmp_path):
    names = ["9_at", "4_at", "1_at", "3_at", "5_at", "2_at"]
    path = gctx(tmp_path / "x.gctx", names, [[9, 2, 1, 4, 5, 7], [9, 10, 3, 20, 6, 8]])
    adata = chen2016.dgex_microarrays({"expression": path, **maps})
    assert adata.var_names.tolist() == ["ENSG1", "ENSG2", "ENSG3", "ENSG1:target"]
    np.testing.assert_array_equal(adata.X, [[1, 7, 3, 5], [3, 8, 15, 6]])
    assert adata.var["is_target"].tolist() == [False, False, True, True]
    assert adata.obs["patient"].tolist() == ["GSM0", "GSM1"]


def test_a_slice_is_spread_over_the_file(maps, tmp_path):
    names = ["1_at", "2_at", "3_at", "4_at", "5_at"]
    path = gctx(tmp_path / "x.gctx", names, [[at] * 5 for at in range(7)])
    adata = chen2016.dgex_microarrays({"expression": path, **maps}, n_samples=4)
    assert adata.obs_names.tolist() == ["GSM0", "GSM2", "GSM4", "GSM6"]
    np.testing.assert_array_equal(adata.X[:, 0], [0, 2, 4, 6])
    assert "4 of 7 samples" in adata.uns["provenance"]["steps"]


def test_microarrays_are_read_in_blocks(maps, tmp_path):
    n_samples, names = 6000, ["1_at", "2_at", "3_at", "4_at", "5_at", *(f"x{at}" for at in range(1195))]
    rows = (np.full((1000, len(names)), at, np.float32) for at in range(n_samples // 1000))
    obs = pd.DataFrame(index=[f"GSM{at}" for at in range(n_samples)])
    path = tmp_path / "x.gctx"
    formats.write_gctx_blocks(rows, path, obs=obs, var=pd.DataFrame(index=names))
    tracemalloc.start()
    adata = chen2016.dgex_microarrays({"expression": path, **maps})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(adata.X[:, 0], np.repeat(np.arange(6), 1000))
    assert peak < 0.5 * n_samples * len(names) * 4  # the whole file would be 29 MB


def test_gtex_takes_the_listed_genes_and_a_landmarks_target_is_its_copy(maps, tmp_path):
    names = ["ENSG9.1", "ENSG3.2", "ENSG1.7", "ENSG3.5"]
    path = gctx(tmp_path / "x.gctx", names, [[9, 3, 1, 33]], ids=["GTEX-AB12-0126-SM-1"])
    adata = chen2016.dgex_gtex({"expression": path, **maps})
    assert adata.var_names.tolist() == ["ENSG1", "ENSG3", "ENSG1:target"]
    assert adata.X.tolist() == [[1, 3, 1]]  # the first ENSG3, as in the paper
    assert adata.obs["patient"].tolist() == ["GTEX-AB12"]
    assert adata.var["is_landmark"].tolist() == [True, False, False]


def test_geuvadis_reads_the_published_columns(maps, write_file):
    text = "TargetID\tGene_Symbol\tChr\tCoord\tHG00096\tHG00097\n"
    text += "ENSG3.4\tENSG3.4\t7\t100\t1.5\t-0.25\nENSG2.1\tENSG2.1\tX\t200\t3\t4\n"
    adata = chen2016.geuvadis({"expression": write_file("x.txt.gz", text), **maps})
    assert adata.var_names.tolist() == ["ENSG2", "ENSG3"]
    np.testing.assert_array_equal(adata.X, [[3, 1.5], [4, -0.25]])
    assert adata.obs["patient"].tolist() == ["HG00096", "HG00097"]


def test_a_file_without_listed_genes_says_so(maps, write_file):
    text = "TargetID\tGene_Symbol\tChr\tCoord\tHG00096\nENSG8.1\tENSG8.1\t7\t100\t1.5\n"
    with pytest.raises(DataError, match=r"no Ensembl id of D-GEX's lists, as 'ENSG8'"):
        chen2016.geuvadis({"expression": write_file("x.txt", text), **maps})


PLATE = """#1.3
2 2 4 7
id pr_gene_symbol pr_gene_id pr_analyte_id pr_is_lmark W:{0} W:{1}
det_plate na na na na {2} {2}
det_well na na na na {0} {1}
cell_id na na na na A375 A375
pert_iname na na na na DMSO drug
pert_id na na na na DMSO BRD-1
pert_type na na na na ctl_vehicle {3}
pert_dose na na na na -666 3.33
{4}_at AAA 1 Analyte_11 1 1 2
{5}_at BBB 2 Analyte_11 1 3 4
"""


def plate(write_file, name, *words):
    text = PLATE.format(*words).replace("2 2 4 7", "2 2 4 8").replace("{4}", "")
    text = text.replace("pert_dose", "pert_time na na na na 24 24\npert_dose")
    return write_file(name, text.replace(" ", "\t"))


def test_plates_stand_below_each_other_gene_by_gene(write_file):
    first = plate(write_file, "a.gct", "A01", "A02", "P1", "trt_cp", "10", "20")
    second = plate(write_file, "b.gct", "B01", "B02", "P2", "trt_poscon", "20", "10")  # turned round
    adata = chen2016.l1000_plates({"one": first, "two": second})
    np.testing.assert_array_equal(adata.X, [[1, 3], [2, 4], [3, 1], [4, 2]])
    assert adata.obs["plate"].tolist() == ["P1", "P1", "P2", "P2"]
    assert adata.obs["kind"].tolist() == ["vehicle", "compound", "vehicle", "positive control"]
    assert adata.obs["dose"].tolist() == [0, 3.33, 0, 3.33]
    assert adata.obs["is_control"].tolist() == [True, False, True, False]
    assert adata.var["bead"].tolist() == ["Analyte_11"] * 2


def test_a_plate_of_other_genes_or_kinds_is_refused(write_file):
    first = plate(write_file, "a.gct", "A01", "A02", "P1", "trt_cp", "10", "20")
    with pytest.raises(DataError, match=r"b\.gct: other genes than a\.gct"):
        chen2016.l1000_plates(
            {"one": first, "two": plate(write_file, "b.gct", "B1", "B2", "P", "trt_cp", "10", "21")}
        )
    with pytest.raises(DataError, match=r"pert_type 'trt_sh'"):
        chen2016.l1000_plates({"one": plate(write_file, "c.gct", "B1", "B2", "P", "trt_sh", "10", "20")})


def test_files_of_other_entries_are_its_own_too():
    shared = {file.key: file.sha256 for file in catalogue.entry("tcga-landmarks").files}
    for name in ("tcga-paired", "dgex-maps"):
        assert {file.key: file.sha256 for file in catalogue.entry(name).files}.items() <= shared.items()


@pytest.mark.parametrize("name", ["dgex-geo", "dgex-gtex", "l1000-inferred"])
def test_what_may_be_nowhere_any_more_says_how_to_get_it(name, monkeypatch, tmp_path):
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path))
    monkeypatch.delenv("EXPRML_MIRROR", raising=False)
    with pytest.raises(NotAvailableError, match=r"README of D-GEX[\s\S]*not\s+verified"):
        catalogue.fetch(name, sources=())


@pytest.mark.mirror
def test_the_real_stand_ins(mirror):
    paths = {
        file.key: next(mirror.glob(f"{file.path}*")) for file in catalogue.entry("cognoma-landmarks").files
    }
    other = chen2016.cognoma_landmarks(paths)
    assert other.shape == (50, 16261)
    upstream = {file.key: mirror / file.path for file in catalogue.entry("tcga-paired").files}
    adata = chen2016.tcga_landmarks({**upstream, **{key: paths[key] for key in ("landmarks", "targets")}})
    assert adata.shape == (1204, 3341)
    assert adata.var[["is_landmark", "is_target"]].sum().tolist() == [437, 2338]
    shared = set(adata.obs["patient"]) & set(other.obs["patient"])
    assert shared == {"TCGA-91-6829", "TCGA-A6-2671", "TCGA-IN-7806"}
    maps = chen2016.dgex_maps({key: paths[key] for key in ("landmarks", "targets")}).var
    genes = chen2016._genes(paths)
    assert genes.index.is_unique
    assert genes["ensembl"].duplicated().sum() == 445
    assert len(genes) == len(maps) == 10463


@pytest.mark.mirror
def test_the_real_plates(mirror):
    paths = {file.key: next(mirror.glob(f"{file.path}*")) for file in catalogue.entry("l1000-plates").files}
    adata = chen2016.l1000_plates(paths)
    assert adata.shape == (748, 978)
    assert adata.obs.groupby("plate")["is_control"].sum().tolist() == [26, 22]
    assert adata.var["bead"].value_counts().value_counts().to_dict() == {2: 488, 1: 2}
    on_both = adata.obs.groupby("perturbagen")["plate"].nunique()
    assert sorted(on_both.index[on_both == 2]) == [
        "CGP-60474", "DMSO", "GSK-1059615", "PD-0325901", "dasatinib", "mitoxantrone",
    ]  # fmt: skip
