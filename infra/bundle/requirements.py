"""requirements.txt of the upload: the lock, in the form that plain pip resolves with hashes.

Google's buildpack runs `pip install -r requirements.txt` with its resolver on. The lock's
`google-auth[requests]==2` pins nothing for a package that asks for google-auth alone: pip then takes the
newest and refuses it, as it has no hash. So each pin with extras stands there a second time without them.
"""

from __future__ import annotations

import re

_WITH_EXTRAS = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)\[[^\]]+\](?P<pin>==.*)\Z", re.DOTALL)
_ENTRY = re.compile(r"\n(?=[A-Za-z0-9])")


def for_resolver(lock: str) -> str:
    """The lock's entries, and for each with extras the same without, hashes and all."""
    entries: list[str] = []
    for entry in _ENTRY.split(lock.strip()):
        found = _WITH_EXTRAS.match(entry)
        if found is not None:
            entries.append(found["name"] + found["pin"])
        entries.append(entry)
    return "\n".join(entries) + "\n"
