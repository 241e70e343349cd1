"""Names, zero-shot triplets and training frequencies from every file that may hold them."""

import json
import os
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from segsg.formats import sidecars

NAMES = ("on", "wears", "of")


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_names(write):
    either = {"idx_to_predicate": {"3": "of", "2": "wears", "1": "on"}}
    other = {"predicate_to_idx": {"of": 3, "on": 1, "wears": 2}}
    files = ("a.txt", "on\n\nwears\nof\n"), ("b.json", NAMES), ("c.json", either), ("other.json", other)
    for path in (write(*file) for file in files):
        assert sidecars.predicate_names(path) == NAMES
    with pytest.raises(ValueError, match=r"d\.json: names of predicates must be a list of words"):
        sidecars.predicate_names(write("d.json", {"on": 1}))


@pytest.mark.parametrize("listed", [{"idx_to_predicate": {"1": "on", "3": "of"}}, {"predicate_to_idx": {"on": 0}}])
def test_labels_with_gaps_would_shift_every_name(write, listed):
    with pytest.raises(ValueError, match=r"a\.json: labels of predicates are .*, not 1, 2 ... . without gaps"):
        sidecars.predicate_names(write("a.json", listed))


def test_ragged_zero_shot_rows_are_no_triplets(write):
    with pytest.raises(ValueError, match=r"a\.json: not a table of numbers"):
        sidecars.zero_shot(write("a.json", [[1, 2, 3], [1, 2]]))


def test_zero_shot_triplets(write, tmp_path):
    rows = np.array([[1, 2, 3], [4, 1, 2]])
    np.savez(tmp_path / "statistics.npz", zero_shot=rows)
    torch.save(torch.from_numpy(rows[:, [0, 2, 1]]), tmp_path / "zeroshot_triplet.pytorch")
    save_file({"zero_shot": torch.from_numpy(rows), "vectors": torch.ones(2, 3)}, tmp_path / "numbers.safetensors")
    names = ("statistics.npz", "zeroshot_triplet.pytorch", "numbers.safetensors")
    for path in (write("rows.json", rows.tolist()), *(tmp_path / name for name in names)):
        assert sidecars.zero_shot(path).tolist() == rows.tolist()


def test_training_counts(write, tmp_path):
    counts = np.zeros((5, 5, 4), dtype=np.int64)
    counts[1, 2], counts[3, 1] = (9, 4, 2, 0), (9, 1, 0, 7)
    np.savez(tmp_path / "statistics.npz", counts=counts)
    np.savez(tmp_path / "short.npz", counts=np.array([18, 5, 2, 7]))
    save_file({"counts": torch.from_numpy(counts)}, tmp_path / "numbers.safetensors")
    written = [tmp_path / name for name in ("statistics.npz", "short.npz", "numbers.safetensors")]
    named = write("named.json", {"of": 7, "on": 5, "wears": 2})
    for path in (named, write("list.json", [5, 2, 7]), *written):
        assert sidecars.training_counts(path, NAMES).tolist() == [0, 5, 2, 7]


class Attack:
    def __reduce__(self):
        return os.system, ("true",)


def test_wrong_files(write, tmp_path):
    for content in ([[1, 2]], [[0, 1, 2]], [[0.5, 1, 2]], {}):
        with pytest.raises(ValueError, match=r"rows\.json: zero-shot triplets are rows of three labels"):
            sidecars.zero_shot(write("rows.json", content))
    for content in (Attack(), OrderedDict(a=torch.ones(3)), torch.ones(3)):
        torch.save(content, tmp_path / "rows.pytorch")
        with pytest.raises(ValueError, match=r"rows\.pytorch: (refused|not a tensor)"):
            sidecars.zero_shot(tmp_path / "rows.pytorch")
    for damaged in (b"", b"html", b"PK\x03\x04", b"\x80\x02X"):
        (tmp_path / "rows.pytorch").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"rows\.pytorch: refused"):
            sidecars.zero_shot(tmp_path / "rows.pytorch")
    for content in ([1, 2], [1, 2, -3], [0.5, 1, 2]):
        with pytest.raises(ValueError, match="3 whole numbers are needed"):
            sidecars.training_counts(write("counts.json", content), NAMES)
    with pytest.raises(ValueError, match=r"names differ from the predicates in \['of', 'off'\]"):
        sidecars.training_counts(write("counts.json", {"on": 1, "wears": 2, "off": 3}), NAMES)
    np.savez(tmp_path / "other.npz", boxes=np.zeros(3))
    save_file({"vectors": torch.ones(2, 3)}, tmp_path / "other.safetensors")
    for name in ("other.npz", "other.safetensors"):
        with pytest.raises(ValueError, match=f"{name}: lacks 'counts'"):
            sidecars.training_counts(tmp_path / name, NAMES)
    for damaged in (b"", b"html" * 9, (tmp_path / "other.safetensors").read_bytes()[:-4]):
        (tmp_path / "broken.safetensors").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"broken\.safetensors: damaged or cut off"):
            sidecars.zero_shot(tmp_path / "broken.safetensors")
    for read in (sidecars.predicate_names, sidecars.zero_shot):
        with pytest.raises(ValueError, match=r"absent\.json: no such file"):
            read(tmp_path / "absent.json")
    with pytest.raises(ValueError, match=r"broken\.json: not JSON"):
        sidecars.zero_shot(write("broken.json", "{"))
