"""Mutate small good files of every format and read them: refused in our words, or read as what they say.

Usage: python tests/data/mutate.py [--n 10000] [--seed 0] [--only gctx] [--keep FOLDER]

Each file is read in a child process with limits of time and memory. A finding is one of

* foreign: an exception that is not ours left the reader;
* crash, hang, memory: the process died, took longer than `SECONDS`, or grew by more than `GROWTH` bytes;
* unseen: the file was read, but must have been refused (its structure was broken on purpose), has another
  shape than the good file although nothing that tells the shape was changed, or holds missing or infinite
  values that the result does not count.

A changed value is no finding where the format has no checksum; a changed id or text neither.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
from mutate_hdf5 import CLAIMS, REFUSE, mutated_hdf5
from scipy import sparse

from exprml.data import formats

SECONDS, GROWTH, ADDRESS_SPACE = 15, 400e6, 6 << 30
SHAPE = (7, 5)
NUMBERS = [
    "1e999",
    "-1e400",
    "9" * 5000,
    "",
    "NA",
    "1_000",
    "0x10",
    "1,5",
    '"',
    "inf",
    "--1",
    "1e-400",
    "é",
    "\0",
]


def good_files(folder: Path) -> dict[str, Path]:
    """Write the good files, 7 samples x 5 genes, and return them by kind."""
    generator = np.random.default_rng(7)
    matrix = generator.poisson(2, SHAPE).astype("f4")
    obs = pd.DataFrame(
        {"donor": [f"1.{i}" for i in range(7)], "tissue": pd.Categorical(list("aabbaab")), "age": range(7)},
        index=[f"s{i}" for i in range(7)],
    )
    data = anndata.AnnData(matrix, obs=obs, var=pd.DataFrame(index=[f"gene{i}" for i in range(5)]))
    names = ["a.gct", "a.gct.gz", "b.gct", "a.gctx", "dense.h5ad", "sparse.h5ad", "full.h5ad", "a.csv"]
    names += ["a.csv.gz", "a.tsv"]
    files = {name: folder / name for name in names}
    formats.write_gct(data, files["a.gct"])
    formats.write_gct(data, files["a.gct.gz"])
    formats.write_gct(data, files["b.gct"], version="1.2")
    formats.write_gctx(data, files["a.gctx"])
    data.write_h5ad(files["dense.h5ad"])
    frame = data.to_df()
    frame.to_csv(files["a.csv"], index_label="id")
    frame.to_csv(files["a.csv.gz"], index_label="id")
    frame.to_csv(files["a.tsv"], sep="\t", index_label="id")
    data.X = sparse.csr_matrix(data.X)
    data.write_h5ad(files["sparse.h5ad"])
    data.raw = data.copy()
    data.layers["log"] = sparse.csc_matrix(data.X).log1p()
    data.layers["dense"] = matrix
    data.obsm["pca"], data.obsp["near"] = np.ones((7, 2)), sparse.identity(7, format="csr")
    data.write_h5ad(files["full.h5ad"])
    return files | _r_files(folder, data)


def _r_files(folder: Path, data: anndata.AnnData) -> dict[str, Path]:
    import rdata

    frame = pd.DataFrame(data.layers["dense"].astype(float), list(data.obs_names), list(data.var_names))
    rdata.write_rds(folder / "a.rds", frame)
    rdata.write_rda(folder / "a.RData", {"m": frame})
    return {name: folder / name for name in ("a.rds", "a.RData")}


# ------------------------------------------------------------------ mutations of bytes and texts


def mutated_bytes(content: bytes, other: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Return what was done to bytes, and the bytes."""
    kind = rng.choice(["flip", "flip", "cut", "drop", "double", "splice", "zero", "noise"])
    start, stop = sorted(int(one) for one in rng.integers(0, len(content), 2))
    stop = min(stop, start + 64) if kind in ("drop", "zero", "noise") else stop
    changed = bytearray(content)
    if kind == "flip":
        for at in rng.integers(0, len(content), rng.integers(1, 5)):
            changed[at] ^= 1 << int(rng.integers(8))
    elif kind == "cut":
        changed = changed[:start]
    elif kind == "drop":
        del changed[start:stop]
    elif kind == "double":
        changed[start:start] = content[start:stop]
    elif kind == "splice":
        changed[start:stop] = other[start:stop]
    elif kind == "zero":
        changed[start:stop] = bytes(stop - start)
    else:
        changed[start:stop] = rng.bytes(stop - start)
    return str(kind), bytes(changed)


