"""Freeman et al., NDSS 2016, in the form published with the RBA data set (das-group/rba-algorithm), counted as the log goes on.

freeman.py LOG [SCORES]

The published notebook counts rows of a table for each login; here counts are kept in dictionaries, so that a login costs the same
however long the log is. `evaluate/src/baselines/freeman.rs` is the same in Rust, and a test holds the scores to each other.
"""

import logins

IP_WEIGHTS = (0.6, 0.3, 0.1)
AGENT_WEIGHTS = (0.5386653840551359, 0.2680451498625666, 0.18818295100109536, 0.0051065150812021525)
# What a user never showed counts as this many times rarer for the user than for everybody (published code).
NEVER_SEEN = 4.0


class Counts:
    """How often each value of each level of a feature was seen, finest level first."""

    __slots__ = ("total", "levels")

    def __init__(self, levels: int) -> None:
        self.total = 0
        self.levels = [{} for _ in range(levels)]

    def add(self, values: tuple) -> None:
        self.total += 1
        for seen, value in zip(self.levels, values):
            seen[value] = seen.get(value, 0) + 1

    def shares(self, values: tuple, weights: tuple) -> float:
        """The weighted shares of the values, unsmoothed: what the published code comes to for a user."""
        total = self.total
        return sum(
            weight * seen.get(value, 0) / total for seen, value, weight in zip(self.levels, values, weights)
        )

    def everybody(self, values: tuple, weights: tuple) -> float:
        """The same for all users: the finest level is smoothed, within its own rows and within all."""
        unseen = 1 + sum(len(seen) for seen in self.levels[1:])
        count = self.levels[0].get(values[0], 0)
        whole = self.total + unseen
        finest = count / (count + len(values)) * count / whole if count else 1 / whole
        share = weights[0] * finest
        for level in range(1, len(values)):
            share += weights[level] * self.levels[level].get(values[level], 0) / self.total
        return share


class Freeman:
    def __init__(self) -> None:
        self.users: dict[str, tuple[Counts, Counts]] = {}
        self.network, self.client = Counts(3), Counts(4)

    def score(self, user: str, network: tuple, client: tuple) -> float | None:
        """The risk of a login; None for a user's first."""
        known = self.users.get(user)
        if known is None:
            return None
        score = 1.0
        for own, all_, values, weights in (
            (known[0], self.network, network, IP_WEIGHTS),
            (known[1], self.client, client, AGENT_WEIGHTS),
        ):
            local = own.shares(values, weights)
            score *= all_.everybody(values, weights) / local if local else NEVER_SEEN
        return score * (1 / len(self.users)) / (known[0].total / self.network.total)

    def learn(self, user: str, network: tuple, client: tuple) -> None:
        known = self.users.get(user)
        if known is None:
            known = self.users[user] = (Counts(3), Counts(4))
        known[0].add(network)
        known[1].add(client)
        self.network.add(network)
        self.client.add(client)


def main() -> None:
    model, results = Freeman(), logins.Results(logins.argument(2))
    for login in logins.read(logins.argument(1)):
        client = logins.client(login.agent)
        network = (login.ip, login.asn, login.country)
        values = (login.agent, client.browser, client.system, client.device)
        results.take(login.uid, model.score(login.user, network, values))
        if login.succeeded:
            model.learn(login.user, network, values)
    results.end("ua-parser")


if __name__ == "__main__":
    main()
