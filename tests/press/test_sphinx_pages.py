"""The site's extension: sources behind the buttons, badges, and no foreign script."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from exprml_press import sphinx_pages

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make a project with one notebook and one page of prose."""
    notebook = tmp_path / "project" / "notebooks" / "heil2022" / "01-one.ipynb"
    notebook.parent.mkdir(parents=True)
    notebook.write_text('{"cells": [], "source": true}')
    (tmp_path / "project" / "book").mkdir()
    (tmp_path / "project" / "book" / "words.md").write_text("# Words")
    monkeypatch.setenv("EXPRML_ROOT", str(tmp_path / "project"))
    return tmp_path / "project"


def script(name=None, **attributes):
    return SimpleNamespace(filename=name, attributes=attributes)


def test_a_page_knows_its_source_and_a_generated_one_has_none(project):
    assert sphinx_pages.source_of("notebooks/heil2022/01-one").name == "01-one.ipynb"
    assert sphinx_pages.source_of("book/words").name == "words.md"
    assert sphinx_pages.source_of("data-cards/gtex-toil") is None


def test_the_download_is_the_source_not_the_executed_notebook(project, tmp_path):
    copied = tmp_path / "html" / "_sources" / "notebooks" / "heil2022" / "01-one.ipynb"
    copied.parent.mkdir(parents=True)
    copied.write_text('{"cells": ["executed"]}')
    names = {"notebooks/heil2022/01-one", "book/words", "data-cards/gtex-toil"}
    app = SimpleNamespace(
        builder=SimpleNamespace(format="html"),
        env=SimpleNamespace(found_docs=names),
        outdir=str(tmp_path / "html"),
    )
    sphinx_pages.put_sources(app, None)
    assert json.loads(copied.read_text()) == {"cells": [], "source": True}
    assert not (tmp_path / "html" / "_sources" / "book" / "words.ipynb").exists()


def test_badges_name_the_least_real_data_first_and_the_profile():
    html = sphinx_pages.badges({"roles": {"a": "own", "b": "twin"}, "profile": "smoke"})
    assert html.index("role-twin") < html.index("role-own") < html.index("profile-smoke")
    assert "simulated twin" in html
    assert sphinx_pages.badges({}) == ""
    assert "status-failed" in sphinx_pages.badges({"status": "failed"})


def test_badges_cannot_smuggle_markup():
    assert "<script>" not in sphinx_pages.badges({"profile": "<script>"})


def page_context(body="<h1>Title</h1><p>text</p>"):
    inner = [{"label": "source-repository-button"}, {"label": "source-edit-button"}]
    return {
        "body": body,
        "script_files": [
            script("_static/sphinx-thebe.js"), script(None, body="const THEBE_JS_URL = 'https://x'"),
            script("_static/pages.js"),
        ],
        "header_buttons": [
            {"label": "launch-buttons", "buttons": [{"text": "Binder"}]},
            {"label": "source-buttons", "buttons": inner},
        ],
    }  # fmt: skip


def adjusted(context, pagename, path="nowhere.md", doctree="yes"):
    app = SimpleNamespace(env=SimpleNamespace(doc2path=lambda _: str(path)))
    sphinx_pages.adjust_page(app, pagename, "page.html", context, doctree)
    return context


def test_thebe_goes_everywhere(project):
    names = [one.filename for one in adjusted(page_context(), "search", doctree=None)["script_files"]]
    assert names == ["_static/pages.js"]


@pytest.mark.parametrize(
    ("widget", "kept"), [("", []), ("application/vnd.jupyter.widget-view+json", ["embed-amd.js"])]
)
def test_the_widgets_scripts_travel_with_pages_that_have_one(project, widget, kept):
    context = page_context()
    context["body"] += f'<script type="{widget}">'
    context["script_files"].append(SimpleNamespace(filename="_static/embed-amd.js", attributes={}))
    names = [one.filename for one in adjusted(context, "notebooks/a")["script_files"]]
    assert names == ["_static/pages.js", *(f"_static/{one}" for one in kept)]


def test_a_generated_page_offers_no_source_and_a_written_one_does(project):
    generated = adjusted(page_context(), "data-cards/gtex-toil")["header_buttons"]
    assert generated == [{"label": "source-buttons", "buttons": [{"label": "source-repository-button"}]}]
    assert len(adjusted(page_context(), "book/words")["header_buttons"]) == 2


def test_badges_stand_under_the_title(project, tmp_path):
    page = tmp_path / "01-one.ipynb"
    page.write_text(json.dumps({"metadata": {"exprml": {"profile": "default", "roles": {"x": "stand-in"}}}}))
    body = adjusted(page_context(), "notebooks/heil2022/01-one", page)["body"]
    assert body.startswith('<h1>Title</h1>\n<p class="page-badges"')
    assert "stand-in data" in body


def test_every_script_kept_here_has_its_licence_and_is_small():
    vendor = ROOT / "book" / "_static" / "vendor"
    assert sum(path.stat().st_size for path in vendor.rglob("*") if path.is_file()) < 7_000_000
    for script_file in vendor.rglob("*.js"):
        folders = [parent for parent in script_file.parents if vendor in parent.parents]
        assert any(list(folder.glob("LICENSE*")) for folder in folders), (
            f"{script_file.name} has no licence beside it"
        )


def test_no_address_is_fetched_by_our_own_scripts_and_styles():
    for path in (ROOT / "book" / "_static").glob("*.*"):
        text = re.sub(r"http://www\.w3\.org/(2000/svg|1999/xlink)", "", path.read_text())  # names
        assert "http" not in text, f"{path.name} names an address"


def test_configured_files_exist():
    import yaml

    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    static, options = ROOT / "book" / "_static", config["sphinx"]["config"]
    scripts = [
        *options["html_css_files"],
        *options["html_js_files"],
        *options["nb_ipywidgets_js"],
        options["mathjax_path"],
    ]
    assert all((static / name).is_file() for name in scripts)
    assert config["execute"]["execute_notebooks"] == "off"
