import os
import pickle
import pickletools
from collections import OrderedDict

import numpy as np
import pytest
import torch

from segsg.detection.pickles import read_pickle
from segsg.detection.pretrained import read_weights

PROTOCOLS = pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
WEIGHTS = {
    "whole": np.arange(6, dtype=np.float32).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)),
    "big-endian": np.arange(3, dtype=">f4"),
    "half": np.arange(3, dtype=np.float16),
    "long": np.array([2**40]),
    "one": np.array(3.5),
    "scalar": np.float32(2.5),
    "none": np.zeros((0, 4), np.float32),
    "part": np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2],
}


def pickled(path, content, protocol=4):
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
    return path


@PROTOCOLS
def test_arrays_are_read_as_they_were_written(tmp_path, protocol):
    content = {
        "model": WEIGHTS,
        "__author__": "Detectron2 Model Zoo",
        "matching_heuristics": True,
        "more": [1, (2.5, None)],
    }
    read = read_pickle(pickled(tmp_path / "w.pkl", content, protocol))
    assert {key: read[key] for key in content if key != "model"} == {k: v for k, v in content.items() if k != "model"}
    assert list(read["model"]) == list(WEIGHTS)
    for name, value in read["model"].items():
        expected = torch.from_numpy(np.array(WEIGHTS[name]).astype(WEIGHTS[name].dtype.newbyteorder("=")))
        assert value.dtype == expected.dtype
        assert torch.equal(value, expected)


@PROTOCOLS
def test_a_name_that_numpy_1_wrote_is_read_too(tmp_path, protocol):
    content = pickle.dumps({"a": np.ones(2, np.float32)}, protocol)
    assert b"numpy._core" in content
    names_have_their_length_in_front = protocol >= 4
    content = b"".join(_shorter(content)) if names_have_their_length_in_front else content.replace(b"._core", b".core")
    assert read_pickle(pickled(tmp_path / "w.pkl", content))["a"].tolist() == [1, 1]


def _shorter(content):
    """The pickle without frames, with the names of NumPy 1."""
    at = [place for _, _, place in pickletools.genops(content)] + [len(content)]
    for (instruction, argument, place), end in zip(pickletools.genops(content), at[1:], strict=True):
        if instruction.name == "SHORT_BINUNICODE" and argument.startswith("numpy._core"):
            name = argument.replace("_core", "core").encode()
            yield b"\x8c" + bytes([len(name)]) + name
        elif instruction.name != "FRAME":
            yield content[place:end]


def test_detectron2s_files_are_weights(tmp_path):
    content = {"model": OrderedDict(a=np.ones((2, 2), np.float32)), "__author__": "x", "matching_heuristics": True}
    weights = read_weights(str(pickled(tmp_path / "model_final.pkl", content)))
    assert {name: value.tolist() for name, value in weights.items()} == {"a": [[1, 1], [1, 1]]}


class Calls:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def hostile(mark):
    command = f"touch {mark}"
    text = f"open({str(mark)!r}, 'w')"
    return {
        "a command": Calls(os.system, command),
        "an expression": Calls(eval, text),
        "a statement": Calls(exec, text),
        "an opened file": Calls(open, str(mark), "w"),
        "in a dictionary": {"model": {"a": np.ones(2), "b": Calls(os.system, command)}},
        "in a list in a tuple": {"model": ([Calls(os.system, command)], 3)},
        "as an argument": {"a": Calls(np.dtype, Calls(os.system, command))},
        "by attribute": b"\x80\x02cbuiltins\ngetattr\ncos\npath\nX\x06\x00\x00\x00system\x86R.",
        "a file of NumPy's": Calls(np.memmap, str(mark), "u1", "w+", 0, (3,)),
        "arrays of objects": {"a": np.array([Calls(os.system, command), None], object)},
        "by position": b"\x80\x02cos\nsystem\nX" + len(command).to_bytes(4, "little") + command.encode() + b"\x85R.",
        "an instance": f"(S'{command}'\nios\nsystem\n.".encode(),
        "an object": b"(cos\nsystem\nX" + len(command).to_bytes(4, "little") + command.encode() + b"o.",
        "a dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0ddtype.__new__\x93.",
        "an extension": b"\x80\x02\x82\x01.",
        "a persistent name": b"Pos.system\n.",
    }  # fmt: skip


