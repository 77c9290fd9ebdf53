"""Readers of the catalogue, on tiny files of the same form, and on the real ones if they are here."""

import base64
import os

import numpy as np
import pandas as pd
import pytest
from xarray import DataArray

from exprml.base.errors import DataError, NotAvailableError
from exprml.data import catalogue, formats
from exprml.data.catalogue import loading
from exprml.data.readers import chen2016, heil2022, recount2
from exprml_press import inventory

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
    adata = heil2022.gtex_toil(toil)
    assert adata.X.tolist() == [[1, 2], [3, 4], [5, 6], [7, pytest.approx(-9.9658)]]
    assert adata.obs["upstream_split"].tolist() == ["train", "train", "test", "test"]
    assert adata.obs["tissue"].tolist() == ["Blood", "Bone Marrow", "Blood", "<not provided>"]


def test_toil_finds_donor_sex_and_cell_line(toil):
    obs = heil2022.gtex_toil(toil).obs
    assert obs["donor"].tolist() == ["GTEX-AA", "K-562", "GTEX-AA", "GTEX-BB"]
    assert obs["sex"].tolist() == ["male", "female", "male", ""]
    assert obs["cell_line"].tolist() == ["", "K-562", "Ebv-Transformed Lymphocytes", ""]


def test_toil_names_genes_without_version_and_keeps_it(toil):
    var = heil2022.gtex_toil(toil).var
    assert var.index.tolist() == ["ENSG00000000003", "ENSG00000000005"]
    assert var["ensembl_version"].tolist() == ["ENSG00000000003.14", "ENSG00000000005.5"]
    assert var["symbol"].tolist() == ["TSPAN6", ""]


def test_toil_refuses_a_phenotype_table_that_lacks_samples(toil):
    toil["phenotype"].write_text(PHENOTYPE.replace("GTEX-BB", "GTEX-CC"))
    with pytest.raises(DataError, match=r"1 of 4 samples .* 'GTEX-BB-0326-SM-3'"):
        heil2022.gtex_toil(toil)


