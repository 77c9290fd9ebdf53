"""recount3 at size: a killed build goes on, and memory does not grow with the samples."""

import gzip
import json
import os
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

from exprml_press.rehearsal import recount3 as files

BUILD = """
import json, os, signal, sys
from pathlib import Path
from exprml.data.recount3 import build as recount3

said, stop = [], int(sys.argv[1])

def report(line):
    said.append(line)
    if len(said) == stop:
        os.kill(os.getpid(), signal.SIGKILL)

settings = recount3.Settings(tuple(sys.argv[3:]), int(sys.argv[2]))
path = recount3.build(settings, report=report)
status = Path("/proc/self/status")  # its own peak; getrusage would start from that of the parent
lines = status.read_text().splitlines() if status.is_file() else []
peak = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)
print(json.dumps({"path": str(path), "said": said, "peak": peak}))
"""


@pytest.fixture
def house(tmp_path):
    """Give folders for data and mirror, and the call that builds in a process of its own."""

    def run(*projects, stop=0, n_genes=3, data="data"):
        environment = {**os.environ, "EXPRML_DATA": str(tmp_path / data)}
        environment["EXPRML_MIRROR"] = str(tmp_path / "mirror")
        command = [sys.executable, "-c", BUILD, str(stop), str(n_genes), *projects]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)

    run.mirror = tmp_path / "mirror"
    return run


def answer(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_build_killed_in_both_passes_goes_on_and_ends_the_same(house):
    names = ["SRP01", "SRP02", "SRP03"]
    files.write_annotation(house.mirror, [100, 200, 400, 800, 1000, 50])
    for place, name in enumerate(names):
        counts = np.random.default_rng(place).integers(1, 9999, (4, 6))
        files.write_project(house.mirror, name, [f"{name}x{i}" for i in range(4)], counts)
    whole = answer(house(*names, data="whole"))
    for stop in (2, 2):  # behind the second project of the first pass; behind the first of the second
        assert house(*names, stop=stop).returncode == -signal.SIGKILL
    rest = answer(house(*names))
    assert [line.split(":")[0] for line in rest["said"]] == ["SRP02", "SRP03"]  # only what was left
    with h5py.File(whole["path"]) as one, h5py.File(rest["path"]) as other:
        np.testing.assert_array_equal(one["X"][:], other["X"][:])
        assert list(one["obs/sample"]) == list(other["obs/sample"])
        assert one["var/variance"][:].tolist() == other["var/variance"][:].tolist()


def test_a_finished_build_done_again_and_killed_writes_every_project_anew(house):
    names = ["SRP01", "SRP02"]
    files.write_annotation(house.mirror, [100, 200, 400, 800, 1000, 50])
    for place, name in enumerate(names):
        counts = np.random.default_rng(place).integers(1, 9999, (4, 6))
        files.write_project(house.mirror, name, [f"{name}x{i}" for i in range(4)], counts)
    with h5py.File(answer(house(*names))["path"]) as first:
        values = first["X"][:]
    assert house(*names, stop=1).returncode == -signal.SIGKILL  # behind the first project of the second pass
    rest = answer(house(*names))
    assert [line.split(":")[0] for line in rest["said"]] == ["SRP02"]
    with h5py.File(rest["path"]) as again:
        np.testing.assert_array_equal(again["X"][:], values)


def write_wide(mirror, name, n_samples, n_genes):
    """Write a project of many samples quickly: a few lines of numbers, used again and again."""
    random = np.random.default_rng(0)
    pool = ["\t".join(map(str, random.integers(0, 100_000, n_samples))) for _ in range(40)]
    runs = [f"{name}x{i}" for i in range(n_samples)]
    files.write_project(mirror, name, runs, np.ones((n_samples, 1), int))
    text = "gene_id\t" + "\t".join(runs) + "\n"
    lines = [f"{gene}\t{pool[i % 40]}\n" for i, gene in enumerate(files.gene_ids(n_genes))]
    path = mirror / files.HOME / f"gene_sums/{name[-2:]}/{name}/sra.gene_sums.{name}.G026.gz"
    path.write_bytes(gzip.compress(("##annotation=G026\n" + text + "".join(lines)).encode(), 1))


def test_memory_does_not_grow_with_the_samples(house):
    n_genes, few, many = 8_000, 800, 2_400  # both are some slices, samples.CELLS: one is held beside the next
    files.write_annotation(house.mirror, np.arange(n_genes) % 3000 + 100)
    peaks = []
    for name, n_samples in (("SRP01", few), ("SRP02", many)):
        write_wide(house.mirror, name, n_samples, n_genes)
        peaks.append(answer(house(name, n_genes=200, data=name))["peak"])
    if None in peaks:
        pytest.skip("the peak of memory is read from /proc")
    more = 8 * (many - few) * n_genes / 2**20  # megabytes of the further samples, were they held: 98
    print(f"peaks {peaks[0]:.0f} and {peaks[1]:.0f} MB; held, the second would be {more:.0f} MB more")
    assert peaks[1] - peaks[0] < more / 2
