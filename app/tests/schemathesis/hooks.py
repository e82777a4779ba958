"""What Schemathesis cannot know of this server. Every exception has its reason beside it."""

import itertools
import os

import schemathesis

_requests = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    # Wrong tokens make their address wait (docs/access.md), and wrong tokens are sent here on purpose, by the hundred: each
    # request comes from an address of its own, through a proxy that the server's configuration names.
    number = next(_requests)
    case.headers["X-Forwarded-For"] = f"2001:db8::{number >> 16:x}:{number & 0xFFFF:x}"


@schemathesis.hook
def filter_case(context, case):
    return not (_has_unknown_header(case) or _ends_the_run(case))


def _has_unknown_header(case):
    # HTTP lets headers pass that nobody knows (RFC 9110 section 5.1); refusing them would break every proxy.
    phase = case.meta.phase.data if case.meta is not None else None
    scenario = getattr(phase, "scenario", None)
    where = str(getattr(phase, "parameter_location", "")).lower()
    return getattr(scenario, "value", scenario) == "object_unexpected_properties" and where.endswith("header")


def _ends_the_run(case):
    # Revoking the token of this run is right, and all that would be tested after it is a 401.
    own = os.environ["HABITUS_OWN_TOKEN"]
    return case.method == "DELETE" and (case.path_parameters or {}).get("id") == own
