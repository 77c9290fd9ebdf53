"""The small tumour sets: tiny files of the same form."""

import numpy as np
import pytest

from exprml.base.errors import DataError
from exprml.data.readers import small_tumours

TRAINING = '"V1","V2","V3","V4"\n1,2,3,4\n4,1,3,2\n2,9,1,1\n'
TEST = '"V1","V2","V3","V4"\n1.5,2.5,3.5,4.5\n7,1,8,2\n'  # the first is the first above, moved


@pytest.fixture
def khan_files(write_file):
    return {
        "training": write_file("Khan_xtrain.csv", TRAINING),
        "training_types": write_file("Khan_ytrain.csv", '"x"\n2\n1\n4\n'),
        "test": write_file("Khan_xtest.csv", TEST),
        "test_types": write_file("Khan_ytest.csv", '"x"\n2\n3\n'),
    }


def nci60_files(tmp_path, labels, values):
    np.save(tmp_path / "NCI60data.npy", values)
    (tmp_path / "NCI60labs.csv").write_text("label\n" + "".join(f'"{one}"\n' for one in labels))
    return {"expression": tmp_path / "NCI60data.npy", "types": tmp_path / "NCI60labs.csv"}


def test_khan_joins_both_parts_and_names_the_types(khan_files):
    adata = small_tumours.khan(khan_files)
    names = ["Ewing sarcoma", "Burkitt lymphoma", "rhabdomyosarcoma", "Ewing sarcoma", "neuroblastoma"]
    assert adata.obs["tissue"].tolist() == names
    assert adata.obs["upstream_split"].tolist() == ["training"] * 3 + ["test"] * 2
    assert adata.obs_names[3] == "test-01"
    assert adata.var_names.tolist() == ["gene-0001", "gene-0002", "gene-0003", "gene-0004"]
    np.testing.assert_array_equal(adata.X[[1, 4]], [[4, 1, 3, 2], [7, 1, 8, 2]])


def test_a_copy_in_the_test_part_is_the_specimen_of_its_original(khan_files):
    specimens = small_tumours.khan(khan_files).obs["specimen"].tolist()
    assert specimens[3] == specimens[0]
    assert len(set(specimens)) == 4


@pytest.mark.parametrize("types", ['"x"\n2\n1\n5\n', '"x"\n2\n1\n'])
def test_khan_refuses_a_number_without_a_type_and_a_missing_line(khan_files, write_file, types):
    khan_files["training_types"] = write_file("Khan_ytrain.csv", types)
    with pytest.raises(DataError, match=r"Khan_\wtrain"):
        small_tumours.khan(khan_files)


def test_repeats_of_a_line_are_one_group_with_the_array_they_resemble(tmp_path):
    generator = np.random.default_rng(0)
    k562, mcf7, other = generator.normal(size=(3, 200))
    near = [k562, mcf7 + generator.normal(size=200) / 5, k562 + generator.normal(size=200) / 5, other, mcf7]
    labels = ["LEUKEMIA", "MCF7A-repro", "K562B-repro", "LEUKEMIA", "BREAST"]
    adata = small_tumours.nci60(nci60_files(tmp_path, labels, np.array(near)))
    assert adata.obs["cell_line"].tolist() == ["K562", "MCF7", "K562", "line 03", "MCF7"]
    assert adata.obs["tissue"].tolist() == ["leukemia", "breast", "leukemia", "leukemia", "breast"]
    assert adata.obs["label"].tolist() == labels
    np.testing.assert_allclose(adata.X, near, rtol=1e-6)


def test_an_array_that_needs_a_pickle_is_refused(tmp_path):
    paths = nci60_files(tmp_path, ["CNS", "CNS"], np.array([{"a": 1}, {}], dtype=object))
    with pytest.raises(DataError, match=r"NCI60data\.npy: no plain array"):
        small_tumours.nci60(paths)


def test_an_array_of_another_length_than_its_labels_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"NCI60data\.npy: an array of \(3, 5\) for 2 labels"):
        small_tumours.nci60(nci60_files(tmp_path, ["CNS", "CNS"], np.ones((3, 5))))
