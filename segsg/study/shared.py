"""What the rows of a group have in common is opened once: facts, image sets, the frozen detector and its looks."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from segsg.study.params import Params

_open: list[dict] = []
"""what each block of `opened_once` has opened, the innermost last"""


@contextmanager
def opened_once() -> Iterator[None]:
    """In the block, functions marked `shared` give each thing once: the same object to everybody who asks for it.

    So nobody may change it, and its files must not change meanwhile.
    """
    _open.append({})
    try:
        yield
    finally:
        _open.pop()


def shared(make: Callable) -> Callable:
    """Marks a function of parameters and plain values that opens something."""

    @functools.wraps(make)
    def once(*args, **options):
        if not _open:
            return make(*args, **options)
        plain = [id(value) if isinstance(value, Params) else value for value in (*args, *options.values())]
        key = (make, *plain, *options)
        if key not in _open[-1]:
            _open[-1][key] = make(*args, **options), args  # parameters stay, and so does their id
        return _open[-1][key][0]

    return once
