"""What an evaluation may be told beside truths and predictions: names, zero-shot triplets, training frequencies."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from safetensors.numpy import load_file

from segsg.files import DAMAGED, is_table, read_arrays, read_torch
from segsg.formats.arrays import damage
from segsg.formats.fields import existing, from_json, names_of
from segsg.values import field

NAMED = (".npz", ".safetensors")
"""endings of files of named arrays"""
TRIPLETS = "write [[subject class, predicate, object class], ...]"
COUNTS = "write [number, number, ...], one for each predicate, or {name: number, ...}"


def _json(path: Path) -> Any:
    return from_json(path.read_bytes(), str(path), "correct it; docs/formats.md shows what it holds")


def _array(path: Path, name: str) -> np.ndarray:
    """An array of a file that ends in one of `NAMED`."""
    with damage(f"{path}:"):
        named = load_file(path) if path.suffix == ".safetensors" else read_arrays(path)
    if name not in named:
        raise ValueError(f"{path}: lacks {name!r}")
    return np.atleast_1d(named[name])


def predicate_names(path: Path) -> tuple[str, ...]:
    """Foreground predicates, label 1 first: one on each line, a JSON list, or Visual Genome's VG-SGG-dicts.json.

    Of the last either direction will do, `idx_to_predicate` or `predicate_to_idx`; labels are 1, 2 ... without gaps.
    """
    existing(path)
    if path.suffix != ".json":
        return names_of([line.strip() for line in _text(path).splitlines() if line.strip()], path)
    content = _json(path)
    if isinstance(content, dict) and "idx_to_predicate" in content:
        content = _in_label_order(field(path, "file", content, "idx_to_predicate", dict).items(), path)
    elif isinstance(content, dict) and "predicate_to_idx" in content:
        listed = field(path, "file", content, "predicate_to_idx", dict)
        content = _in_label_order(((label, name) for name, label in listed.items()), path)
    return names_of(content, path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except ValueError as error:
        raise ValueError(f"{path}: not text in UTF-8 ({error}); write one name on each line") from error


def _in_label_order(entries: Iterable[tuple[Any, Any]], path: Path) -> list:
    """Names of (label, name) in the order of their labels. ValueError if these are not 1, 2 ... without gaps."""
    named = {str(label): name for label, name in entries}
    wanted = [str(label) for label in range(1, len(named) + 1)]
    if named.keys() != set(wanted):
        rule = f"labels of predicates are {', '.join(named):.60}, not 1, 2 ... {len(named)} without gaps"
        raise ValueError(f"{path}: {rule}; number them so, or list the names alone in the order of their labels")
    return [named[label] for label in wanted]


def zero_shot(path: Path) -> Int[np.ndarray, "triplets 3"]:
    """Rows (subject class, predicate, object class), labels from 1.

    From a JSON list of such rows, `zero_shot` of an .npz or .safetensors file (the study's facts/numbers.safetensors),
    or the benchmark's zeroshot_triplet.pytorch, whose columns are (subject, object, predicate).
    """
    existing(path)
    if path.suffix in NAMED:
        rows = _array(path, "zero_shot")
    elif path.suffix in (".pytorch", ".pt", ".pth"):
        rows = _columns(path)[:, [0, 2, 1]]
    else:
        rows = _rows(_json(path), path, TRIPLETS)
    if rows.ndim != 2 or rows.shape[1] != 3 or not np.issubdtype(rows.dtype, np.integer) or (rows < 1).any():
        rule = f"zero-shot triplets are rows of three labels from 1; found {rows.dtype} {rows.shape}"
        raise ValueError(f"{path}: {rule}; {TRIPLETS}")
    return rows.astype(np.int64)


def _rows(content: Any, path: Path, way_out: str) -> np.ndarray:
    try:
        return np.asarray(content)
    except ValueError as error:
        raise ValueError(f"{path}: not a table of numbers, as its rows are not equally long; {way_out}") from error


def _columns(path: Path) -> np.ndarray:
    try:
        tensor = read_torch(path)
    except DAMAGED as error:
        raise ValueError(f"{path}: refused; only a tensor is read, never code ({type(error).__name__})") from error
    if not is_table(tensor, 3):
        raise ValueError(f"{path}: not a tensor of three columns")
    return tensor.numpy()


def training_counts(path: Path, names: tuple[str, ...]) -> Int[np.ndarray, "predicates"]:
    """Training relations of each predicate, background (0) first.

    From a JSON list (label 1 first) or object {name: number}, or `counts` of an .npz or .safetensors file:
    [predicates], or the study's [classes, classes, predicates], both with background.
    """
    existing(path)
    if path.suffix in NAMED:
        counts = _array(path, "counts")
        counts = counts.reshape(-1, counts.shape[-1]).sum(axis=0)[1:]
    else:
        content = _json(path)
        if isinstance(content, dict) and set(content) != set(names):
            raise ValueError(f"{path}: names differ from the predicates in {sorted(set(content) ^ set(names))}")
        counts = _rows([content[name] for name in names] if isinstance(content, dict) else content, path, COUNTS)
    if counts.shape != (len(names),) or not np.issubdtype(counts.dtype, np.integer) or (counts < 0).any():
        rule = f"{len(names)} whole numbers are needed, one for each predicate; found {counts.shape}"
        raise ValueError(f"{path}: {rule}; {COUNTS}")
    return np.concatenate([[0], counts]).astype(np.int64)
