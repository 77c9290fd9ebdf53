"""Made files in the true form: the entries' readers take them, odd rows and all; the same bytes always."""

import hashlib

import numpy as np
import pytest

from exprml.data import readers
from exprml.data.catalogue.entries import entry, names
from exprml.data.simulate import terms_twin
from exprml_press import rehearsal


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    written = tmp_path_factory.mktemp("mirror")
    for write in rehearsal.WRITERS.values():
        write(written)
    return written


def read(name, folder):
    found = entry(name)
    return readers.read(found.reader, {file.key: folder / file.path for file in found.files}, **found.options)


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_own_data_set_has_files_and_all_are_small(folder):
    own = {name for name in names() if "own" in entry(name).roles.values()}
    assert set(rehearsal.WRITERS) <= own
    for name in own:
        assert all((folder / file.path).is_file() for file in entry(name).files)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 5e6


@pytest.mark.parametrize("name", rehearsal.WRITERS)
def test_the_same_call_gives_the_same_bytes(name, folder, tmp_path):
    rehearsal.WRITERS[name](tmp_path)
    again = digests(tmp_path)
    assert again
    assert again.items() <= digests(folder).items()


def test_gtex_has_its_header_its_wide_table_and_sexes(folder):
    adata = read("gtex-v8", folder)
    tissues = adata.obs.groupby("tissue")["donor"].nunique()
    assert tissues["Fallopian Tube"] == 1
    assert tissues["Kidney"] == 3
    assert set(adata.obs["sex"]) == {"male", "female"}
    assert {"Cultured fibroblasts", "EBV-transformed lymphocytes"} < set(adata.obs["cell_line"])
    assert adata.var_names.str.endswith("_PAR_Y").sum() == 1
    assert adata.var["symbol"].duplicated().any()
    assert (adata.X.max(axis=0) == 0).any()
    men = (adata.obs["sex"] == "male").to_numpy()
    assert adata.X[men][:, adata.var_names == "ENSG00000129824"].min() > 0
    assert adata.X[~men][:, adata.var_names == "ENSG00000129824"].max() == 0


def test_recount3_builds_to_a_store_with_its_filters_counted(folder):
    adata = read("recount3", folder)
    audit = adata.uns["audit"]["samples"]
    for why in ("id seen before", "malformed", "no metadata", "no predicted type", "sparse or single cell"):
        assert audit[why] > 0
    obs = adata.obs[["tissue", "study"]].astype(str)
    studies = obs[obs["tissue"] != ""].groupby("tissue")["study"].nunique()
    assert studies["Tonsil"] == 1
    assert (studies.drop("Tonsil") >= 10).all()
    assert "" in set(adata.obs["tissue"])
    assert set(adata.obs["sex"]) == {"", "male", "female"}


def test_the_lists_of_genes_have_a_gene_twice_and_several_probes(folder):
    var = read("dgex-maps", folder).var
    assert var["ensembl"].duplicated().sum() == 12
    assert var.loc[~var["is_landmark"], "symbol"].duplicated().any()
    assert var.index.str.contains(",").any()


def test_microarrays_hold_copies_and_probes_of_no_list(folder):
    adata = read("dgex-geo", folder)
    assert adata.n_vars == len(read("dgex-maps", folder).var)
    assert 4 <= adata.X.min() < adata.X.max() <= 15.01
    assert np.abs(adata.X[-2] - adata.X[0]).max() == 0
    assert 0 < np.linalg.norm(adata.X[-1] - adata.X[5]) < 1
    assert adata.var_names.str.endswith(":target").sum() == 12


def test_probe_by_probe_what_l1000_measures_is_a_landmark(folder):
    adata = read("dgex-geo-probes", folder)
    assert adata.var["is_landmark"].sum() == 44  # the 40 listed, and 4 of those that the list leaves out
    assert adata.var["is_landmark"].iloc[:44].all()
    assert dict(adata.var["symbol"])["200799_at"] == "HSPA1A"
    assert (adata.var["symbol"] == "").sum() == 4
    genes = read("dgex-geo", folder)
    probes = read("dgex-maps", folder).var.index[40].split(",")
    np.testing.assert_allclose(adata[:, probes].X.mean(axis=1), genes.X[:, 40], rtol=1e-5)


@pytest.mark.parametrize("name", ["dgex-gtex", "geuvadis"])
def test_sequenced_samples_have_all_listed_genes_and_copies_of_landmarks(name, folder):
    adata = read(name, folder)
    assert adata.n_vars == len(read("dgex-maps", folder).var)
    copies = adata.var_names[adata.var_names.str.endswith(":target")]
    np.testing.assert_array_equal(adata[:, copies].X, adata[:, copies.str.removesuffix(":target")].X)
    assert (adata.X.min() == adata.X).mean() > 0.01  # the floor
    assert (adata.X.min() < 0) == (name == "geuvadis")
    assert adata.obs["patient"].nunique() == {"dgex-gtex": 30, "geuvadis": 48}[name]


def test_inferred_profiles_are_a_standardised_slice(folder):
    adata = read("l1000-inferred", folder)
    assert adata.n_obs == 2000
    assert adata.obs_names[0].split(":")[1] == "A01"
    np.testing.assert_allclose(adata[:, adata.var["is_landmark"]].X.std(axis=0), 1, atol=0.05)


def test_the_network_of_a_tissue_joins_landmarks_by_probabilities(folder):
    edges = read("humanbase-prostate", folder).uns["edges"]
    assert set(edges["source"]) <= set(read("lincs-full", folder).var_names)
    assert edges["weight"].between(0.1, 1).all()
    assert 200 < len(edges) < 400


def test_the_wells_of_level_4_come_to_both_views(folder):
    full, prostate = read("lincs-full", folder), read("lincs-prostate", folder)
    assert full.n_vars == 60
    assert set(full.obs["moa"]) == {"DMSO", "mechanism 1", "mechanism 2"}
    assert full.n_obs == 3 * 7 * (72 + 2 * 76) - 2 * 2 * 21 - 2
    assert set(prostate.obs["moa"]) == set(full.obs["moa"])
    assert all(full.obs[label].value_counts().min() > 1000 for label in ("moa", "site", "subtype"))
    assert set(prostate.obs["cell_line"]) == {"PC3", "VCAP"}
    steps = full.uns["provenance"]["steps"]
    assert [step.split(":")[0] for step in steps[-3:-1]] == [
        "compounds and DMSO",
        "exactly one known mechanism",
    ]
    other = {*read("l1000-annotation", folder).var_names} - {*full.var_names}
    assert not other


def test_the_bulk_form_of_dee2_holds_the_runs_of_the_zip(folder):
    one, other = read("dee2-mouse", folder), read("dee2-mouse-bulk", folder)
    np.testing.assert_array_equal(other[one.obs_names].X, one.X)
    assert other[one.obs_names].obs.equals(one.obs)


def test_the_ontology_gives_the_programmes_it_was_made_of(folder):
    adata, twin = read("gene-ontology", folder), terms_twin()
    assert [name.split(" ")[1] for name in adata.uns["terms"]] == twin.uns["terms"]
    genes = adata.var_names.get_indexer(twin.var["symbol"].str.upper())
    found = adata.varm["terms"].toarray()[genes] * (genes >= 0)[:, None]
    np.testing.assert_array_equal(found, twin.varm["terms"])
