"""Sentences for a notebook on a reader's own data: what its results table says, and what it cannot say."""

from __future__ import annotations

import pandas as pd

from exprml.book.figures.look import model_label
from exprml.evaluation import compare, scoring

LEVEL = 0.05
# A control this little above a guess is none: over few folds a tiny spread makes it "significant".
SLIGHT = 0.02


def above_chance(table: pd.DataFrame) -> pd.DataFrame:
    """Compare every model with the majority class over the same folds, at the full training size.

    Parameters
    ----------
    table : DataFrame
        Rows of ``before_and_after(..., majority=True)``, one task; further settings may be among them.

    Returns
    -------
    DataFrame
        One row per setting and model: score, above (score minus majority class) with its corrected 95 %
        interval low and high, p (Benjamini-Hochberg over all rows), found ("above", "at", "below" chance).
    """
    rows = scoring.at_full_size(table[(table["metric"] == "balanced_accuracy") & table["value"].notna()])
    found = []
    for setting, part in rows.assign(control="").groupby("setting", sort=False):
        for model in part["model"].unique():
            if model == scoring.MAJORITY:
                continue
            estimate = compare.paired_difference(part, model, scoring.MAJORITY)
            score = part.loc[part["model"] == model, "value"].mean()
            found.append({"setting": setting, "model": model, "score": score, **estimate._asdict()})
    found = pd.DataFrame(found).rename(columns={"mean": "above"})
    found["p"] = compare.benjamini_hochberg(found.pop("p_value"))
    sign = (found["above"] > 0).map({True: "above", False: "below"})
    apart = (found["low"] > 0) | (found["high"] < 0)  # all there is where replicates are too few for a test
    found["found"] = sign.where((found["p"] < LEVEL) | (found["p"].isna() & apart), "at")
    return found.drop(columns=["n", "reference"])


def verdict(found: pd.DataFrame, linear: str, better: pd.DataFrame) -> list[str]:
    """Return what the comparison says, sentence by sentence.

    Parameters
    ----------
    found : DataFrame
        From `above_chance`, with settings "intact", "removed" and perhaps "shuffled labels".
    linear : str
        Which model is the linear one.
    better : DataFrame
        Intact differences "other model minus linear": columns comparison, mean, low, high; an adjusted p, if
        there, must be small too.
    """
    by_setting = {setting: rows.set_index("model") for setting, rows in found.groupby("setting")}
    removed, others = by_setting["removed"], by_setting["removed"].drop(index=linear)
    return [
        controls(by_setting.get(scoring.SHUFFLED)),
        _intact(by_setting["intact"], linear),
        _gain(better),
        _linear_after(removed.loc[linear]),
        _others_after(others, removed.loc[linear, "found"] == "above"),
    ]


def controls(shuffled: pd.DataFrame | None) -> str:
    """Return what models trained on shuffled labels say: rows of `above_chance`, None where none was run."""
    if shuffled is None:
        return "**Controls.** None was run on shuffled labels: nothing shows that the evaluation is clean."
    off = shuffled[(shuffled["found"] == "above") & (shuffled["above"] > SLIGHT)]
    if off.empty:
        return "**Controls.** Trained on shuffled labels, the models guess: no sign of a leak of labels."
    return f"**Controls.** Shuffled labels score above a guess ({_scores(off)}): *trust nothing here*."


def _intact(intact: pd.DataFrame, linear: str) -> str:
    good = intact[intact["found"] == "above"]
    if good.empty:
        return (
            "**Intact data.** No model is clearly above chance. Either the values do not hold these classes, "
            f"or there are too few groups to tell: the intervals allow up to {intact['high'].max():+.2f}."
        )
    word = "is" if linear in good.index else "is *not*"
    return f"**Intact data.** Above chance: {_scores(good)}. The linear model {word} among them."


def _gain(better: pd.DataFrame) -> str:
    clear = ~(better["p"] >= LEVEL) if "p" in better else True  # one of several differences: adjusted
    gains, losses = better[(better["low"] > 0) & clear], better[(better["high"] < 0) & clear]
    if len(gains):
        return f"**Does nonlinearity pay?** Yes, against the linear model: {_differences(gains)}."
    said = "**Does nonlinearity pay?** No other model is clearly better than the linear one"
    worse = f"; clearly worse: {_differences(losses)}" if len(losses) else ""
    return f"{said} (the largest gain inside an interval: {better['high'].max():+.2f}){worse}."


def _linear_after(row: pd.Series) -> str:
    said = {
        "at": f"guesses, as it must, as far as these folds can tell (its interval allows {row['high']:+.2f})",
        "below": "is below chance. That is the known artefact of equalising class means in training and test "
        "apart, not a finding",
        "above": "is still above chance. Something linear was left, so do not take the other scores for "
        "nonlinear signal",
    }
    return f"**After removal, the linear model** ({row['score']:.2f}) {said[row['found']]}."


def _others_after(others: pd.DataFrame, linear_left: bool) -> str:
    good = others[others["found"] == "above"]
    if len(good):
        plain = "Something is left that no linear model can use"
        what = "How much of it is linear is open" if linear_left else plain
        return f"**After removal, the others.** Above chance: {_scores(good)}. {what}."
    return (
        "**After removal, the others.** None is clearly above chance: no nonlinear signal was found. That is "
        f"no proof of absence: with this many groups an effect of up to {others['high'].max():+.2f} in "
        "balanced accuracy fits the intervals."
    )


def _scores(rows: pd.DataFrame) -> str:
    return ", ".join(f"{model_label(name)} {row['score']:.2f}" for name, row in rows.iterrows())


def _differences(rows: pd.DataFrame) -> str:
    told = rows[["comparison", "mean", "low", "high"]].itertuples(index=False)
    return ", ".join(f"{words} {mean:+.2f} ({low:+.2f} to {high:+.2f})" for words, mean, low, high in told)
