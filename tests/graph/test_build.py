"""The run graph on tiny notebooks: what reruns, what a failure leaves, what survives kill -9."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

HOME = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "import sys; from exprml_press.cli import main; sys.exit(main())"]
BUILD = [*COMMAND, "build", "--profile", "smoke", "--cores", "2"]
RESULTS = (
    "import pandas as pd\nfrom exprml.book import report, results\nrun = report.start({name!r})",
    "table = pd.DataFrame({{'metric': ['acc'], 'value': [{value}]}})\n"
    "results.write(table, run, 'one', dataset='made')",
)


def writes_results(name: str, value: float = 1.0) -> list[str]:
    return [text.format(name=name, value=value) for text in RESULTS]


def build(*options: str, expect: int = 0) -> str:
    done = subprocess.run([*BUILD, *options], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def start(project, command: list[str], **settings) -> subprocess.Popen:
    """Start a command that ends with its test, however that ends."""
    with open(project.root / "said.txt", "w") as said:
        running = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, **settings)
    project.at_end.callback(running.wait)
    project.at_end.callback(running.kill)
    return running


def begin(project, *options: str) -> subprocess.Popen:
    return start(project, [*BUILD, *options])


def wait_for(
    happened: Callable[[], object], running: subprocess.Popen, project, seconds: float = 240
) -> None:
    end = time.monotonic() + seconds
    while not happened():
        waiting = running.poll() is None and time.monotonic() < end
        assert waiting, f"it ended, or {seconds} s did; it said: {(project.root / 'said.txt').read_text()}"
        time.sleep(0.05)


@pytest.fixture
def project(project):
    with ExitStack() as project.at_end:
        yield project


@pytest.fixture
def pages(project) -> Path:
    return project.root / "_build" / "smoke" / "notebooks"


@pytest.fixture
def html(project) -> Path:
    return project.root / "_build" / "smoke" / "html"


def test_a_build_runs_what_is_due_and_no_more(project, pages, html):
    at_once = "import time\ntime.sleep(1)\nprint('I am', {!r})"  # two kernels that share sockets would hang
    project.add("index", at_once.format("index"))
    for name in ("paper/a", "paper/b"):
        project.add(name, at_once.format(name), *writes_results(name))
    both = "[results.read(name)['value'].sum() for name in ('paper/a', 'paper/b')]"
    project.add("paper/c", f"from exprml.book import results\n{both}", needs=["paper/a", "paper/b"])
    build()
    assert (html / "index.html").is_file()
    assert (html / "notebooks/paper/c.html").is_file()
    for name in ("index", "paper/a", "paper/b"):
        assert f"I am {name}" in (pages / f"{name}.ipynb").read_text()
    before = {path: path.stat().st_mtime_ns for path in pages.rglob("*.ipynb")}
    assert len(before) == 4
    assert "4 of 4 notebooks are up to date" in build()
    assert before == {path: path.stat().st_mtime_ns for path in pages.rglob("*.ipynb")}
    # one of several needed pages changes: its reader follows in the same build
    project.add("paper/a", *writes_results("paper/a", 2.0))
    os.utime(project.root / "notebooks/index.ipynb")  # a new date alone is no reason
    assert "2 of 4 notebooks are up to date" in build("--no-site")
    for name in ("index", "paper/b"):
        assert before[pages / f"{name}.ipynb"] == (pages / f"{name}.ipynb").stat().st_mtime_ns
    assert "2.0" in (pages / "paper/c.ipynb").read_text()
    # a page of another key
    page = pages / "index.ipynb"
    document = json.loads(page.read_text())
    document["metadata"]["exprml"]["key"] = "0" * 64
    page.write_text(json.dumps(document).replace("I am index", "I am a false page"))
    assert "3 of 4 notebooks are up to date" in build("--no-site")
    assert "I am index" in page.read_text()


def test_what_failed_gets_a_page_and_its_readers_stand_without_until_that_is_mended(project, pages, html):
    project.add("paper/good", *writes_results("paper/good"))
    project.add("paper/bad", *writes_results("paper/bad"), "open('/no/such', 'rb')")
    project.add(
        "paper/reader", "from exprml.book import results\nresults.read('paper/bad')", needs=["paper/bad"]
    )
    reading = (
        "from exprml.base.errors import NotAvailableError\nfrom exprml.book import results\n"
        "for name in ('paper/good', 'paper/bad'):\n"
        "    try:\n        print('rows of', name, len(results.read(name)))\n"
        "    except NotAvailableError as error:\n        print(error)"
    )
    project.add("index", reading, needs=["paper/good", "paper/bad"])
    old = project.root / "data/results/smoke/paper/bad.csv"
    old.parent.mkdir(parents=True)
    old.write_text("the table of an earlier run")
    said = build(expect=1)
    assert "FAILED: paper/bad" in said
    assert "FAILED: index" not in said
    page = (html / "notebooks/paper/bad.html").read_text()
    assert "This notebook failed" in page
    assert "FileNotFoundError" in page
    assert "in code cell 3" in page
    assert str(project.root) not in page
    reader = (html / "notebooks/paper/reader.html").read_text()
    assert "it failed, and its page says why" in reader
    assert "the table of an earlier run" not in reader
    assert old.read_text() == "the table of an earlier run"
    page = (pages / "index.ipynb").read_text()
    assert "rows of paper/good 1" in page
    assert "no results of 'paper/bad': it failed" in page
    project.add("paper/bad", *writes_results("paper/bad"))
    assert "1 of 4 notebooks are up to date" in build()
    assert "failed" not in (html / "notebooks/paper/bad.html").read_text()
    assert old.read_text().startswith("experiment,")
    assert "rows of paper/bad 1" in (pages / "index.ipynb").read_text()


def test_second_build_in_the_folder_is_refused_by_pid(project, pages):
    project.add("index", "import time, pathlib\npathlib.Path('begun').touch()\ntime.sleep(60)")
    first = begin(project)
    wait_for((project.root / "notebooks/begun").exists, first, project)
    assert f"process {first.pid}" in build(expect=1)


PARTS = {
    "build": lambda words: any("exprml_press.cli" in word for word in words),
    "scheduler": lambda words: "exprml_press.runner.scheduler" in words,
    "worker": lambda words: "exprml_press.runner" in words and "slow" in words,
    "kernel": lambda words: "ipykernel_launcher" in words,
}


def words_of(process):
    """Return the command line of a process: empty once it is gone, as short-lived children soon are."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


