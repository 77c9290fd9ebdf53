"""Tables and labels in every layout: the same values, ids and words, or a refusal with the line."""

import gzip
from itertools import product

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from exprml.base.errors import DataError, ExprmlError, FormatError
from exprml.data import user_files
from exprml.data.formats import read, read_table, write_gct

RANDOM = np.random.default_rng(3)
VALUES = np.round(RANDOM.normal(7, 2, (8, 5)), 3)
GENES = ["TP53", "BRCA1", "HLA-A", "MT-CO1", "C1orf112"]
IDS = {"words": [f"P{n:02}-T" for n in range(8)],
       "dotted": [f"{n}.{part}" for n in range(1, 5) for part in ("1", "10")],
       "zeros": [f"{n:04}" for n in (1, 10, 2, 3, 4, 5, 6, 7)],
       "long": [str(12345678901234560 + n) for n in range(8)]}  # fmt: skip


def text_of(ids, mark, decimal, header, quoted, turned):
    """Return a table as a program would write it."""
    frame = pd.DataFrame(VALUES, index=ids, columns=GENES)
    frame = frame.T if turned else frame
    quote = (lambda one: f'"{one}"') if quoted else str
    names = [quote(one) for one in frame.columns]
    first = {"named": [quote("gene" if turned else "sample")], "blank": [quote("")], "r": []}[header]
    lines = [mark.join([*first, *names])]
    for name, row in frame.iterrows():
        lines.append(mark.join([quote(name), *(str(one).replace(".", decimal) for one in row)]))
    return lines


FORMS = [
    form for form in product(",\t; ", ".,", ("named", "blank", "r"), (False, True), (False, True))
    if form[0] != form[1] and not (form[0] == " " and form[2] == "blank" and not form[3])
]  # fmt: skip


