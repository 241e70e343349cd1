"""Pickled dictionaries of arrays, as detectron2 publishes its weights, read without running them.

A pickle is a program for a stack machine, and can do anything to whoever opens it. The machine here is our own. It
knows the few instructions that dictionaries of arrays need, and looks nothing up by its name: the names that NumPy's
pickles call stand for functions of this file.
"""

import math
import pickletools
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
import torch

from segsg.files import DAMAGED, DataError

MOST_BYTES = 2**32
"""of a file; what is read takes about twice as much memory"""
MOST_INSTRUCTIONS = 10**6
"""of a file; an array takes about 40"""
NUMBERS = ("b1", "u1", "i1", "i2", "i4", "i8", "f2", "f4", "f8")
"""NumPy's codes of the kinds of numbers that are read"""
WAY_OUT = "give a pickled dictionary of NumPy arrays, such as detectron2's model zoo has, or a file of torch.save"


def read_pickle(path: Path) -> Any:
    """The content of a pickle file of plain values and NumPy arrays, which become tensors; nothing of it is run.

    Arrays are looked for in a dictionary, and in dictionaries inside it. DataError for anything else.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES} bytes")
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            return _opened(_Machine().run(content), depth=2)
    except DAMAGED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(path, "file", f"is not a pickle of arrays ({reason:.200})", WAY_OUT) from error


def _opened(value: Any, depth: int) -> Any:
    if isinstance(value, _Array):
        return value.tensor
    if isinstance(value, dict) and depth:
        return {key: _opened(item, depth - 1) for key, item in value.items()}
    return value


class _Kind:
    """A kind of numbers, and later the order of their bytes: what a pickle calls a dtype."""

    def __init__(self, code: Any, align: Any = False, copy: Any = False):
        if code not in NUMBERS:
            raise ValueError(f"it has an array of other numbers than {', '.join(NUMBERS)}")
        self.dtype = np.dtype(code)

    def build(self, state: tuple) -> None:
        if state[1] not in ("<", ">", "|", "="):
            raise ValueError("an array's numbers have no order of bytes")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array: nothing first, then a tensor of the bytes that the file has for it."""

    tensor: torch.Tensor | None = None

    def build(self, state: tuple) -> None:
        _, shape, kind, by_columns, content = state
        self.fill(content, kind, shape, "F" if by_columns else "C")

    def fill(self, content: Any, kind: Any, shape: Any, order: Any) -> "_Array":
        if not isinstance(content, bytes | bytearray) or not isinstance(kind, _Kind) or order not in ("C", "F"):
            raise ValueError("an array is not described as NumPy does")
        if not isinstance(shape, tuple) or not all(isinstance(side, int) and 0 <= side < 2**31 for side in shape):
            raise ValueError("an array has no shape")
        if math.prod(shape) * kind.dtype.itemsize != len(content):
            raise ValueError(f"an array of shape {shape!a:.60} has {len(content)} bytes")
        array = np.frombuffer(content, kind.dtype).reshape(shape, order=order)
        self.tensor = torch.from_numpy(np.array(array, kind.dtype.newbyteorder("="), order="C"))
        return self


def _empty_array(subtype: Any, shape: Any, code: Any) -> _Array:
    return _Array()


def _array_of(content: Any, kind: Any, shape: Any, order: Any) -> _Array:
    return _Array().fill(content, kind, shape, order)


def _number(kind: Any, content: Any) -> _Array:
    return _Array().fill(content, kind, (), "C")


def _array_class() -> None:
    raise ValueError("it makes an array as NumPy's pickles do not")


def _encoded(text: Any, coding: Any) -> bytes:
    if coding != "latin1":
        raise ValueError(f"it has bytes in the coding {coding!a:.40}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    return b""


def _no_items() -> dict:
    return {}


CALLS: dict[tuple[str, str], Callable] = {
    ("numpy", "dtype"): _Kind,
    ("numpy", "ndarray"): _array_class,
    ("_codecs", "encode"): _encoded,
    ("builtins", "bytes"): _no_bytes,
    ("__builtin__", "bytes"): _no_bytes,
    ("collections", "OrderedDict"): _no_items,
    **{
        (f"numpy.{core}.{module}", name): function
        for core in ("core", "_core")  # of NumPy 1 and 2
        for module, name, function in (
            ("multiarray", "_reconstruct", _empty_array),
            ("multiarray", "scalar", _number),
            ("numeric", "_frombuffer", _array_of),
        )
    },
}
"""what a pickle of arrays calls -> what is called in its place"""
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
VALUES = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"} | {
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
    "BYTEARRAY8",
}
EMPTY: dict[str, Callable] = {"EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Machine:
    """Runs the instructions of one file. Raises one of `DAMAGED` for all that it does not know."""

    def __init__(self) -> None:
        self.stack: list = []
        self.below: list[list] = []
        self.memo: dict[int, Any] = {}

    def run(self, file: mmap) -> Any:
        for count, (instruction, argument, _) in enumerate(pickletools.genops(file)):
            if instruction.name == "STOP":
                return self.stack.pop()
            if count == MOST_INSTRUCTIONS:
                raise ValueError(f"it has more than {MOST_INSTRUCTIONS} instructions")
            self._do(instruction.name, argument)
        raise EOFError("it has no end")

    def _do(self, name: str, argument: Any) -> None:
        push = self.stack.append
        match name:
            case "PROTO" | "FRAME":
                pass
            case _ if name in VALUES:
                push(argument)
            case _ if name in CONSTANTS:
                push(CONSTANTS[name])
            case _ if name in EMPTY:
                push(EMPTY[name]())
            case "MARK":
                self.below.append(self.stack)
                self.stack = []
            case "TUPLE" | "LIST":
                items = self._since_mark()
                self.stack.append(tuple(items) if name == "TUPLE" else items)
            case _ if name in TUPLES:
                push(tuple([self.stack.pop() for _ in range(TUPLES[name])][::-1]))
            case "DICT":
                items = self._since_mark()
                self.stack.append(_set({}, items))
            case "APPEND" | "APPENDS":
                items = [self.stack.pop()] if name == "APPEND" else self._since_mark()
                _is(self.stack[-1], list).extend(items)
            case "SETITEM":
                value, key = self.stack.pop(), self.stack.pop()
                _set(self.stack[-1], [key, value])
            case "SETITEMS":
                items = self._since_mark()
                _set(self.stack[-1], items)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = self.stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = self.stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                push(self.memo[argument])
            case "GLOBAL":
                push(_called(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                called, module = self.stack.pop(), self.stack.pop()
                push(_called(_is(module, str), _is(called, str)))
            case "REDUCE":
                arguments, function = self.stack.pop(), self.stack.pop()
                if function not in CALLS.values():
                    raise ValueError("it calls a value")
                push(function(*_is(arguments, tuple)))
            case "BUILD":
                state = self.stack.pop()
                _is(self.stack[-1], _Kind | _Array).build(_is(state, tuple))
            case _:
                raise ValueError(f"it has the instruction {name}, which arrays do not need")

    def _since_mark(self) -> list:
        items, self.stack = self.stack, self.below.pop()
        return items


def _is(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"its instructions do not fit its values: a {type(value).__name__}")
    return value


def _set(items: Any, flat: list) -> dict:
    """`items` with keys and values from a list in which they take turns."""
    for key, value in zip(flat[::2], flat[1::2], strict=True):
        _is(items, dict)[_is(key, str)] = value
    return items


def _called(module: str, name: str) -> Callable:
    if (module, name) not in CALLS:
        raise ValueError(f"it wants to call {f'{module}.{name}'!a:.80}; nothing was called")
    return CALLS[module, name]
