"""Features of a login against its user's own statistics, in [0, 1]: what general anomaly detectors are given.

The same sort as `evaluate/src/baselines/features.rs`, without places: the log has countries only.
"""

from math import cos, log1p, pi, sin

from river import stats

import logins

NAMES = (
    "new_country", "new_asn", "new_ip", "new_agent", "new_client", "new_device",
    "hour", "hour_off", "gap", "gap_off", "logins", "failed",
)
# Silence and number of logins whose logarithms count as 1.
DAYS_MOST, LOGINS_MOST = log1p(400.0), log1p(1000.0)


class History:
    """What a user has shown, with running statistics of the hours and of the time between logins."""

    __slots__ = ("seen", "logins", "last", "failed", "east", "north", "gap", "gap_spread")

    def __init__(self) -> None:
        self.seen: set = set()
        self.logins = 0
        self.last: int | None = None
        self.failed = 0
        # The mean direction on a clock's face.
        self.east, self.north = stats.Mean(), stats.Mean()
        self.gap, self.gap_spread = stats.Mean(), stats.Var()


def values(login: logins.Login) -> tuple:
    client = logins.client(login.agent)
    return (
        ("country", login.country),
        ("asn", login.asn),
        ("ip", login.ip),
        ("agent", login.agent),
        ("client", client.browser[:1], client.system[:1]),
        ("device", client.device),
    )


class Histories:
    def __init__(self) -> None:
        self.users: dict[str, History] = {}

    def features(self, login: logins.Login) -> tuple | None:
        """A login as numbers; None for a user who has not logged in before."""
        history = self.users.get(login.user)
        if history is None:
            return None
        unseen = [float(value not in history.seen) for value in values(login)]
        day = login.time % 86_400_000 / 86_400_000
        direction = cos(2 * pi * day) * history.east.get() + sin(2 * pi * day) * history.north.get()
        gap = min(1.0, log1p(max(0, login.time - history.last) / 86_400_000) / DAYS_MOST)
        spread = max(history.gap_spread.get(), 1e-4) ** 0.5
        gap_off = min(1.0, abs(gap - history.gap.get()) / spread / 4)
        many = min(1.0, log1p(history.logins) / LOGINS_MOST)
        return (*unseen, day, (1 - direction) / 2, gap, gap_off, many, min(1.0, history.failed / 5))

    def learn(self, login: logins.Login) -> None:
        """Takes a login into the history; a failed one is only counted, until the next success."""
        history = self.users.get(login.user)
        if not login.succeeded:
            if history is not None:
                history.failed += 1
            return
        if history is None:
            history = self.users[login.user] = History()
        else:
            gap = min(1.0, log1p(max(0, login.time - history.last) / 86_400_000) / DAYS_MOST)
            history.gap.update(gap)
            history.gap_spread.update(gap)
        angle = 2 * pi * (login.time % 86_400_000 / 86_400_000)
        history.east.update(cos(angle))
        history.north.update(sin(angle))
        history.seen.update(values(login))
        history.logins += 1
        history.last = login.time
        history.failed = 0