def test_gtex_v8_reads_gct_and_attributes(tmp_path):
    (tmp_path / "x.gct").write_text(
        "#1.2\n2\t2\nName\tDescription\tGTEX-AA-1-SM-1\tK-562-SM-2\n"
        "ENSG1.3\tA\t0\t1.5\nENSG2.4_PAR_Y\tB\t2\t3\n"
    )
    (tmp_path / "a.txt").write_text(
        "SAMPID\tSMTS\tSMTSD\nK-562-SM-2\tBone Marrow\tCells - X\nGTEX-AA-1-SM-1\tSkin\tS\n"
    )
    (tmp_path / "s.txt").write_text("SUBJID\tSEX\tAGE\tDTHHRDY\nGTEX-AA\t2\t60-69\t\n")
    paths = {"expression": tmp_path / "x.gct", "attributes": tmp_path / "a.txt"}
    adata = heil2022.gtex_v8({**paths, "subjects": tmp_path / "s.txt"})
    assert adata.X.tolist() == [[0, 2], [1.5, 3]]
    assert adata.obs[["tissue", "donor", "sex", "cell_line"]].to_numpy().tolist() == [
        ["Skin", "GTEX-AA", "female", ""],
        ["Bone Marrow", "K-562", "", "K-562"],
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
    adata = heil2022.tcga_paired({name: tmp_path / f"{name}.RData" for name in objects})
    assert adata.var_names.tolist() == ["A1BG", "TP53"]
    np.testing.assert_array_equal(adata.X, [[1, 3], [2, 4], [9, 7], [10, np.nan]])
    assert adata.obs["sample_type"].tolist() == ["tumour", "normal"] * 2
    assert adata.obs["patient"].tolist() == ["TCGA-A7-A0CE"] * 2 + ["TCGA-AA-A0CE"] * 2
    assert adata.obs["cohort"].tolist() == ["BRCA", "BRCA", "COAD", "COAD"]


def test_gene_maps_go_into_var(tmp_path):
    (tmp_path / "lm.txt").write_text("UBE2C\tENSG1\t1_at\n")
    (tmp_path / "tg.txt").write_text("RAP1GAP\tENSG2\t2_at\nMAK\tENSG3\t3_at\n")
    adata = chen2016.dgex_maps({"landmarks": tmp_path / "lm.txt", "targets": tmp_path / "tg.txt"})
    assert adata.shape == (0, 3)
    assert adata.var["is_landmark"].tolist() == [True, False, False]
    assert adata.var.loc["3_at", "symbol"] == "MAK"


# R 4: labels and runs as below, NA written as R writes it; save(..., compress="xz")
RECOUNT2 = {
    "labels.rda": """
/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4AM0AUhdACkRB1RoEeRuUsqgM8UkXrtrnNeLUzcP1dKbshUqBwT4yAjz6ecgUCbbx5+qnqYl
GEc0XiQ8OoghwiMYYcnp5/Db7RVMGcCZlKbT9IGGr9+Xa3mOKgWidEEWGayOBsNiT7qJmoT6xCBfz+uT14onXNAxZPzC2xf3H/PmdwqB
H2exyTZjQBu4z+tHm3RzWTGkEiHdy/tSMxOIvy/WuMc+54S3EcBP4XjIzEsagPX1XrTQU6gojbj0oaUDaeZs9dQ/qEZ+ImUzCeBKCizt
RTbelTRQcSmvpGdmT1NwR9d/2AvbrdoIcdSWIUhSQXD1bm6zR+KY0CpRBYW3gdKnDwP4z2gKQN/5zc5sOK7QYlfrfz8Z4fv3wHho9xs7
sEYqiXIEisvIQbHZUTzcaslms/xDgYGU3Ina4aOF5Ju1/wRQzT3XWuNrLIf8NYoAnUISPwAB4AK1BgAAJV7wgT4wDYsCAAAAAAFZWg==
""",
    "runs.Rdata": """
/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4AFyAK5dACkRB1RoEeRuUsqgM8UkXrtrnNeLUzcP1dKbshUqBwT4yAjz6eccpOYwCmiX2vy7
0u5S9VPYmylJsPNie3Fv+8qpCrcC3cnzf45+QwJOjj7Vv2VrRBQ1ct3Cj4WiTN2jT1+ElMLRSASg9voEP0SDOcx/mru1kwgc/WwbO4S+
9npgOEKtVxfA6/gEBTxgDIrlHLX+KmjXhVzUlWKJp4Z+7U76YtAR/bTtw/4r9sC7AAAAACOGtXQAAcYB8wIAAONt064+MA2LAgAAAAAB
WVo=
""",
}
CONVERTED = {
    "labels.tsv": """sample_id dataset reported_sex predicted_sex reported_tissue accuracy_sex
SRR1 sra M female Blood 0.86
SRR2 sra NA male Brain 0.86
SRR3 gtex male male Lung 0.86
SRR4 sra Female male NA 0.86
SRR5 sra mixed Unassigned Blood 0.86
""",
    "runs.tsv": """project run paired_end
SRP1 SRR5 TRUE
SRP1 SRR1 NA
SRP2 SRR2 TRUE
SRP3 SRR4 FALSE
""",
}


@pytest.fixture
def label_tables(write_file):
    """Return the paths of the two tables: in R's format, and as text."""
    original = {name: write_file(name, base64.b64decode(text)) for name, text in RECOUNT2.items()}
    text = {name: write_file(name, table.replace(" ", "\t")) for name, table in CONVERTED.items()}
    return [dict(zip(("labels", "runs"), paths.values(), strict=True)) for paths in (original, text)]


def test_the_structure_of_studies_is_the_same_from_r_and_from_the_conversion(label_tables):
    of_r, of_text = (recount2.recount2_structure(paths) for paths in label_tables)
    pd.testing.assert_frame_equal(of_r, of_text)
    assert of_r.reset_index().to_numpy().tolist() == [
        ["SRR1", "SRP1", "Blood", "male"],  # reported, against the prediction
        ["SRR2", "SRP2", "Brain", "male"],  # predicted, none reported
        ["SRR5", "SRP1", "Blood", ""],
    ]


def test_a_run_without_study_is_an_error(label_tables):
    label_tables[1]["runs"].write_text("project\trun\nSRP1\tSRR1\n")
    with pytest.raises(DataError, match=r"2 of 3 runs are not in it, as 'SRR2'"):
        recount2.recount2_structure(label_tables[1])


def test_the_twin_of_studies_has_the_structure_of_its_files(label_tables):
    adata = recount2.studies_twin(label_tables[0], n_genes=3, min_studies=1)
    assert adata.obs["study"].tolist() == ["SRP1", "SRP2", "SRP1"]
    assert adata.uns["provenance"]["steps"][0] == "structure: read labels.rda"
    assert recount2.studies_twin({}, n_genes=3).n_obs > 300


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Give an empty data folder with the project's own catalogue."""
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path))
    return tmp_path


