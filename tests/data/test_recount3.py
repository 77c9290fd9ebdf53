"""recount3: files in their true form through the filters, the two passes and into the store."""

import gzip

import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError, FormatError, NotAvailableError, UnknownNameError
from exprml.base.gene_ids import without_version
from exprml.data import catalogue
from exprml.data.catalogue import downloading
from exprml.data.recount3 import build as recount3
from exprml.data.recount3 import sources
from exprml.data.recount3.state import Running
from exprml_press.rehearsal import recount3 as files

LENGTHS = [100, 200, 400, 800, 1000, 50]
SEX = "sample_acc,organism,data_type,metadata_sex,present,num_reads\n"


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Give an empty data folder and a mirror with an annotation; nothing crosses the network."""
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("EXPRML_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr(downloading, "_offline", {"recount-opendata.s3.amazonaws.com": "test"})
    files.write_annotation(tmp_path / "mirror", LENGTHS)
    return tmp_path


def some_counts(n_samples, seed=0):
    return np.random.default_rng(seed).integers(1, 10_000, (n_samples, len(LENGTHS)))


def tpm(counts):
    rates = np.asarray(counts, float) / LENGTHS
    return rates / rates.sum(axis=1, keepdims=True) * 1e6


def quiet(line):
    pass


def built(house, *projects, **options):
    sexes = options.pop("sex_labels", None)
    settings = recount3.Settings(tuple(projects), **{"n_genes": 3, **options})
    recount3.build(settings, sex_labels=sexes, report=quiet)
    return catalogue.load("recount3")


def test_addresses_follow_the_r_package():
    file = sources.project_files("SRP009615")["counts"]
    path = "human/data_sources/sra/gene_sums/15/SRP009615/sra.gene_sums.SRP009615.G026.gz"
    assert file.url == f"https://recount-opendata.s3.amazonaws.com/recount3/release/{path}"
    assert file.path == f"recount3/{path}"
    tables_of = {one.path.split("/")[-1] for one in sources.project_files("SRP009615").values()}
    assert "sra.recount_pred.SRP009615.MD.gz" in tables_of
    assert "sra.sra.SRP009615.MD.gz" in tables_of


def test_every_filter_in_the_papers_order_and_counted(house):
    good = some_counts(1)[0].tolist()
    sparse = [7, 0, 0, 0, 0, 0]
    runs = ["SRR1", "SRR1", "SRR2", "SRR3", "SRR4", "SRR5", "SRR6", "SRR7"]
    broken = [*good[:2], "x7", *good[3:]]
    counts = [good, good, broken, good, good, sparse, good, good]
    types = ["rna-seq", "rna-seq", "rna-seq", "", "rna-seq", "scrna-seq", "small-rna"]  # of unique runs
    files.write_project(house / "mirror", "SRP01", runs, counts, types=types, absent=["SRR3"])
    files.write_project(house / "mirror", "SRP02", ["SRR7", "SRR8"], some_counts(2))
    audit = built(house, "SRP01", "SRP02").uns["audit"]["samples"].to_dict()
    assert audit == {
        "samples": 10,
        "id seen before": 2,  # SRR1 within the project, SRR7 in another
        "malformed": 1,
        "no metadata": 1,
        "no predicted type": 1,
        "sparse or single cell": 2,
        "no TPM": 0,
        "kept": 3,
    }


def test_three_quarters_zeros_stay_and_more_do_not(house):
    files.write_annotation(house / "mirror", [100, 100, 100, 100])
    counts = [[5, 0, 0, 0], [0, 0, 0, 0], [9, 1, 0, 0]]
    files.write_project(house / "mirror", "SRP01", ["SRR1", "SRR2", "SRR3"], counts)
    assert list(built(house, "SRP01").obs_names) == ["SRR1", "SRR3"]


def test_values_are_tpm_scaled_over_all_samples_in_float32(house):
    counts = some_counts(6)
    files.write_project(house / "mirror", "SRP01", [f"SRR{i}" for i in range(4)], counts[:4])
    files.write_project(house / "mirror", "SRP02", [f"SRR{i}" for i in range(4, 6)], counts[4:])
    adata = built(house, "SRP01", "SRP02")
    expected = tpm(counts)
    chosen = np.sort(np.argsort(-expected.var(axis=0))[:3])
    low, high = expected.min(axis=0)[chosen], expected.max(axis=0)[chosen]
    np.testing.assert_allclose(adata.X, (expected[:, chosen] - low) / (high - low), atol=1e-6)
    assert adata.X.dtype == np.float32
    assert list(adata.var["ensembl_version"]) == [files.gene_ids(6)[i] for i in chosen]
    np.testing.assert_allclose(adata.var["variance"], expected.var(axis=0, ddof=1)[chosen])
    assert list(adata.obs["study"]) == ["SRP01"] * 4 + ["SRP02"] * 2


def test_text_and_code_of_the_paper_choose_different_genes(house):
    counts = some_counts(8)
    counts[:, 0] += 200_000 + 20_000 * (np.arange(8) == 0)  # high, one outlier
    counts[:, 3] = np.where(np.arange(8) % 2, 10, 900)  # low, but at both ends of its range
    files.write_project(house / "mirror", "SRP01", [f"SRR{i}" for i in range(8)], counts)
    values = tpm(counts)
    scaled = values.var(axis=0) / np.ptp(values, axis=0) ** 2
    for rank, expected in (("before-scaling", values.var(axis=0)), ("after-scaling", scaled)):
        best = files.gene_ids(6)[int(np.argmax(expected))]
        assert list(built(house, "SRP01", n_genes=1, rank=rank).var["ensembl_version"]) == [best]
    assert np.argmax(values.var(axis=0)) != np.argmax(scaled)


def test_genes_without_length_go_and_their_zeros_still_count(house, monkeypatch):
    known = pd.Series(LENGTHS, index=without_version(files.gene_ids(6)), dtype=float).iloc[1:]
    data = type("Data", (), {"var": known.to_frame("length")})
    monkeypatch.setattr(
        catalogue, "load", lambda name, load=catalogue.load: data if name != "recount3" else load(name)
    )
    counts = some_counts(3)
    files.write_project(house / "mirror", "SRP01", ["SRR1", "SRR2", "SRR3"], counts)
    adata = built(house, "SRP01", n_genes=9, lengths="gene-lengths")
    rates = counts[:, 1:] / np.array(LENGTHS[1:])
    expected = rates / rates.sum(axis=1, keepdims=True) * 1e6
    assert adata.n_vars == 5
    np.testing.assert_allclose(adata.var["maximum"], expected.max(axis=0), rtol=1e-6)


def test_labels_and_groups(house):
    sexes = house / "sex.csv"
    rows = [
        "SRR1,human,rnaseq,male,TRUE,9",
        "SRR2,human,microarray,male,TRUE,9",
        "SRR3,mouse,rnaseq,male,TRUE,9",
    ]
    rows += ["SRR4,human,rnaseq,unknown,TRUE,9", "SRR5,human,rnaseq,female,TRUE,9"]
    sexes.write_text(SEX + "\n".join(rows) + "\n")
    runs = [f"SRR{i}" for i in range(1, 7)]
    tissues = ["Blood", "Brain", "Blood", "Blood", "", ""]
    files.write_project(house / "mirror", "SRP01", runs, some_counts(6), tissues=tissues)
    adata = built(house, "SRP01", sex_labels=sexes)
    assert list(adata.obs_names) == runs[:5]  # the sixth has neither label and stays in the store
    assert list(adata.obs["sex"]) == ["male", "", "", "", "female"]
    assert list(adata.obs["tissue"]) == tissues[:5]


def test_a_run_with_both_sexes_is_an_error(house):
    path = house / "sex.csv"
    path.write_text(SEX + "SRR1,human,rnaseq,male,TRUE,9\nSRR1,human,rnaseq,female,TRUE,9\n")
    with pytest.raises(DataError, match="SRR1 is male in one row"):
        sources.read_sexes(path)


def test_all_projects_of_the_sra_home_in_the_order_of_the_list(house):
    files.write_samples(house / "mirror", {"SRP02": ["SRR2"], "SRP01": ["SRR1", "SRR3"]})
    files.write_project(house / "mirror", "SRP02", ["SRR2"], some_counts(1))
    files.write_project(house / "mirror", "SRP01", ["SRR1", "SRR3"], some_counts(2, seed=1))
    assert list(built(house).obs_names) == ["SRR2", "SRR1", "SRR3"]


def test_float16_has_a_name_that_says_whose_slip_it_is(house):
    files.write_project(house / "mirror", "SRP01", ["SRR1", "SRR2", "SRR3"], some_counts(3))
    path = recount3.build(recount3.Settings(("SRP01",), 2, storage="paper-float16"), report=quiet)
    import h5py

    with h5py.File(path) as file:
        assert file["X"].dtype == np.float16
    with pytest.raises(UnknownNameError, match="Known: float32, paper-float16"):
        recount3.Settings(storage="float16")


def test_a_missing_project_keeps_the_others_and_says_what_to_do(house):
    files.write_project(house / "mirror", "SRP01", ["SRR1", "SRR2"], some_counts(2))
    with pytest.raises(
        NotAvailableError, match=r"1 of 2 projects cannot be had, as SRP09 .*--without-missing"
    ):
        built(house, "SRP01", "SRP09")
    said = []
    settings = recount3.Settings(("SRP01", "SRP09"), 3)
    recount3.build(settings, without_missing=True, report=said.append)
    assert catalogue.load("recount3").n_obs == 2
    assert not any("samples kept" in one for one in said)  # the first pass was through with SRP01


def test_no_sample_left_is_an_error(house):
    files.write_project(house / "mirror", "SRP01", ["SRR1"], some_counts(1), types=["scrna-seq"])
    with pytest.raises(DataError, match="no sample of 1 projects passes"):
        built(house, "SRP01")


def counts_path(house):
    return house / "mirror" / files.HOME / "gene_sums/01/SRP01/sra.gene_sums.SRP01.G026.gz"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda text: text.replace(b"gene_id\t", b"gene\t"), FormatError, "expected a header 'gene_id'"),
        (lambda text: text.replace(b"ENSG00000000002.3", b"ENSG00000000009.1"), FormatError, "gene 3 is"),
        (lambda text: text[: text.rindex(b"ENSG")], FormatError, "5 genes, the annotation has 6"),
        (lambda text: text + b"ENSG00000000099.1\t1\t1\n", FormatError, "more genes than the 6"),
        (
            lambda text: text.replace(b"\nENSG00000000003.4", b"\t1\nENSG00000000003.4"),
            FormatError,
            "damaged",
        ),
    ],
)
def test_bad_counts_are_named(house, change, error, message):
    files.write_project(house / "mirror", "SRP01", ["SRR1", "SRR2"], some_counts(2))
    path = counts_path(house)
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))
    with pytest.raises(error, match=rf"SRP01\.G026\.gz.*{message}"):
        built(house, "SRP01")


def test_counts_cut_short_are_not_taken_from_the_mirror(house):
    files.write_project(house / "mirror", "SRP01", ["SRR1", "SRR2"], some_counts(2))
    counts_path(house).write_bytes(counts_path(house).read_bytes()[:-9])
    with pytest.raises(OSError, match="damaged or cut short"):
        built(house, "SRP01")


def test_a_metadata_table_without_its_column_is_named(house):
    files.write_project(house / "mirror", "SRP01", ["SRR1"], some_counts(1))
    path = house / "mirror" / files.HOME / "metadata/01/SRP01/sra.recount_pred.SRP01.MD.gz"
    files.pack(path, "rail_id\texternal_id\tstudy\n1\tSRR1\tSRP01\n")
    with pytest.raises(DataError, match=r"recount_pred\.SRP01\.MD\.gz: no column 'pattern\.predict\.type'"):
        built(house, "SRP01")


@pytest.mark.parametrize("parts", [[9], [4, 5], [1, 3, 5]])
def test_running_moments_are_those_of_all_samples(parts):
    values = np.random.default_rng(1).gamma(0.3, 1e5, (9, 7)) + 1e6  # a large mean: naive sums would lose it
    running = Running(7)
    for part in np.split(values, np.cumsum(parts)[:-1]):
        running.add(part, np.ones(len(part), bool))
    np.testing.assert_allclose(running.variances(), values.var(axis=0, ddof=1), rtol=1e-12)
    np.testing.assert_array_equal(running.minimum, values.min(axis=0))


def test_the_slip_divides_by_the_line_number():
    values, usable = np.array([[1.0], [5.0], [99.0], [2.0]]), np.array([True, True, False, True])
    running = Running(1, "by-line-number")
    running.add(values, usable)
    mean = squares = None
    for i, (value, use) in enumerate(zip(values[:, 0], usable, strict=True)):  # as the paper's code has it
        if use and mean is None:
            mean, squares = value, 0
        elif use:
            delta = value - mean
            mean = mean + delta / (i + 1)
            squares = squares + delta * (value - mean)
    assert running.variances()[0] == pytest.approx(squares / (i - 1))
    assert running.variances()[0] != pytest.approx(np.var([1, 5, 2], ddof=1))


def test_statistics_survive_storage_to_the_last_bit():
    running = Running(3)
    running.add(np.random.default_rng(0).random((5, 3)), np.ones(5, bool))
    again = Running(3).from_bytes(running.to_bytes())
    assert again.to_bytes() == running.to_bytes()
