"""Keys of experiments as a user types them."""

import difflib
from collections.abc import Iterable

NEAR = 3
"""keys that an error offers"""


def check_key(key: str, keys: Iterable[str], study: str) -> None:
    """ValueError for a key that is not among those of a study, with the nearest ones and where to see all."""
    keys = list(keys)
    if key not in keys:
        near = difflib.get_close_matches(key, keys, n=NEAR)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        raise ValueError(f"'{key}' is no experiment of the study {study}; {hint}`segsg list` shows all {len(keys)}")
