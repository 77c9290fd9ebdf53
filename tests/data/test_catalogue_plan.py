"""The data plan: the best that can be had, within seconds, written only when it changes."""

import hashlib
import json
import shutil
import time

import pytest
import requests
import yaml

from exprml.base.errors import ExprmlError, NotAvailableError, ParameterError, UnknownNameError
from exprml.data import catalogue
from exprml.data.catalogue import downloading

TEXTS = dict.fromkeys(("licence", "about", "shows", "cannot_show", "floor"), "x")
LIST = {
    "real": {
        "title": "R", "kind": "real", "roles": {"paper": "stand-in"}, **TEXTS,
        "reader": "readers.chen2016.dgex_maps",
        "files": {"values": {"path": "values.tsv", "url": "https://example.org/values.tsv", "bytes": 5,
                             "sha256": hashlib.sha256(b"12345").hexdigest()}},
    },
    "twin": {
        "title": "T", "kind": "simulated", "roles": {"paper": "twin"}, **TEXTS,
        "reader": "simulate.gtex.gtex_twin",
        "options": {"n_donors": 9},
    },
    "built": {
        "title": "B", "kind": "simulated", "roles": {"paper": "twin"}, **TEXTS,
        "reader": "simulate.gtex.gtex_twin",
        "files": {"structure": {"path": "values.tsv", "url": "https://example.org/values.tsv", "bytes": 5,
                                "sha256": hashlib.sha256(b"12345").hexdigest()}},
    },
    "made": {
        "title": "M", "kind": "simulated", "roles": {"paper": "made"}, **TEXTS,
        "reader": "simulate.gtex.gtex_twin",
    },
}  # fmt: skip
SLOTS = {"smoke": ["twin"], "default": ["real", "twin"], "paper": ["real", "twin"]}


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Make a project with one notebook, no network and no mirror."""
    for name in ("data", "mirror", "notebooks"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "catalogue.yml").write_text(yaml.safe_dump(LIST))
    write_profiles(tmp_path, SLOTS)
    monkeypatch.setenv("EXPRML_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("EXPRML_ROOT", str(tmp_path))
    monkeypatch.delenv("EXPRML_MIRROR", raising=False)
    monkeypatch.setattr(downloading, "_offline", {})
    monkeypatch.setattr(requests, "get", offline)
    return tmp_path


def offline(url, **options):
    raise requests.ConnectionError("no route")


def write_profiles(folder, slots):
    (folder / "notebooks" / "profiles.yml").write_text(yaml.safe_dump({"paper/01-a": {"data": {"t": slots}}}))


def with_mirror(house, monkeypatch, content=b"12345"):
    (house / "mirror" / "values.tsv").write_bytes(content)
    monkeypatch.setenv("EXPRML_MIRROR", str(house / "mirror"))


def chosen(plan):
    return plan["notebooks"]["paper/01-a"]["t"]


def test_real_data_come_first_when_they_can_be_had(house, monkeypatch):
    with_mirror(house, monkeypatch)
    one = chosen(catalogue.resolve("default"))
    assert (one["dataset"], one["role"], one["why"]) == ("real", "stand-in", "first choice")


def test_offline_without_mirror_decides_for_the_twin_at_once_and_says_why(house):
    began = time.perf_counter()
    one = chosen(catalogue.resolve("default"))
    assert (one["dataset"], one["role"]) == ("twin", "twin")
    assert one["why"].startswith("not real: values.tsv cannot be had. Tried: example.org is offline")
    assert time.perf_counter() - began < 3


def test_damaged_data_are_not_used_and_the_plan_says_so(house, monkeypatch):
    with_mirror(house, monkeypatch, b"54321")
    one = chosen(catalogue.resolve("default"))
    assert one["dataset"] == "twin"
    assert "expected SHA-256" in one["why"]


def test_policy_real_fails_when_only_a_twin_can_be_had(house):
    with pytest.raises(NotAvailableError, match=r"paper/01-a, t: .*example\.org is offline.*not twin"):
        catalogue.resolve("default", "real")
    assert catalogue.plan_for("default") == {}


def test_policy_real_takes_data_that_the_paper_itself_made(house):
    write_profiles(house, {"default": ["made"]})
    assert chosen(catalogue.resolve("default", "real"))["role"] == "made"


def test_policy_simulated_touches_neither_network_nor_mirror(house, monkeypatch):
    with_mirror(house, monkeypatch)

    def touched(*arguments, **options):
        raise AssertionError("touched")

    monkeypatch.setattr(requests, "get", touched)
    monkeypatch.setattr(shutil, "copyfile", touched)
    assert chosen(catalogue.resolve("default", "simulated"))["dataset"] == "twin"
    assert not (house / "data" / "raw").exists()


def test_made_data_that_read_files_are_chosen_only_where_the_files_can_be_had(house, monkeypatch):
    write_profiles(house, {"default": ["built", "twin"]})
    assert chosen(catalogue.resolve("default"))["why"].startswith("not built: values.tsv cannot be had")
    with_mirror(house, monkeypatch)
    assert chosen(catalogue.resolve("default"))["dataset"] == "built"
    with pytest.raises(NotAvailableError, match="not built: a twin is not real data"):
        catalogue.resolve("default", "real")


def test_policy_simulated_takes_no_made_data_that_read_files(house, monkeypatch):
    write_profiles(house, {"default": ["built", "twin"]})
    with_mirror(house, monkeypatch)
    one = chosen(catalogue.resolve("default", "simulated"))
    assert (one["dataset"], one["why"]) == ("twin", "not built: policy simulated")
    assert not (house / "data" / "raw").exists()


def test_the_plan_is_written_only_when_it_changes(house):
    path = house / "data" / "plan.json"
    catalogue.resolve("default")
    before = path.stat().st_mtime_ns
    catalogue.resolve("default")
    assert path.stat().st_mtime_ns == before


def test_profiles_do_not_disturb_each_other(house):
    smoke = catalogue.resolve("smoke")
    catalogue.resolve("default")
    assert json.loads((house / "data" / "plan.json").read_text())["smoke"] == smoke
    assert catalogue.plan_for("smoke") == smoke
    assert catalogue.plan_for("paper") == {}


def test_the_hash_changes_with_the_options_of_the_reader(house):
    before = chosen(catalogue.resolve("smoke"))["hash"]
    changed = {**LIST, "twin": {**LIST["twin"], "options": {"n_donors": 10}}}
    (house / "data" / "catalogue.yml").write_text(yaml.safe_dump(changed))
    assert chosen(catalogue.resolve("smoke"))["hash"] != before


def test_a_profile_without_list_takes_the_default_one(house):
    write_profiles(house, {"default": ["twin"]})
    assert chosen(catalogue.resolve("paper"))["dataset"] == "twin"


def test_unknown_profile_policy_and_data_set_are_named(house):
    with pytest.raises(UnknownNameError, match="did you mean 'default'"):
        catalogue.resolve("defaul")
    with pytest.raises(ParameterError, match="'honest'"):
        catalogue.resolve("default", "honest")
    write_profiles(house, {"default": ["twinn"]})
    with pytest.raises(UnknownNameError, match="did you mean 'twin'"):
        catalogue.resolve("default")


def test_a_data_set_without_role_in_the_paper_is_an_error(house):
    (house / "notebooks" / "profiles.yml").write_text(
        yaml.safe_dump({"other/01-a": {"data": {"t": {"default": ["twin"]}}}})
    )
    with pytest.raises(ExprmlError, match="twin: no role for 'other'"):
        catalogue.resolve("default")