def test_twins_have_the_columns_of_the_real_data(data, toil):
    twin = catalogue.load("gtex-twin")
    real = heil2022.gtex_toil(toil)
    assert set(real.obs) - set(twin.obs) == {"detailed_category"}
    assert twin.uns["provenance"]["role"] == "twin"


def test_twins_have_columns_of_their_own_kind(data):
    tcga, small = catalogue.load("tcga-twin"), catalogue.load("studies-twin-small")
    assert list(tcga.obs) == ["patient", "cohort", "tissue", "sample_type", "plate", "centre"]
    assert tcga.uns["provenance"]["missing"] == np.isnan(tcga.X).sum() > 0
    assert list(small.obs) == ["study", "tissue", "sex"]
    assert small.obs.index.name == "run"


def test_describe_counts_samples_groups_and_floor(data):
    adata = catalogue.load("gtex-twin")
    counts = inventory.describe("gtex-twin")
    blood = next(one for one in counts["classes"]["tissue"] if one["label"] == "Blood")
    of_blood = adata[adata.obs["tissue"] == "Blood"]
    assert (counts["n_samples"], counts["n_genes"]) == adata.shape
    assert (blood["samples"], blood["groups"]) == (of_blood.n_obs, of_blood.obs["donor"].nunique())
    assert blood["floor_share"] == pytest.approx((adata.X.min() == of_blood.X).mean(), abs=1e-4)
    assert counts == inventory.describe("gtex-twin")  # kept, and read back the same


def test_describe_fetches_nothing_over_the_network(data, monkeypatch):
    monkeypatch.delenv("EXPRML_MIRROR", raising=False)
    assert inventory.describe("gtex-v8")["available"] is False


def test_real_data_that_are_not_here_are_not_loaded_from_nowhere(data, monkeypatch):
    monkeypatch.setenv("EXPRML_MIRROR", str(data))
    with pytest.raises(NotAvailableError, match="gtex-toil"):
        catalogue.load("gtex-toil", sources=())


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
def test_the_twin_of_studies_stands_on_the_real_structure(data):
    adata = catalogue.load("studies-twin")
    studies = adata.obs.groupby("tissue")["study"].nunique().sort_values(ascending=False)
    assert adata.shape == (3530, 400)
    assert adata.obs["study"].nunique() == 686
    assert len(studies) == 21
    assert studies.head(4).to_dict() == {"Blood": 115, "Breast": 102, "Stem Cell": 81, "Brain": 79}
    assert adata.obs.groupby(["study", "tissue"]).size().max() == 5
    counts = inventory.describe("studies-twin")
    blood = next(one for one in counts["classes"]["tissue"] if one["label"] == "Blood")
    assert blood["groups"] == 115


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
    path = loading.prepared_path(catalogue.entry("gtex-toil"))
    path.write_bytes(path.read_bytes()[:1000])
    assert catalogue.load("gtex-toil").shape == (3797, 1000)


@pytest.mark.mirror
@needs_mirror
def test_every_gene_of_the_maps_is_there(data):
    var = catalogue.load("dgex-maps").var
    assert var["is_landmark"].value_counts().to_dict() == {False: 9520, True: 943}
    assert var.index.is_unique
