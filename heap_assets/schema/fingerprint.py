"""Fingerprints: a short text that is the same while nothing changes of what it was taken of.

Not here: of what a model's is taken (pipeline/build/).
"""

import hashlib


def fingerprint(*parts: object) -> str:
    """Return a short text that is the same for the same parts, in every process; parts are plain values.

    >>> fingerprint(("a", 1)) == fingerprint(("a", 1)), fingerprint("a", "b") == fingerprint("ab")
    (True, False)
    """
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
