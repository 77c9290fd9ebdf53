"""Readers of the catalogue, on tiny files of the same form, and on the real ones if they are here."""

import os

import numpy as np
import pandas as pd
import pytest
from exprml.base.errors import DataError, NotAvailableError
from exprml.data import catalogue, formats
from exprml.data.catalogue import loading, prepared
from xarray import DataArray

PHENOTYPE = """sample,detailed_category,_primary_site,_gender
GTEX-AA-0126-SM-1,Whole Blood,Blood,Male
GTEX-AA-0226-SM-2,Cells - Ebv-Transformed Lymphocytes,Blood,Male
GTEX-BB-0326-SM-3,Stomach,<not provided>,unknown
K-562-SM-4,Cells - Leukemia Cell Line (Cml),Bone Marrow,Female
"""


def matrix(rows, columns, values):
    return DataArray(
        np.array(values, float), coords={"dim_0": rows, "dim_1": columns}, dims=("dim_0", "dim_1")
    )


def toil_objects():
    genes = ["ENSG00000000003.14", "ENSG00000000005.5"]
    train = matrix(["GTEX-AA-0126-SM-1", "K-562-SM-4"], genes, [[1, 2], [3, 4]])
    test = matrix(["GTEX-AA-0226-SM-2", "GTEX-BB-0326-SM-3"], genes, [[5, 6], [7, -9.9658]])
    y = pd.Categorical(["Blood", "Bone Marrow"]), pd.Categorical(["Blood", "<not provided>"])
    return {"gtex_v8": {"X_train": train, "y_train": y[0], "X_test": test, "y_test": y[1]}}


@pytest.fixture
def toil(tmp_path, monkeypatch):
    (tmp_path / "phenotype.csv").write_text(PHENOTYPE)
    (tmp_path / "symbols.csv").write_text("gene_id,symbol\nENSG00000000003.15,TSPAN6\n")
    monkeypatch.setattr(formats, "read_rdata", lambda path: toil_objects())
    names = {"expression": "x.rda", "phenotype": "phenotype.csv", "symbols": "symbols.csv"}
    return {key: tmp_path / name for key, name in names.items()}


def test_toil_joins_both_parts_in_order(toil):
    adata = loading.gtex_toil(toil)
    assert adata.X.tolist() == [[1, 2], [3, 4], [5, 6], [7, pytest.approx(-9.9658)]]
    assert adata.obs["upstream_split"].tolist() == ["train", "train", "test", "test"]
    assert adata.obs["tissue"].tolist() == ["Blood", "Bone Marrow", "Blood", "<not provided>"]


def test_toil_finds_donor_sex_and_cell_line(toil):
    obs = loading.gtex_toil(toil).obs
    assert obs["donor"].tolist() == ["GTEX-AA", "K-562", "GTEX-AA", "GTEX-BB"]
    assert obs["sex"].tolist() == ["male", "female", "male", ""]
    assert obs["cell_line"].tolist() == ["", "K-562", "Ebv-Transformed Lymphocytes", ""]


def test_toil_names_genes_without_version_and_keeps_it(toil):
    var = loading.gtex_toil(toil).var
    assert var.index.tolist() == ["ENSG00000000003", "ENSG00000000005"]
    assert var["ensembl_version"].tolist() == ["ENSG00000000003.14", "ENSG00000000005.5"]
    assert var["symbol"].tolist() == ["TSPAN6", ""]


def test_toil_refuses_a_phenotype_table_that_lacks_samples(toil):
    toil["phenotype"].write_text(PHENOTYPE.replace("GTEX-BB", "GTEX-CC"))
    with pytest.raises(DataError, match=r"1 of 4 samples .* 'GTEX-BB-0326-SM-3'"):
        loading.gtex_toil(toil)


def test_gtex_v8_reads_gct_and_attributes(tmp_path):
    (tmp_path / "x.gct").write_text(
        "#1.2\n2\t2\nName\tDescription\tGTEX-AA-1-SM-1\tK-562-SM-2\n"
        "ENSG1.3\tA\t0\t1.5\nENSG2.4_PAR_Y\tB\t2\t3\n"
    )
    (tmp_path / "a.txt").write_text(
        "SAMPID\tSMTS\tSMTSD\nK-562-SM-2\tBone Marrow\tCells - X\nGTEX-AA-1-SM-1\tSkin\tS\n"
    )
    adata = loading.gtex_v8({"expression": tmp_path / "x.gct", "attributes": tmp_path / "a.txt"})
    assert adata.X.tolist() == [[0, 2], [1.5, 3]]
    assert adata.obs[["tissue", "donor", "cell_line"]].to_numpy().tolist() == [
        ["Skin", "GTEX-AA", ""],
        ["Bone Marrow", "K-562", "K-562"],
    ]
    assert adata.var_names.tolist() == ["ENSG1", "ENSG2_PAR_Y"]
    assert adata.var["symbol"].tolist() == ["A", "B"]


def test_tcga_keeps_common_genes_and_reads_barcodes(tmp_path, monkeypatch):
    ids = ["TCGA.A7.A0CE.01A.11R.A00Z.07", "TCGA.A7.A0CE.11A.21R.A089.07"]
    objects = {
        "BRCA": matrix(["A1BG", "TP53", "XYZ"], ids, [[1, 2], [3, 4], [5, 6]]),
        "COAD": matrix(["TP53", "A1BG"], [i.replace("A7", "AA") for i in ids], [[7, np.nan], [9, 10]]),
    }
    monkeypatch.setattr(formats, "read_rdata", lambda path: {path.stem: objects[path.stem]})
    adata = loading.tcga_paired({name: tmp_path / f"{name}.RData" for name in objects})
    assert adata.var_names.tolist() == ["A1BG", "TP53"]
    np.testing.assert_array_equal(adata.X, [[1, 3], [2, 4], [9, 7], [10, np.nan]])
    assert adata.obs["sample_type"].tolist() == ["tumour", "normal"] * 2
    assert adata.obs["patient"].tolist() == ["TCGA-A7-A0CE"] * 2 + ["TCGA-AA-A0CE"] * 2
    assert adata.obs["cohort"].tolist() == ["BRCA", "BRCA", "COAD", "COAD"]


