"""``profiles:`` of a suite: smaller versions of all its rows."""

from __future__ import annotations

from benchmark.errors import nearest
from benchmark.suite.nodes import Node
from benchmark.suite.recipes import read_draft, read_protocol
from benchmark.suite.rows import Profile

MOST_PROFILES = 20
PROFILE_KEYS = ("from", "recipe", "protocol")


def read_profiles(top: dict[str, Node], parts: set[str]) -> dict[str, Profile]:
    """Every profile; one that says ``from`` changes what the named one, which stands before it, has changed."""
    found = {"full": Profile("full")}
    for name, node in (top["profiles"].at_most(MOST_PROFILES).mapping() if "profiles" in top else {}).items():
        if name == "full":
            node.fail("profile 'full' is the paper's own and cannot be changed")
        given = node.mapping(PROFILE_KEYS)
        if "from" in given and given["from"].text() not in found:
            given["from"].fail(
                f"no profile {given['from'].text()!r} stands before this one{nearest(given['from'].text(), found)}"
            )
        base = found[given["from"].text() if "from" in given else "full"]
        recipe = (read_draft(given["recipe"], parts, "profile"),) if "recipe" in given else ()
        protocol = (read_protocol(given["protocol"], profile=True),) if "protocol" in given else ()
        found[name] = Profile(name, base.recipe + recipe, base.protocol + protocol)
    return found
