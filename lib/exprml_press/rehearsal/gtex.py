"""GTEx v8 as the portal gives it: GCT of TPM, the wide table of samples, the small table of subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.data.formats import write_gct
from exprml.data.simulate import gtex_twin
from exprml_press.rehearsal.parts import SEX_SYMBOLS, Y_GENES, ensembl, pack, path_of

TISSUES = ("Blood", "Brain", "Skin", "Esophagus", "Blood Vessel", "Breast", "Lung", "Prostate")
_DETAILED = {
    "Blood": "Whole Blood",
    "Brain": "Brain - Cortex",
    "Skin": "Skin - Sun Exposed (Lower leg)",
    "Esophagus": "Esophagus - Mucosa",
    "Blood Vessel": "Artery - Tibial",
    "Breast": "Breast - Mammary Tissue",
    "Kidney": "Kidney - Cortex",
    "Fallopian Tube": "Fallopian Tube",
}
_CELLS = {"Skin": "Cells - Cultured fibroblasts", "Blood": "Cells - EBV-transformed lymphocytes"}
_N_DONORS, _N_GENES, _FIRST = 36, 300, 701  # symbols SIM701 to SIM1000: those that the twin of TCGA has too
_HEADER = """
SAMPID SMATSSCR SMCENTER SMPTHNTS SMRIN SMTS SMTSD SMUBRID SMTSISCH SMTSPAX SMNABTCH SMNABTCHT
SMNABTCHD SMGEBTCH SMGEBTCHD SMGEBTCHT SMAFRZE SMGTC SME2MPRT SMCHMPRS SMNTRART SMNUMGPS SMMAPRT
SMEXNCRT SM550NRM SMGNSDTC SMUNMPRT SM350NRM SMRDLGTH SMMNCPB SME1MMRT SMSFLGTH SMESTLBS SMMPPD
SMNTERRT SMRRNANM SMRDTTL SMVQCFL SMMNCV SMTRSCPT SMMPPDPR SMCGLGTH SMGAPPCT SMUNPDRD SMNTRNRT
SMMPUNRT SMEXPEFF SMMPPDUN SME2MMRT SME2ANTI SMALTALG SME2SNSE SMMFLGTH SME1ANTI SMSPLTRD SMBSMMRT
SME1SNSE SME1PCTS SMRRNART SME1MPRT SMNUM5CD SMDPMPRT SME2PCTS
"""


def write_v8(folder: Path) -> None:
    """Write the three files of the entry gtex-v8.

    Odd, as in the true files: cells in culture among Skin and Blood; a tissue of one donor; samples in the
    table that have no expression, the cell line K-562 among them; quotes in a note; a gene on both ends of Y
    (``_PAR_Y``), a symbol of two genes, a gene without a read; a subject without Hardy scale.
    """
    adata = _expression()
    write_gct(adata, path_of(folder, "gtex-v8", "expression"), version="1.2")
    samples = _samples(adata.obs)
    pack(path_of(folder, "gtex-v8", "attributes"), samples.to_csv(sep="\t", index=False, quoting=3))
    subjects = _subjects(adata.obs)
    pack(path_of(folder, "gtex-v8", "subjects"), subjects.to_csv(sep="\t", index=False))


def _expression() -> AnnData:
    twin = gtex_twin(tissues=list(TISSUES), n_donors=_N_DONORS, n_genes=_N_GENES)
    twin.obs["donor"] = [f"GTEX-1{code[3:]}A" for code in twin.obs["donor"]]
    tissue = twin.obs["tissue"].astype(str)
    lungs = tissue.index[tissue == "Lung"]  # of three donors Kidney, of one Fallopian Tube: both are rare
    tissue[lungs[:3]], tissue[lungs[3]] = "Kidney", "Fallopian Tube"
    twin.obs["tissue"] = tissue
    twin.obs_names = [f"{donor}-{100 + i:04d}-SM-{i:05d}" for i, donor in enumerate(twin.obs["donor"])]
    X = np.maximum(2.0 ** twin.X.astype(float) - 0.001, 0)
    var = pd.DataFrame({"Description": [f"SIM{_FIRST + i}" for i in range(_N_GENES)]})
    var.index = [f"{ensembl(i)}.{i % 9 + 1}" for i in range(_N_GENES)]
    men = (twin.obs["sex"] == "male").to_numpy()
    generator = np.random.default_rng(0)
    for at, (gene, symbol) in enumerate(SEX_SYMBOLS.items()):
        X[:, at] = np.where(men == (gene in Y_GENES), generator.lognormal(3, 0.3, len(X)), 0)
        var = var.rename(index={var.index[at]: f"{gene}.{12 + at}"})
        var.iloc[at, 0] = symbol
    X[:, 5] = 0
    X[:, 7] = 0.01 * X[:, 6]
    var = var.rename(index={var.index[7]: f"{var.index[6]}_PAR_Y"})
    var.iloc[[7, 9], 0] = var.iloc[[6, 8], 0]
    return AnnData(np.round(X, 4).astype(np.float32), obs=twin.obs[["donor", "tissue", "sex"]], var=var)


def _samples(obs: pd.DataFrame) -> pd.DataFrame:
    """Return the table of samples: others first and last, ours in another order than the columns."""
    table = pd.DataFrame("", index=range(len(obs)), columns=_HEADER.split())
    table["SAMPID"], table["SMTS"], table["SMAFRZE"] = list(obs.index), list(obs["tissue"]), "RNASEQ"
    table["SMTSD"] = [_DETAILED.get(one, one) for one in obs["tissue"]]
    for tissue, cells in _CELLS.items():
        table.loc[np.flatnonzero(obs["tissue"] == tissue)[::4], "SMTSD"] = cells
    table["SMRIN"] = [f"{6 + i % 30 / 10:.1f}" for i in range(len(obs))]
    table["SMPTHNTS"] = "2 pieces, ~15% vessel stroma"
    table.loc[1, "SMPTHNTS"] = '"fragmented'
    table.loc[2, "SMPTHNTS"] = '6 pieces, in some foci a "3"'
    other = table.iloc[:3].assign(SMAFRZE=["WES", "OMNI", "EXCLUDE"])
    other["SAMPID"] = other["SAMPID"].str.replace("-SM-0", "-SM-9")
    lines = table.iloc[:2].assign(SMTS="Bone Marrow", SMTSD="Cells - Leukemia cell line (CML)")
    lines["SAMPID"] = ["K-562-SM-26GMQ", "K-562-SM-2AXVE"]
    return pd.concat([lines, table.iloc[::-1], other])


def _subjects(obs: pd.DataFrame) -> pd.DataFrame:
    subjects = obs.drop_duplicates("donor")
    codes = subjects["sex"].map({"male": "1", "female": "2"})
    hardy = [str(i % 5) if i != 4 else "" for i in range(len(subjects))]
    return pd.DataFrame({"SUBJID": subjects["donor"], "SEX": codes, "AGE": "60-69", "DTHHRDY": hardy})