def test_gene_maps_go_into_var(tmp_path):
    (tmp_path / "lm.txt").write_text("UBE2C\tENSG1\t1_at\n")
    (tmp_path / "tg.txt").write_text("RAP1GAP\tENSG2\t2_at\nMAK\tENSG3\t3_at\n")
    adata = loading.dgex_maps({"landmarks": tmp_path / "lm.txt", "targets": tmp_path / "tg.txt"})
    assert adata.shape == (0, 3)
    assert adata.var["is_landmark"].tolist() == [True, False, False]
    assert adata.var.loc["3_at", "symbol"] == "MAK"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Give an empty data folder with the project's own catalogue."""
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path))
    return tmp_path


def test_twins_have_the_columns_of_the_real_data(data, toil):
    twin = catalogue.load("gtex-twin")
    real = loading.gtex_toil(toil)
    assert set(real.obs) - set(twin.obs) == {"detailed_category"}
    assert twin.uns["provenance"]["role"] == "twin"


def test_describe_counts_samples_groups_and_floor(data):
    adata = catalogue.load("gtex-twin")
    counts = catalogue.describe("gtex-twin")
    blood = next(one for one in counts["classes"]["tissue"] if one["label"] == "Blood")
    of_blood = adata[adata.obs["tissue"] == "Blood"]
    assert (counts["n_samples"], counts["n_genes"]) == adata.shape
    assert (blood["samples"], blood["groups"]) == (of_blood.n_obs, of_blood.obs["donor"].nunique())
    assert blood["floor_share"] == pytest.approx((adata.X.min() == of_blood.X).mean(), abs=1e-4)
    assert counts == catalogue.describe("gtex-twin")  # kept, and read back the same


def test_describe_fetches_nothing_over_the_network(data, monkeypatch):
    monkeypatch.delenv("EXPRML_MIRROR", raising=False)
    assert catalogue.describe("gtex-v8")["available"] is False


def test_real_data_that_are_not_here_are_not_loaded_under_policy_simulated(data, monkeypatch):
    monkeypatch.setenv("EXPRML_MIRROR", str(data))
    with pytest.raises(NotAvailableError, match="gtex-toil"):
        catalogue.load("gtex-toil", policy="simulated")


needs_mirror = pytest.mark.skipif("EXPRML_MIRROR" not in os.environ, reason="EXPRML_MIRROR is not set")


@pytest.mark.mirror
@needs_mirror
def test_real_gtex_has_the_published_shape_and_the_oddities_the_card_tells(data):
    adata = catalogue.load("gtex-toil")
    obs = adata.obs
    assert adata.shape == (3797, 1000)
    assert obs["donor"].nunique() == 543
    assert set(obs.loc[obs["tissue"] == "Bone Marrow", "donor"]) == {"K-562"}
    assert (obs["tissue"] == "<not provided>").sum() == 2
    assert obs.loc[obs["tissue"] == "Skin", "cell_line"].ne("").sum() == 137
    assert (adata.X.min() == adata.X).mean() == pytest.approx(0.5533, abs=1e-4)
    assert obs.loc["GTEX-1117F-0626-SM-5N9CS", "tissue"] == "Blood Vessel"


@pytest.mark.mirror
@needs_mirror
def test_real_tcga_is_602_pairs_of_eleven_cohorts(data):
    adata = catalogue.load("tcga-paired")
    assert adata.shape == (1204, 3556)
    assert adata.obs["cohort"].nunique() == 11
    pairs = adata.obs.groupby("patient")["sample_type"].agg(lambda kinds: "".join(sorted(kinds)))
    assert len(pairs) == 602
    assert set(pairs) == {"normaltumour"}
    assert adata.uns["provenance"]["missing"] == int(np.isnan(adata.X).sum()) == 944
    assert adata.obs_names[0] == "TCGA-A7-A0CE-01A-11R-A00Z-07"
    assert adata[0, ["A1BG", "A2M"]].X.tolist() == [pytest.approx([5.44, 13.21])]


@pytest.mark.mirror
@needs_mirror
def test_prepared_data_equal_the_first_reading_and_replace_older_ones(data):
    old = data / "prepared" / "dgex-maps-0123456789ab.h5ad"
    other = data / "prepared" / "gtex-toil-0123456789ab.h5ad"
    for path in (old, other):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    first, second = catalogue.load("gtex-toil"), catalogue.load("gtex-toil")
    assert np.array_equal(first.X, second.X)
    pd.testing.assert_frame_equal(first.obs, second.obs)
    pd.testing.assert_frame_equal(first.var, second.var)
    assert first.uns["provenance"] == second.uns["provenance"]
    assert old.exists()
    assert not other.exists()


@pytest.mark.mirror
@needs_mirror
def test_damaged_prepared_data_are_made_again(data):
    catalogue.load("gtex-toil")
    path = prepared._prepared_path(catalogue.entry("gtex-toil"))
    path.write_bytes(path.read_bytes()[:1000])
    assert catalogue.load("gtex-toil").shape == (3797, 1000)


@pytest.mark.mirror
@needs_mirror
def test_every_gene_of_the_maps_is_there(data):
    var = catalogue.load("dgex-maps").var
    assert var["is_landmark"].value_counts().to_dict() == {False: 9520, True: 943}
    assert var.index.is_unique
