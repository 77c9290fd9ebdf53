"""``exprml data``: what it prints and how it ends."""

import numpy as np
import pytest

from exprml_press.cli import main
from exprml_press.rehearsal import recount3 as files


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """Give an empty data folder, the project's own catalogue, no mirror."""
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path))
    monkeypatch.delenv("EXPRML_MIRROR", raising=False)
    return tmp_path


def test_list_shows_every_data_set_with_its_role(capsys):
    assert main(["data", "list"]) == 0
    lines = {line.split()[0]: line.split()[1:3] for line in capsys.readouterr().out.splitlines()[1:]}
    assert lines["gtex-toil"] == ["stand-in", "no"]
    assert lines["gtex-twin"] == ["twin", "made"]


def test_show_gives_address_hash_and_licence(capsys):
    assert main(["data", "show", "dgex-maps"]) == 0
    out = capsys.readouterr().out
    assert "7c0be34e103786c43fe5e471a86e278877cfaa2cf0245b3513681ebe883558db" in out
    assert "https://raw.githubusercontent.com/uci-cbcl/D-GEX/" in out
    assert "GPL-2" in out


def test_verify_without_files_is_no_failure(capsys):
    assert main(["data", "verify", "gtex-toil"]) == 0
    assert "missing" in capsys.readouterr().out


def test_verify_fails_on_a_wrong_file(data, capsys):
    path = data / "raw" / "dgex_maps" / "map_lm.txt"
    path.parent.mkdir(parents=True)
    path.write_text("wrong")
    assert main(["data", "verify", "dgex-maps"]) == 1
    assert "expected SHA-256" in capsys.readouterr().out


def test_export_replaces_a_file_if_told(tmp_path, capsys):
    (tmp_path / "twin.csv").write_text("mine")
    command = ["data", "export", "gtex-twin", "--to", "csv", "--output", str(tmp_path / "twin.csv")]
    assert main(command) == 1
    assert "--force" in capsys.readouterr().err
    assert main([*command, "--force"]) == 0
    assert (tmp_path / "twin.csv").read_text() != "mine"


def test_export_writes_the_file_and_prints_the_terms(tmp_path, capsys):
    assert main(["data", "export", "gtex-twin", "--to", "csv", "--output", str(tmp_path / "twin.csv")]) == 0
    header = (tmp_path / "twin.csv").read_text().splitlines()[0].split(",")
    assert header[0] == "sample"
    assert {"tissue", "donor", "sex"} < set(header)
    assert "Terms:" in capsys.readouterr().out


def test_fetch_of_made_data_says_there_is_nothing_to_fetch(capsys):
    assert main(["data", "fetch", "gtex-twin"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out


def test_fetching_recount3_says_how_to_build_it(capsys):
    assert main(["data", "fetch", "recount3"]) == 1
    assert "Run `exprml data build recount3`" in capsys.readouterr().err


def test_build_makes_what_fetch_then_finds(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EXPRML_MIRROR", str(tmp_path / "mirror"))
    files.write_annotation(tmp_path / "mirror", [100, 200, 300])
    counts = np.random.default_rng(0).integers(1, 99, (4, 3))
    files.write_project(tmp_path / "mirror", "SRP01", ["SRR1", "SRR2", "SRR3", "SRR4"], counts)
    options = ["--projects", "SRP01", "--genes", "2", "--rank", "after-scaling"]
    assert main(["data", "build", "recount3", *options]) == 0
    built = capsys.readouterr().out.splitlines()
    assert built[0] == "1 of 1: SRP01, 4 of 4 samples kept"
    assert main(["data", "fetch", "recount3"]) == 0
    assert capsys.readouterr().out.splitlines() == built[-1:]


def test_show_names_the_conversion_a_mirror_may_hold(capsys):
    assert main(["data", "show", "gene-lengths"]) == 0
    assert "or, from a mirror, gene_lengths/hs_gene_length.tsv" in capsys.readouterr().out


def test_resolve_prints_the_roles(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks").mkdir()
    slots = "heil2022/01-a: {data: {tissues: {default: [gtex-toil, gtex-twin]}}}\n"
    (tmp_path / "notebooks" / "profiles.yml").write_text(slots)
    monkeypatch.setenv("EXPRML_ROOT", str(tmp_path))
    assert main(["data", "resolve", "--policy", "simulated"]) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row[:4] == ["heil2022/01-a", "tissues", "gtex-twin", "twin"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "gtex-tiol"], "did you mean 'gtex-toil'"),
        (["export", "gtex-twin", "--to", "xls"], "'xls'"),
        (["resolve", "--profile", "defautl"], "did you mean 'default'"),
        (["build", "recount3", "--rank", "after-scalin"], "did you mean 'after-scaling'"),
    ],
)
def test_mistakes_end_with_one_line_that_names_them(arguments, message, capsys):
    assert main(["data", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