@pytest.mark.parametrize("name", hostile("x"))
def test_nothing_of_a_file_is_ever_run(tmp_path, name):
    mark = tmp_path / "ran"
    path = pickled(tmp_path / "w.pkl", hostile(mark)[name])
    with pytest.raises(ValueError, match=r"w\.pkl: file: is not a pickle of arrays \(it ") as error:
        read_pickle(path)
    assert not mark.exists()
    assert "\n" not in str(error.value)


def test_the_hostile_files_would_run_if_they_were_trusted(tmp_path):
    mark = tmp_path / "ran"
    for name in ("a command", "an expression", "in a dictionary", "by position", "an instance", "an object"):
        pickle.loads(pickled(tmp_path / "w.pkl", hostile(mark)[name]).read_bytes())
        assert mark.exists()
        mark.unlink()


def array_of(shape, content=b"abcd", code="f4", state=(3, "<", None, None, None, -1, -1, 0), columns=False):
    """A pickle of one array that says all this of itself, whether or not it fits."""

    class Kind:
        def __reduce__(self):
            return np.dtype, (code, False, True), state

    class Array:
        def __reduce__(self):
            made = np.ones(1).__reduce__()
            return made[0], made[1], (1, shape, Kind(), columns, content)

    # NumPy checks none of this when a pickle is written.
    return pickle.dumps({"a": Array()}, 4)


BAD = {
    "nothing": b"",
    "no pickle": b"no pickle at all",
    "no end": pickle.dumps({"a": 3})[:-1],
    "an end alone": b".",
    "values missing": b"\x80\x04s.",
    "a mark missing": b"\x80\x04u.",
    "not remembered": b"\x80\x04h\x05.",
    "a call of a value": b"\x80\x02K\x03)R.",
    "a state of a value": b"\x80\x02K\x03)b.",
    "items of a number": b"\x80\x02K\x03K\x04a.",
    "keys without values": b"\x80\x02}(K\x03u.",
    "a key that is no name": b"\x80\x02}K\x03K\x04s.",
    "a key of keys": b"\x80\x02}" + b"K\x01" + b"q\x00h\x00\x86" * 60 + b"K\x04s.",
    "eight exabytes": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "half a terabyte": b"\x80\x05\x96\x00\x00\x00\x00\x80\x00\x00\x00.",
    "too much to do": b"\x80\x02" + b"]" * 2000 + b".",
    "too few bytes": array_of((2,)),
    "no such shape": array_of((-1,)),
    "shape of shares": array_of((1.0,)),
    "a shape that no memory holds": array_of((2**30, 2**30, 2**30)),
    "nothing, of no shape": array_of((0, 2**62), b""),
    "numbers as text": array_of((1,), "abcd"),
    "objects": array_of((1,), [3], "O8"),
    "text": array_of((1,), b"abcd", "S4"),
    "a kind of kinds": array_of((1,), b"abcd", [("a", "f4")]),
    "no order of bytes": array_of((1,), state=(3, "x")),
    "half a state": array_of((1,), state=()),
    "an array of an array": pickle.dumps({"a": Calls(np.ndarray, (3,))}, 4),
    "other letters": pickle.dumps({"a": Calls(__import__("_codecs").encode, "abc", "utf8")}, 4),
}


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_file_is_one_line(tmp_path, monkeypatch, name):
    monkeypatch.setattr("segsg.detection.pickles.MOST_INSTRUCTIONS", 1000)
    with pytest.raises(ValueError, match=r"w\.pkl: file: is not a pickle of arrays \(") as error:
        read_pickle(pickled(tmp_path / "w.pkl", BAD[name]))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500 + len(str(tmp_path))


def test_a_torn_file_is_one_line_wherever_it_ends(tmp_path):
    content = pickle.dumps({"model": {"a": np.ones(3, np.float32)}})
    for end in range(len(content)):
        with pytest.raises(ValueError, match="is not a pickle of arrays"):
            read_pickle(pickled(tmp_path / "w.pkl", content[:end]))


def test_a_file_of_any_bytes_is_read_or_one_line(tmp_path):
    whole, numbers = bytearray(pickle.dumps({"model": {"a": np.ones(3, np.float32)}})), np.random.default_rng(0)
    for _ in range(300):
        spoilt = bytearray(whole)
        for place in numbers.integers(0, len(whole), 2):
            spoilt[place] = numbers.integers(256)
        try:
            read_pickle(pickled(tmp_path / "w.pkl", bytes(spoilt)))
        except ValueError as error:
            assert "w.pkl: file: is not a pickle of arrays" in str(error)
