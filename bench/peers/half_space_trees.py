"""river's half-space trees over per-user statistics: one login scored and learned after the other.

half_space_trees.py LOG [SCORES]
"""

from river import anomaly

import features
import logins


def main() -> None:
    # Trees and window are those of the paper (Tan, Ting, Liu, IJCAI 2011), depth that of evaluate's baseline.
    trees = anomaly.HalfSpaceTrees(n_trees=25, height=10, window_size=250, seed=1)
    histories, results = features.Histories(), logins.Results(logins.argument(2))
    for login in logins.read(logins.argument(1)):
        row = histories.features(login)
        score = None
        if row is not None:
            named = dict(zip(features.NAMES, row))
            score = trees.score_one(named)
            if login.succeeded:
                trees.learn_one(named)
        results.take(login.uid, score)
        histories.learn(login)
    results.end("river")


if __name__ == "__main__":
    main()