@pytest.mark.parametrize("victim", PARTS)
def test_kill_any_part_then_the_same_command_finishes(project, pages, html, victim):
    project.add("index", "1 + 1")
    waits = "import pathlib, time\npathlib.Path('begun').touch()\nwhile not pathlib.Path('go').exists():\n"
    project.add("slow", waits + "    time.sleep(0.1)", *writes_results("slow"))
    folder = project.root / "notebooks"
    options = [] if victim in ("worker", "kernel") else ["--no-site"]
    running = begin(project, *options)
    both = [folder / "begun", pages / "index.ipynb"]
    wait_for(lambda: all(path.exists() for path in both), running, project)
    family = family_of(running)
    found = [process for process in family if PARTS[victim](words_of(process))]
    assert found, f"no {victim} among {[words_of(process) for process in family]}"
    finished = (pages / "index.ipynb").stat().st_ino
    found[0].send_signal(signal.SIGKILL)
    status = running.wait(timeout=90)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive, f"outlived the {victim}: {[words_of(process) for process in alive]}"
    assert not (pages / "slow.ipynb").exists()
    assert not (project.root / "data/results/smoke/slow.csv").exists()
    if not options:
        assert status == 1
        assert "This notebook failed" in (html / "notebooks/slow.html").read_text()
    (folder / "go").touch()
    build("--no-site")
    assert (pages / "index.ipynb").stat().st_ino == finished
    assert (project.root / "data/results/smoke/slow.csv").is_file()
    assert not list((project.root / "_build").rglob("*.part"))


def family_of(running: subprocess.Popen) -> list[psutil.Process]:
    found = psutil.Process(running.pid)
    return [found, *found.children(recursive=True)]


@pytest.mark.parametrize("goal", ["book", "test"])
def test_ending_make_ends_all_that_it_started(project, goal):
    project.add("index", "import time, pathlib\npathlib.Path('begun').touch()\ntime.sleep(300)")
    tools = project.root / "tools"  # in place of .venv/bin
    tools.mkdir()
    for name, does in (("ruff", "true"), ("python", sys.executable), ("exprml", shlex.join(COMMAND))):
        (tools / name).write_text(f'#!/bin/sh\nexec {does} "$@"\n')
        (tools / name).chmod(0o755)
    told = [f"BIN={tools}", "PYTHON=true", "SKIP_BROWSER=1"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "-f", str(HOME / "Makefile"), *told, goal]
    running = start(project, command, cwd=project.root, env=outside)
    wait_for((project.root / "notebooks/begun").exists, running, project)
    family = family_of(running)
    assert any(PARTS["kernel"](words_of(process)) for process in family)
    running.terminate()
    _, alive = psutil.wait_procs(family, timeout=20)
    for process in alive:
        process.kill()
    assert not alive, f"outlived make: {[words_of(process) for process in alive]}"


def test_rendering_that_fails_leaves_the_old_site(project, html):
    project.add("index", "1 + 1")
    build()
    before = (html / "index.html").stat().st_mtime_ns
    (project.root / "_config.yml").write_text("title: [broken\n")
    assert "the old one stands" in build(expect=1)
    assert (html / "index.html").stat().st_mtime_ns == before
