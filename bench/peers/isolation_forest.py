"""scikit-learn's isolation forest over per-user statistics: grown anew every 4,096 logins from the last 8,192.

isolation_forest.py LOG [SCORES]

Logins are scored in batches by the forest grown before them; the first batch has none and is scored by the one it grows.
"""

from itertools import islice

import numpy
from sklearn.ensemble import IsolationForest

import features
import logins

BATCH, RECENT = 4096, 8192


def main() -> None:
    histories, results = features.Histories(), logins.Results(logins.argument(2))
    recent = numpy.empty((0, len(features.NAMES)))
    forest = None
    log = logins.read(logins.argument(1))
    while batch := list(islice(log, BATCH)):
        rows = []
        for login in batch:
            rows.append(histories.features(login))
            histories.learn(login)
        known = [row for row in rows if row is not None]
        scores = iter(())
        if known:
            matrix = numpy.array(known)
            recent = numpy.vstack((recent, matrix))[-RECENT:]
            grown = IsolationForest(n_estimators=100, max_samples=256, random_state=1, n_jobs=1).fit(recent)
            # score_samples is higher for what is usual.
            scores = iter(-(forest or grown).score_samples(matrix))
            forest = grown
        for login, row in zip(batch, rows):
            results.take(login.uid, None if row is None else next(scores))
    results.end("scikit-learn", "river")


if __name__ == "__main__":
    main()
