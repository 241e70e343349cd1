"""How to say with a probability how often something is so.

A relation that nobody annotated may hold all the same: a share of annotated relations is a lower bound of precision.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from segsg.photos.relater import SMALLEST, Calibration


def calibrate(said: Float[np.ndarray, "n"], so: Bool[np.ndarray, "n"]) -> Calibration:
    """The calibration, with its threshold, that makes these probabilities most likely (Platt 1999, on logits).

    ValueError unless some are so and some are not.
    """
    if so.all() or not so.any():
        raise ValueError(f"{so.sum()} of {len(so)} relations are annotated; to calibrate takes some that are, and not")
    logits = logit(said.astype(np.float64).clip(SMALLEST, 1 - 1e-7))
    fitted = LogisticRegression(C=np.inf).fit(logits[:, None], so)
    slope, offset = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    calibrated = 1 / (1 + np.exp(-(slope * logits + offset)))
    return Calibration(slope, offset, best_threshold(calibrated, so))


def best_threshold(said: Float[np.ndarray, "n"], so: Bool[np.ndarray, "n"]) -> float:
    """The probability from which on relations are shown so that F1 of precision and recall is highest; of equal ones
    the highest."""
    order = np.argsort(-said, kind="stable")
    hits, shown = np.cumsum(so[order]), np.arange(1, len(said) + 1)
    last_of_equal = np.append(np.diff(said[order]) < 0, True)
    f1 = np.where(last_of_equal, 2 * hits / (shown + so.sum()), -1.0)
    return float(said[order][f1.argmax()])


def at_threshold(said: Float[np.ndarray, "n"], so: Bool[np.ndarray, "n"], threshold: float) -> dict[str, float]:
    """{"shown": how many reach it, "precision": the share so among them (NaN of none), "recall": of all that are}."""
    shown = said >= threshold
    number, hits = float(shown.sum()), float((shown & so).sum())
    precision = hits / number if number else float("nan")
    return {"shown": number, "precision": precision, "recall": hits / max(float(so.sum()), 1.0)}
