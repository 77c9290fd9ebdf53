"""A twin of GTEx: made data with its columns, its donors and its floor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import check_known
from exprml.data.simulate.parts import detection_floor, low_rank, made, swings, table_of_genes

FLOOR = float(np.round(np.log2(0.001), 4))  # log2(TPM + 0.001) of an unseen gene, as the Toil files print it

# The five commonest tissues of GTEx first (heil2022, Data), then the others by size.
TISSUES = [
    "Blood", "Brain", "Skin", "Esophagus", "Blood Vessel", "Adipose Tissue", "Muscle", "Heart", "Colon",
    "Nerve", "Thyroid", "Lung", "Pancreas", "Breast", "Stomach", "Testis", "Adrenal Gland", "Pituitary",
    "Prostate", "Ovary", "Liver", "Small Intestine", "Vagina", "Spleen", "Uterus",
]  # fmt: skip


def gtex_twin(
    n_donors: int = 120,
    n_genes: int = 1000,
    *,
    nonlinear: float = 1.0,
    floor_share: float = 0.4,
    tissues: Sequence[str] = TISSUES[:8],
) -> AnnData:
    """Simulate a data set with the schema of GTEx (Toil): tissues of unequal size, donors shared by tissues.

    A value is gene level + tissue profile + donor effect + sample effect (each of low rank) + sex + noise,
    and in the markers of a tissue a swing up or down together, by a coin per sample and module: mean zero,
    so linear removal leaves it. With ``nonlinear=0, floor_share=0`` removal leaves nothing to learn.

    Parameters
    ----------
    n_donors : int
        Each gives a random part of the tissues, common ones more often.
    n_genes : int
        Genes with made-up ids.
    nonlinear : float
        Size of the swings; 1 is 2.5 standard deviations of the noise.
    floor_share : float
        Share of all values below detection, which become log2(0.001); about 0.55 in the real file.
    tissues : sequence of str
        Of :data:`TISSUES`, at least two; the first is given most often.

    Returns
    -------
    AnnData
        float32, log2(TPM + 0.001)-like; obs: tissue, donor, sex, cell_line, upstream_split; var: symbol,
        simulated.
    """
    check_known("tissue", tissues, TISSUES)
    names, n_tissues = list(tissues), len(tissues)
    generator = np.random.default_rng(0)
    obs, tissue, donor = _twin_samples(generator, names, n_donors)
    X = generator.normal(1.0, 4.0, n_genes) + generator.standard_normal((len(obs), n_genes))
    X += 0.3 * low_rank(generator, n_tissues, n_genes)[tissue]
    X += 0.3 * low_rank(generator, n_donors, n_genes)[donor]
    X += 0.3 * low_rank(generator, len(obs), n_genes)
    X[:, : max(1, n_genes // 200)] += 3.0 * (obs["sex"] == "male").to_numpy()[:, None]
    X += 2.5 * nonlinear * swings(generator, tissue, n_tissues, n_genes)
    X = detection_floor(X.astype(np.float32), share=floor_share, floor=FLOOR)
    step = f"{n_tissues} tissues, {n_donors} donors, {n_genes} genes, nonlinear {nonlinear:g}, "
    step += f"floor share {floor_share:g}, seed 0"
    return made(X, obs, table_of_genes(n_genes), step)


def _twin_samples(
    generator: np.random.Generator, names: list[str], n_donors: int
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return obs, tissue codes and donor codes: donors give tissues with falling probability."""
    given = generator.random((n_donors, len(names))) < np.linspace(0.95, 0.4, len(names))
    donor, tissue = np.nonzero(given)
    sex = np.where(generator.random(n_donors) < 0.6, "male", "female")
    obs = pd.DataFrame(
        {
            "tissue": pd.Categorical(np.array(names)[tissue]),
            "donor": [f"SIM{code + 1:04d}" for code in donor],
            "sex": sex[donor],
            "cell_line": "",
            "upstream_split": np.where(generator.random(len(donor)) < 0.79, "train", "test"),
        }
    )
    ids = [f"GTEX-{one}-{code:04d}-SIM" for one, code in zip(obs["donor"], tissue, strict=True)]
    return obs.set_index(pd.Index(ids, name="sample")), tissue, donor
