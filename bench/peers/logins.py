"""What all peers written in Python share: reading the generated log, and saying what came of it."""

import json
import platform
import sys
from importlib.metadata import version
from typing import Iterator, NamedTuple

import ua_parser


class Login(NamedTuple):
    """One login. Time in milliseconds since 1970, UTC."""

    uid: str
    time: int
    user: str
    succeeded: bool
    ip: str
    asn: int
    country: str
    agent: str


def read(path: str) -> Iterator[Login]:
    """The logins of a file, one JSON object a line, in the order of the file."""
    with open(path, "rb") as lines:
        for line in lines:
            event = json.loads(line)
            source = event["src_endpoint"]
            yield Login(
                event["metadata"]["uid"],
                event["time"],
                event["user"]["name"],
                event["status_id"] == 1,
                source["ip"],
                source["autonomous_system"]["number"],
                source["location"]["country"],
                event["http_request"]["user_agent"],
            )


class Client(NamedTuple):
    """What a user agent tells, as values that are only compared."""

    browser: tuple
    system: tuple
    device: str


_CLIENTS: dict[str, Client] = {}


def client(agent: str) -> Client:
    """The client of a user agent; each user agent is parsed once."""
    found = _CLIENTS.get(agent)
    if found is None:
        found = _CLIENTS[agent] = _parsed(agent)
    return found


def _parsed(agent: str) -> Client:
    told = ua_parser.parse(agent)
    browser, system = told.user_agent, told.os
    family = system.family if system else ""
    mobile = family == "iOS" or (family == "Android" and "Mobile" in agent)
    return Client(
        (browser.family, browser.major) if browser else (),
        (family, system.major, system.minor) if system else (),
        "mobile" if mobile else "desktop",
    )


class Results:
    """Takes scores: counts them, and writes them to a file if one is given."""

    def __init__(self, path: str | None) -> None:
        self._out = open(path, "w", encoding="utf-8") if path else None
        self.logins = 0
        self.scored = 0

    def take(self, uid: str, score: float | None) -> None:
        """Takes the score of the next login; None where the peer gives none."""
        self.logins += 1
        self.scored += score is not None
        if self._out:
            self._out.write(f"{uid} {'-' if score is None else repr(float(score))}\n")

    def end(self, *packages: str) -> None:
        """Says how many there were, and which versions counted them."""
        if self._out:
            self._out.close()
        say(self.logins, self.scored, *packages)


def say(logins: int, results: int, *packages: str) -> None:
    """One line on standard output: logins read, results given, versions."""
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{package} {version(package)}" for package in packages]
    json.dump({"logins": logins, "results": results, "versions": ", ".join(versions)}, sys.stdout)
    print()


def argument(number: int) -> str | None:
    """An argument of the command line, if it is given."""
    return sys.argv[number] if len(sys.argv) > number else None