def mutated_text(content: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Return what was done to a table, and its bytes: cells, lines and quotes."""
    mark = b"," if b"," in content.split(b"\n")[0] else b"\t"
    lines = content.split(b"\n")
    line = int(rng.integers(len(lines) - 1))
    cells = lines[line].split(mark)
    cell = int(rng.integers(len(cells)))
    kind = rng.choice(["cell", "cell", "cell", "less", "more", "twice", "gone", "returns", "quote", "blank"])
    if kind == "cell":
        cells[cell] = rng.choice(NUMBERS).encode()
    elif kind == "less":
        del cells[cell]
    elif kind == "more":
        cells.insert(cell, rng.choice(NUMBERS).encode())
    elif kind == "quote":
        cells[cell] = b'"' + cells[cell]
    lines[line] = mark.join(cells)
    if kind in ("twice", "blank"):
        lines.insert(line, lines[line] if kind == "twice" else b"")
    elif kind == "gone":
        del lines[line]
    return str(kind), (b"\r" if kind == "returns" else b"\n").join(lines)


# ------------------------------------------------------------------ reading in a child process


def child() -> None:
    """Read one path a line from standard input, answer with one line of JSON."""
    import resource
    import warnings

    from exprml.base.errors import ExprmlError

    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        path = Path(json.loads(line))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            text = path.suffix not in (".gctx", ".h5ad") and ".gct" not in path.suffixes
            answer = _looked_at(formats.read(path, **({"samples_in": "rows"} if text else {})))
        except ExprmlError as error:
            answer = {"refused": str(error)}
        except BaseException as error:
            answer = {"foreign": f"{type(error).__name__}: {error}"[:300]}
        answer["growth"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        print(json.dumps(answer), flush=True)


def _looked_at(data: anndata.AnnData) -> dict[str, Any]:
    values = data.X.toarray() if sparse.issparse(data.X) else np.asarray(data.X)
    told = data.uns["provenance"]
    counted = (int(told["missing"]), int(told.get("infinite", 0)))
    found = (int(np.isnan(values).sum()), int(np.isinf(values).sum())) if values.dtype.kind == "f" else (0, 0)
    return {"shape": list(data.shape), "counted": counted == found}


class Reader:
    """A child process that reads; a new one after a crash or a hang."""

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None

    def read(self, path: Path) -> dict[str, Any]:
        """Return the child's answer, or what became of the child."""
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, __file__, "--child"]
            environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen(command, text=True, env=environment, **pipes)
            assert self.read(FIRST)["shape"]
        process = self.process
        process.stdin.write(json.dumps(str(path)) + "\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            ready = selector.select(SECONDS if path != FIRST else 120)
        if not ready:
            process.kill()
            process.wait()
            return {"hang": f"no answer in {SECONDS} s"}
        answer = process.stdout.readline()
        if not answer:
            return {"crash": f"exit {process.wait()}"}
        return json.loads(answer)

    def close(self) -> None:
        """End the child."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


FIRST = Path()


# ------------------------------------------------------------------ mutate, read, judge


def mutate(kind: str, files: dict[str, Path], target: Path, rng: np.random.Generator) -> tuple[str, str]:
    """Write a mutated copy to `target`; return what was done and what must happen."""
    source = files[kind]
    content, packed = source.read_bytes(), source.suffix in (".gz", ".rds", ".RData")
    others = [path for path in files.values() if path.suffix == source.suffix]
    other = others[int(rng.integers(len(others)))].read_bytes()
    if source.suffix in (".gctx", ".h5ad") and rng.random() < 0.7:
        shutil.copyfile(source, target)
        return mutated_hdf5(target, rng)
    inner = packed and content[:2] == b"\x1f\x8b" and rng.random() < 0.8
    if inner:
        content, other = (gzip.decompress(one) if one[:2] == b"\x1f\x8b" else one for one in (content, other))
    text = source.suffix in (".gct", ".csv", ".tsv") or (inner and source.suffix == ".gz")
    by_cells = text and rng.random() < 0.6
    what, changed = mutated_text(content, rng) if by_cells else mutated_bytes(content, other, rng)
    target.write_bytes(gzip.compress(changed, mtime=0) if inner else changed)
    if source.suffix in (".gct", ".csv", ".tsv", ".gz"):
        return what, CLAIMS if _same_outline(content, changed) else ""
    return what, CLAIMS


def _same_outline(before: bytes, after: bytes) -> bool:
    """Tell whether two tables have the same lines, cells and quotes: then they have the same shape."""
    if before.startswith(b"#") and before.split(b"\n")[1:2] != after.split(b"\n")[1:2]:
        return False
    return all(before.count(mark) == after.count(mark) for mark in b'\n\r\t",;#\0')


def judge(answer: dict[str, Any], must: str) -> str:
    """Return the finding, empty if there is none."""
    for fate in ("foreign", "crash", "hang"):
        if fate in answer:
            return f"{fate}: {answer[fate]}"
    if answer["growth"] > GROWTH:
        return f"memory: grew by {answer['growth'] / 1e6:,.0f} MB"
    if "refused" in answer:
        return ""
    if must == REFUSE:
        return "unseen: read, but its structure is broken"
    if not answer["counted"]:
        return "unseen: missing or infinite values that are not counted"
    if must == CLAIMS and tuple(answer["shape"]) != SHAPE:
        return f"unseen: shape {answer['shape']}"
    return ""


def run(n: int, seed: int, folder: Path, only: str = "") -> Iterator[tuple[str, str, str, dict]]:
    """Yield (kind of file, mutation, finding, answer) for `n` mutated files."""
    global FIRST
    files = good_files(folder)
    FIRST = files["a.gct"]
    kinds = [kind for kind in files if only in kind]
    reader = Reader()
    try:
        for kind in kinds:
            assert reader.read(files[kind]).get("shape") == list(SHAPE), (kind, reader.read(files[kind]))
        for number in range(n):
            rng = np.random.default_rng([seed, number])
            kind = kinds[number % len(kinds)]
            target = folder / f"mutated-{kind}"
            target.unlink(missing_ok=True)
            what, must = mutate(kind, files, target, rng)
            answer = reader.read(target)
            yield kind, f"{number} {what}", judge(answer, must), answer
    finally:
        reader.close()


def main() -> int:
    """Mutate, print the findings and the count."""
    parser = argparse.ArgumentParser(description="Mutate small good files and read them")
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="kinds of files whose name holds this, as h5ad")
    parser.add_argument("--keep", type=Path, help="folder for the files with findings")
    given = parser.parse_args()
    fates, findings = Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        for kind, what, finding, answer in run(given.n, given.seed, Path(folder), given.only):
            fates["refused" if "refused" in answer else "read" if "shape" in answer else "lost"] += 1
            if not finding:
                continue
            findings += 1
            print(f"{kind}: {what}: {finding}", flush=True)
            if given.keep:
                given.keep.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(folder) / f"mutated-{kind}", given.keep / f"{what.split()[0]}-{kind}")
    counts = f"{fates['refused']} refused, {fates['read']} read, {findings} findings"
    print(f"{given.n} mutations, seed {given.seed}: {counts}")
    return min(findings, 1)


if __name__ == "__main__":
    sys.exit(child() if sys.argv[1:] == ["--child"] else main())
