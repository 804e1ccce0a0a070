"""Golden calibration (src/evaluate/calibration.h) from scikit-learn: python3 calibration.py tests/evaluate/files/calibration.json

Made with scikit-learn 1.9.1 and numpy 2.4.6. Scores are logits * 256 of a model that is too sure; labels are drawn from a flatter softmax.
calibration_curve gives the share right and the mean confidence of each bin that holds a frame; the expected calibration error is
the mean of their differences over the frames (Guo et al. 2017).
"""
import json
import sys

import numpy as np
from sklearn.calibration import calibration_curve

N, CLASSES, BINS = 240, 4, 15
rng = np.random.default_rng(6)
scores = np.round(rng.normal(0, 400, (N, CLASSES))).astype(int)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


truth = softmax(scores / 256 / 2)
labels = np.array([rng.choice(CLASSES, p=p) for p in truth])
labels[::17] = -1  # frames without a label
known = labels >= 0
confidence = softmax(scores / 256).max(axis=1)[known]
right = (scores.argmax(axis=1) == labels)[known]
share, mean = calibration_curve(right, confidence, n_bins=BINS, strategy="uniform")
edges = np.linspace(0, 1, BINS + 1)
bins = np.searchsorted(edges[1:-1], confidence)
counts = np.bincount(bins, minlength=BINS)
filled = counts[counts > 0]
ece = float((filled * np.abs(share - mean)).sum() / filled.sum())
json.dump(
    {
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "counts": counts.tolist(),
        "right": share.tolist(),
        "confidence": mean.tolist(),
        "ece": ece,
        "overconfident": float(confidence.mean() - right.mean()),
    },
    open(sys.argv[1], "w"),
)