@pytest.mark.parametrize("kind", IDS)
def test_every_layout_gives_the_same_values_and_ids(tmp_path, kind):
    ends = ["\n", "\r\n", "\r"]
    for number, (mark, decimal, header, quoted, turned) in enumerate(FORMS):
        if header == "r" and kind != "words" and not turned:
            continue  # row names that are numbers: refused, see below
        text = ends[number % 3].join(["", *text_of(IDS[kind], mark, decimal, header, quoted, turned), ""])
        raw = text.encode(["utf-8", "utf-8-sig", "utf-16"][number // 3 % 3])
        path = tmp_path / ("a.csv" if number % 2 else "a.txt.gz")
        path.write_bytes(raw if number % 2 else gzip.compress(raw))
        adata = read_table(path, samples_in="columns" if turned else "rows")
        where = f"{kind} {mark!r} {decimal!r} {header} quoted={quoted} turned={turned}"
        assert list(adata.obs_names) == IDS[kind], where
        assert list(adata.var_names) == GENES, where
        np.testing.assert_array_equal(adata.X, VALUES.astype(np.float32), where)


@pytest.mark.parametrize("end", [",", ",,,"])
def test_empty_last_cells_are_no_row_names(tmp_path, end):
    lines = text_of(IDS["words"], ",", ".", "named", False, False)
    (tmp_path / "a.csv").write_text("\n".join([lines[0], *(line + end for line in lines[1:])]))
    adata = read_table(tmp_path / "a.csv")
    assert list(adata.obs_names) == IDS["words"]
    np.testing.assert_array_equal(adata.X, VALUES.astype(np.float32))
    (tmp_path / "y.csv").write_text(f"id,tissue,sex\ns1,a,M{end}\ns2,b,F{end}\n")
    labels = user_files.read_labels(tmp_path / "y.csv")
    assert (list(labels.index), list(labels["tissue"])) == (["s1", "s2"], ["a", "b"])


@pytest.mark.parametrize(
    "text",
    [
        "sample,gA,gB\ns1,1.5,2,3\ns2,1,2,3.5\n",  # a name is missing, and not that of the row names
        "gA,gB\n1.5,2.5,3\n1.25,2,3.5\n",  # the first column holds numbers that fit
        "gA,gB\ns1,1.5,2\ns2,1.5,\n",  # an empty last cell would shift the row
        "P1,1.5,2.5\nP2,3.5,4.5\nP3,3.5,1.5\n",  # no header
        "ACTB,1.5,2.5\nTP,3.5,4.5\nXIST,3.5,1.5\n",
        "TP53,0,2,0\nBRCA1,3,4,5\nEGFR2,3,1,0\n",
    ],
)
def test_rows_and_headers_that_do_not_fit_are_refused_with_the_line(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FormatError, match=r"a.csv, line \d"):
        read_table(tmp_path / "a.csv")


def test_a_stray_quote_swallows_nothing_and_a_cell_may_have_lines(tmp_path):
    (tmp_path / "y.tsv").write_text(
        'id\tt\tnote\ns1\ta\t"3 inch\ns2\tb\tok\ns3\tb\t"two\nlines"\ns4\ta\tx"y\n'
    )
    labels = user_files.read_labels(tmp_path / "y.tsv")
    assert list(labels.index) == ["s1", "s2", "s3", "s4"]
    assert list(labels["note"]) == ['"3 inch', "ok", "two\nlines", 'x"y']


def test_a_comma_that_may_stand_for_thousands_is_asked_about(tmp_path):
    (tmp_path / "a.tsv").write_text("id\tgA\tgB\ns1\t1,234\t5\ns2\t2,345\t6\n")
    with pytest.raises(FormatError, match=r"line 2: '1,234'.*--decimal"):
        read_table(tmp_path / "a.tsv")
    assert read_table(tmp_path / "a.tsv", decimal=",").X[0, 0] == np.float32(1.234)


@pytest.fixture
def reader(tmp_path):
    """Return a function that loads 24 samples with further columns beside the genes."""
    rng = np.random.default_rng(1)
    names = [f"S{n}" for n in range(24)]
    genes = [f"G{n}A" for n in range(30)]
    base = pd.DataFrame(np.round(rng.normal(7, 2, (24, 30)), 3), index=names, columns=genes)
    labels = pd.DataFrame(
        {"tissue": ["a", "b"] * 12, "donor": [f"{n // 2 // 2}.{n // 2 % 2}0" for n in range(24)]}, names
    )

    def load(changed=base, labels=labels, **options):
        changed.to_csv(tmp_path / "x.csv", index_label="sample")
        labels.to_csv(tmp_path / "y.csv", index_label="sample")
        options = {"label": "tissue", "group": "donor", "samples_in": "rows", **options}
        return user_files.load(tmp_path / "x.csv", tmp_path / "y.csv", **options)

    load.base, load.labels, load.folder = base, labels, tmp_path
    return load


@pytest.mark.parametrize(
    ("name", "values"),
    [("age", range(24)), ("Tumour_Stage", [1, 2] * 12), ("patientAge", [1.5] * 23 + [2]), ("zz", [0, 1] * 12),
     ("q_1", np.arange(24) // 2), ("xy_size", np.linspace(900, 5000, 24))],
)  # fmt: skip
def test_numbers_that_look_like_metadata_are_never_genes_unasked(reader, name, values):
    for position in (0, 30):
        frame = reader.base.copy()
        frame.insert(position, name, values)
        with pytest.raises(DataError, match=f"'{name}'.*--metadata {name} .*--exclude {name} "):
            reader(frame)
        assert reader(frame, exclude=[name]).n_vars == 30
        assert reader(frame, metadata_columns=[name]).n_vars == 30


def test_groups_and_classes_are_words(reader):
    assert reader().obs["donor"].nunique() == 12
    labels = reader.labels.assign(tissue=["1.1", "1.10"] * 12)
    assert set(reader(labels=labels).obs["tissue"]) == {"1.1", "1.10"}
    for word in ("none", "None", "NA", "unknown", "nan", "null"):
        labels = reader.labels.assign(tissue=[word, "b"] * 12)
        data = reader(labels=labels)
        assert set(user_files.usable_classes(data, "tissue", "donor", 2)[0].obs["tissue"]) == {word, "b"}
        assert f"--missing-label {word}" in " ".join(data.uns["user_files"]["warnings"])
    adata = AnnData(reader.base.to_numpy(np.float32), obs=labels.assign(tissue=["1.1", "1.10"] * 12),
                    var=pd.DataFrame(index=reader.base.columns))  # fmt: skip
    write_gct(adata, reader.folder / "x.gct")
    data = user_files.load(reader.folder / "x.gct", label="tissue", group="donor")
    assert set(data.obs["tissue"]) == {"1.1", "1.10"}
    assert list(data.obs["donor"]) == list(labels["donor"])


@pytest.mark.parametrize(
    ("change", "words"),
    [(lambda one: one.replace("S", "s"), "upper and lower case"), (lambda one: one + ".0", "'.0' at the end"),
     (lambda one: "00" + one[1:], "leading zeros")],
)  # fmt: skip
def test_ids_that_differ_in_one_way_are_named_with_the_pair(reader, change, words):
    base = reader.base.rename(str if words != "leading zeros" else lambda one: one[1:])
    with pytest.raises(DataError, match=rf"is '(S?0)' there \(they differ only in {words}\)"):
        reader(base, reader.labels.rename(change))


def test_row_numbers_are_no_ids_where_a_column_names_them(reader):
    base = reader.base.rename(lambda one: str(24 - int(one[1:])))
    labels = reader.labels.reset_index(names="sample_id")
    labels["sample_id"] = list(base.index)
    labels.index = range(1, 25)
    data = reader(base, labels)
    assert list(data.obs["tissue"]) == ["a", "b"] * 12
    assert "taken from column 'sample_id'" in " ".join(data.uns["user_files"]["warnings"])
    with pytest.raises(DataError, match="say which by --sample-column"):
        reader(base, labels.assign(id=[str(n % 24 + 1) for n in range(1, 25)]))


def test_genes_that_stand_twice_are_put_together_as_told(reader):
    frame = reader.base.set_axis(["G1A", *reader.base.columns[1:]], axis=1)
    both = reader.base[["G0A", "G1A"]].to_numpy()
    with pytest.raises(DataError, match="--duplicates sum, mean or first"):
        reader(frame)
    for how, expected in {"sum": both.sum(1), "mean": both.mean(1), "first": both[:, 0]}.items():
        data = reader(frame, duplicates=how)
        assert data.n_vars == 29
        np.testing.assert_allclose(data.X[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: one.rename(columns={"G3A": "1-Mar"}), "'1-Mar' was MARCH1"),
        (lambda one: one.rename(columns={"G3A": "44256"}), "'44256' was MARCH1"),
        (lambda one: one.rename(columns={"G3A": "2-Sep"}), "'2-Sep' was SEPT2"),
        (lambda one: one.replace(one.iloc[2, 2], -999), "1 values are -999"),
        (lambda one: one.mask(np.tile(np.arange(24) == 4, (30, 1)).T, 0), "1 samples have one value (0)"),
        (
            lambda one: one.mask(np.tile(np.arange(30) > 0, (24, 1)) & (np.arange(24) == 3)[:, None]),
            "29 of 30 genes are left out",
        ),
        (lambda one: (one - one.mean()) / one.std(ddof=0), "mean 0 and spread 1"),
        (lambda one: one.round().abs(), "small counts"),
        (lambda one: np.log2(one.abs() + 1), "a logarithm of logarithms"),
    ],
)
def test_what_is_odd_is_said(reader, change, words):
    assert words in " ".join(reader(change(reader.base)).uns["user_files"]["warnings"])


def test_classes_that_differ_in_case_are_said(reader):
    labels = reader.labels.assign(tissue=["Tumour", "tumour", "b"] * 8)
    assert "'Tumour', 'tumour'" in " ".join(reader(labels=labels).uns["user_files"]["warnings"])


def test_word_columns_are_metadata_by_themselves(tmp_path):
    (tmp_path / "a.tsv").write_text("gene_id\tsymbol\ts1\ts2\nE1\tTP53\t1.5\t2\nE2\tEGFR\t3\t4\n")
    adata = read(tmp_path / "a.tsv", samples_in="columns")
    assert list(adata.var["symbol"]) == ["TP53", "EGFR"]
    assert list(adata.obs_names) == ["s1", "s2"]


@pytest.mark.parametrize("start", ["%%MatrixMarket matrix coordinate\n", '!Series_title\t"x"\n'])
def test_collections_are_refused_by_name(tmp_path, start):
    (tmp_path / "a.txt").write_text(start)
    with pytest.raises(ExprmlError, match=r"MatrixMarket|GEO series matrix"):
        read(tmp_path / "a.txt")


def test_an_exported_table_reads_back_without_options(tmp_path):
    from exprml.data import catalogue
    from exprml_press import inventory

    data = catalogue.load("plates-twin")  # with doses and hours beside the words
    again = read(inventory.export("plates-twin", "csv", tmp_path / "p.csv"))
    assert set(again.obs) == set(data.obs)
    assert again.shape == data.shape
    np.testing.assert_array_equal(again.X, np.asarray(data.X, np.float32))


FEATURES = """# Program:featureCounts v2.0.1; Command:"featureCounts" "-a" "x.gtf"
Geneid\tChr\tStart\tEnd\tStrand\tLength\tout/s1.bam\t/data/run 2/s2.sorted.bam\ts3.sam
TP53\tchr1;chr1\t1;5\t4;9\t+;+\t1000\t5\t0\t2
EGFR\tchr7\t100\t900\t-\t801\t1\t7\t3
"""


def test_samples_of_feature_counts_are_named_by_their_files(tmp_path):
    (tmp_path / "counts.txt").write_text(FEATURES)
    data = read(tmp_path / "counts.txt", samples_in="columns")
    assert list(data.obs_names) == ["s1", "s2.sorted", "s3"]
    assert data.X.tolist() == [[5, 1], [0, 7], [2, 3]]
    assert data.var["Length"].tolist() == ["1000", "801"]
    assert "without folder and .bam" in data.uns["provenance"]["steps"][0]
    (tmp_path / "counts.txt").write_text(FEATURES.replace("s3.sam", "b/s1.bam"))
    with pytest.raises(DataError, match="duplicate sample id 's1'"):
        read(tmp_path / "counts.txt", samples_in="columns")


@pytest.mark.parametrize("mark", [",", "\t"])
def test_rows_of_empty_cells_are_passed_over_and_counted(tmp_path, mark):
    lines = ["id,tissue,g1,g2", "a,x,1,2", ",,,", "b,y,3,4", ' , ,"",', ""]
    (tmp_path / "a.txt").write_text("\n".join(line.replace(",", mark) for line in lines))
    data = read_table(tmp_path / "a.txt", samples_in="rows")
    assert data.X.tolist() == [[1, 2], [3, 4]]
    assert "2 empty rows passed over" in data.uns["provenance"]["steps"][0]
    assert "2 empty rows passed over" in user_files.read_labels(tmp_path / "a.txt").attrs["said"]
