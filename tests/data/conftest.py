"""What the tests of the data wing share."""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData


@pytest.fixture
def mirror() -> Path:
    """Return the folder of real files; skip the test without it."""
    folder = os.environ.get("EXPRML_MIRROR", "")
    if not Path(folder).is_dir() or not folder:
        pytest.skip("EXPRML_MIRROR is not set to a folder of real files")
    return Path(folder)


@pytest.fixture
def write_file(tmp_path):
    """Write text or bytes under a name (packed when it ends in .gz) and return the path."""

    def write(name: str, content: str | bytes) -> Path:
        content = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@pytest.fixture
def small() -> AnnData:
    """3 samples x 2 genes: not square, so that a swap cannot hide; one gap; every kind of metadata."""
    matrix = np.array([[1.5, -2.25], [0.1, np.nan], [3e-5, 4.0]], dtype=np.float32)
    obs = pd.DataFrame(
        {
            "cell": ["A375", "MCF7", "A375"],
            "dose": [10.0, np.nan, 0.37],
            "hours": [24, 6, 24],
            "gold": [True, False, True],
            "moa": pd.Categorical(["x", None, "y"]),
            "plate": ["007", "008", "009"],
        },
        index=["s1", "s2", "s3"],
    )
    var = pd.DataFrame({"Description": ["TSPAN6", "µ gene"], "entrez": [7105, 64102]}, index=["g1", "g2"])
    return AnnData(X=matrix, obs=obs, var=var)
