"""Truths and predictions in every format, what is given beside them, evaluations to compare, and transfer's lists."""

import copy
import gzip
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kinds
import made
import numpy as np
import torch
from harness import Case, Outcome
from kinds import MISSING, VALUES, put
from safetensors.numpy import save

from segsg import cli

TRUTH = [
    {"predicate_names": ["on", "wears", "near"]},
    {"image_id": 1, "boxes": [[10, 10, 110, 110], [60, 60, 160, 160], [200, 20, 300, 120]], "classes": [1, 2, 3],
     "relations": [[0, 1, 1], [1, 0, 2]]},
    {"image_id": 2, "boxes": [[0, 0, 50, 50], [40, 0, 90, 50]], "classes": [2, 1], "relations": [[0, 1, 3]]},
]  # fmt: skip
FOUND = [
    {"background_class": None, "background_predicate": 0},
    {"image_id": 1, "boxes": [[10, 10, 110, 110], [60, 60, 160, 160], [200, 20, 300, 120]], "classes": [1, 2, 3],
     "scores": [0.9, 0.8, 0.7], "pairs": [[0, 1], [1, 0]], "predicate_scores": [[0.1, 0.7, 0.1, 0.1], [0.1, 0.1, 0.7,
     0.1]]},
    {"image_id": 2, "boxes": [[0, 0, 50, 50], [40, 0, 90, 50]], "classes": [2, 1], "scores": [0.9, 0.8],
     "pairs": [[0, 1]], "predicate_scores": [[0.1, 0.2, 0.1, 0.6]]},
]  # fmt: skip
ALL_CLASSES = [
    {"background_class": 0, "background_predicate": 0},
    *({name: value for name, value in image.items() if name not in ("classes", "scores")}
      | {"class_scores": [[0.05, *(0.9 if c == label else 0.01 for c in (1, 2, 3))] for label in image["classes"]]}
      for image in FOUND[1:]),
]  # fmt: skip
PANOPTIC = {
    "data": [
        {"image_id": "1", "annotations": [{"bbox": [0, 0, 50, 50], "bbox_mode": 0, "category_id": 0},
                                          {"bbox": [40, 0, 90, 50], "bbox_mode": 0, "category_id": 1}],
         "relations": [[0, 1, 0]]},
    ],
    "predicate_classes": ["on", "wears"], "test_image_ids": ["1"],
}  # fmt: skip
SGBENCH = {"images": [{"id": 1, "bboxes": [[0, 0, 50, 50], [40, 0, 90, 50]], "categories": [0, 1],
                       "triplets": [[0, 1, 0], [1, 0, 1]]}]}  # fmt: skip


def lines(records: list) -> str:
    """JSON lines."""
    return "".join(f"{json.dumps(record)}\n" for record in records)


def evaluate(truth: str = "truth.jsonl", found: str = "found.jsonl", *more: str, task: str = "sgdet", out: str = "out"):
    """`segsg evaluate` on two files of the folder."""

    def act(folder: Path) -> int:
        given = ["--truth", truth, "--predictions", found, "--task", task, "--out", out]
        return cli.main(["evaluate", *given, "--resamples", "5", *more])

    return act


def case(name: str, write: Callable[[Path], Any], act: Callable[[Path], Any] | None = None, **more: Any) -> Case:
    """Valid truths and predictions as lines, a change, and a command on them."""

    def build(folder: Path) -> None:
        made.write(folder / "truth.jsonl", lines(TRUTH))
        made.write(folder / "found.jsonl", lines(FOUND))
        write(folder)

    return Case(f"formats_tools/{name}", build, act or evaluate(), **more)


def cases() -> Iterator[Case]:
    """All cases of this module."""
    yield case("lines/valid", lambda folder: None, expect="right", holds=_all_found)
    for part in (
        _lines,
        _whole_lines,
        _concerns,
        _archives,
        _boxlists,
        _panoptic,
        _sidecars,
        _outputs,
        _compare,
        _transfer,
    ):
        yield from part()


def results(outcome: Outcome) -> dict:
    """results.json of an evaluation."""
    return json.loads((outcome.folder / "out" / "results.json").read_text())


def _all_found(outcome: Outcome) -> bool:
    measured = results(outcome)
    assert measured["skipped"]["entries"] == 0 and not measured["concerns"], outcome.err
    return measured["protocols"]["default"]["metrics"]["R@50"]["value"] == 1


def _says(text: str) -> Callable[[Outcome], bool]:
    """A concern is printed and on the page."""
    return lambda outcome: text in outcome.err and text in (outcome.folder / "out" / "index.html").read_text()


def _lines() -> Iterator[Case]:
    """Values of one image, or of the header, in JSON lines."""
    places = {
        "truth": (TRUTH, {(1, "image_id"): (), (1, "boxes"): (), (1, "boxes", 0): (), (1, "boxes", 0, 0): ("negative",
        "fraction"),
                          (1, "classes"): (), (1, "classes", 0): (), (1, "relations"): ("no list",), (1, "relations",
                          0): (),
                          (1, "relations", 0, 2): (), (0, "predicate_names"): ("null", "missing"), (1,): (), (0,
                          "predicate_names", 0): ("text",)}),
        "found": (FOUND, {(1, "image_id"): (), (1, "boxes"): (), (1, "boxes", 0, 0): ("negative", "fraction"), (1,
        "classes"): (),
                          (1, "classes", 0): ("huge",), (1, "scores"): (), (1, "scores", 0): (), (1, "pairs"): (), (1,
                          "pairs", 0): (),
                          (1, "pairs", 0, 0): (), (1, "predicate_scores"): (), (1, "predicate_scores", 0, 1): (),
                          (0, "background_class"): ("null", "NaN"), (0, "background_predicate"): (), (1,): ()}),
        "all": (ALL_CLASSES, {(1, "class_scores"): (), (1, "class_scores", 0): (), (1, "class_scores", 0, 1): (), (0,
        "background_class"): ()}),
    }  # fmt: skip
    for which, (content, fields) in places.items():
        file = "truth.jsonl" if which == "truth" else "found.jsonl"
        for path, fine in fields.items():
            missing = {"missing": MISSING} if isinstance(path[-1], str) else {}
            for name, value in (missing | VALUES).items():
                changed, place = put(content, path, value), ".".join(map(str, path))
                yield case(f"lines/{which}/{place}/{name}", lambda f, c=changed, n=file: made.write(f / n, lines(c)),
                           names="" if (path[-1], name) == ("image_id", "negative") else file,
                           expect="either" if name in fine or (path[-1], name) in _FINE else "clear",
                           one_of_many=True)  # fmt: skip


_FINE = {("background_class", "huge"), ("background_predicate", "null"), ("background_predicate", "NaN"),
    ("background_class", "null"), ("background_class", "NaN"),
         ("background_class", "negative"), ("background_predicate", "negative")}  # fmt: skip
"""No column of background is a claim about the file, whose scores may fit it."""


def _whole_lines() -> Iterator[Case]:
    """Files of lines spoilt as a whole, rules of images, and what is tolerated."""
    for file in ("truth.jsonl", "found.jsonl"):
        more = {"deep": kinds.DEEP_FILE, "gzip under another name": kinds.GZIPPED,
            "UTF-16": kinds.replaced("{}".encode("utf-16")),
                "one object": kinds.replaced(json.dumps({"images": TRUTH})), "lists": kinds.replaced("[1]\n[2]\n"),
                "long number": kinds.replaced('{"image_id": ' + "9" * 5000 + "}\n")}  # fmt: skip
        for name, spoil in (kinds.FILES | more).items():
            yield case(f"lines/{file}/{name}", lambda f, s=spoil, n=file: s(f / n), names=file, one_of_many=True)
        for name, spoil in {"marked": kinds.MARKED, "CRLF": kinds.CRLF}.items():
            yield case(f"lines/{file}/{name}", lambda f, s=spoil, n=file: s(f / n), expect="right", holds=_all_found)
    found = {
        "an image twice": [*FOUND, FOUND[1]], "an image too many": [*FOUND, FOUND[1] | {"image_id": 9}],
        "an image too few": FOUND[:-1],
        "no header": FOUND[1:], "header alone": FOUND[:1], "a pair twice": put(FOUND, (1, "pairs"), [[0, 1], [0, 1]]),
        "a pair with itself": put(FOUND, (1, "pairs", 0), [1, 1]), "a pair beyond": put(FOUND, (1, "pairs", 0), [0, 3]),
        "logits": put(FOUND, (1, "predicate_scores", 0, 1), 7.5), "a score below 0": put(FOUND, (1, "scores", 0), -0.1),
        "box turned": put(FOUND, (1, "boxes", 0), [110, 110, 10, 10]), "ragged scores": put(FOUND, (1,
        "predicate_scores", 0), [0.1, 0.9]),
        "ragged boxes": put(FOUND, (1, "boxes", 0), [10, 10, 110]), "classes from 0": put(FOUND, (1, "classes"), [0, 1,
        2]),
        "classes of a fraction": put(FOUND, (1, "classes"), [1.9, 2.9, 3.9]), "pairs of a fraction": put(FOUND, (1,
        "pairs", 0), [0.9, 1]),
        "another number of predicates": put(put(FOUND, (1, "predicate_scores"), [[0.1, 0.9]] * 2), (2,
        "predicate_scores"), [[0.1, 0.9]]),
        "a column that is not there": put(FOUND, (0, "background_predicate"), 9), "infinite box": put(FOUND, (1,
        "boxes", 0, 2), float("inf")),
        "scores for one box less": put(FOUND, (1, "scores"), [0.9, 0.8]), "words for scores": put(FOUND, (1, "scores"),
        ["0.9", "0.8", "0.7"]),
    }  # fmt: skip
    for name, content in found.items():
        yield case(
            f"lines/predictions/{name}",
            lambda f, c=content: made.write(f / "found.jsonl", lines(c)),
            names="found.jsonl",
        )
    truth = {
        "an image twice": [*TRUTH, TRUTH[1]], "header alone": TRUTH[:1], "a relation beyond": put(TRUTH, (1,
        "relations", 0), [0, 3, 1]),
        "predicate 0": put(TRUTH, (1, "relations", 0), [0, 1, 0]), "predicate beyond": put(TRUTH, (1, "relations", 0),
        [0, 1, 4]),
        "class 0": put(TRUTH, (1, "classes", 0), 0), "box turned": put(TRUTH, (1, "boxes", 0), [110, 110, 10, 10]),
        "names twice": put(TRUTH, (0, "predicate_names"), ["on", "on", "near"]), "no relation at all":
        [TRUTH[0], *(image | {"relations": []} for image in TRUTH[1:])], "a relation with itself": put(TRUTH, (1,
        "relations", 0), [0, 0, 1]),
    }  # fmt: skip
    for name, content in truth.items():
        yield case(f"lines/truths/{name}", lambda f, c=content: made.write(f / "truth.jsonl", lines(c)),
            names="truth.jsonl",
                   expect="either" if name in ("a relation with itself",) else "clear")  # fmt: skip
    yield case("lines/predictions/lenient", lambda f: made.write(f / "found.jsonl", lines(put(FOUND, (1, "scores", 0),
        float("nan")))),
               evaluate("truth.jsonl", "found.jsonl", "--lenient"), expect="right",
               holds=lambda o: results(o)["images"] == 1 and results(o)["skipped"]["entries"] >= 1)  # fmt: skip
    yield case(
        "lines/predictions/all classes",
        lambda f: made.write(f / "found.jsonl", lines(ALL_CLASSES)),
        expect="right",
        holds=_all_found,
    )
    for task in ("predcls", "sgcls"):
        fewer = put(put(put(FOUND, (2, "boxes"), [[0, 0, 50, 50]]), (2, "classes"), [2]), (2, "scores"), [0.9])
        fewer = put(put(fewer, (2, "pairs"), []), (2, "predicate_scores"), [])
        yield case(f"lines/predictions/boxes fewer in {task}", lambda f, c=fewer: made.write(f / "found.jsonl",
            lines(c)),
                   evaluate(task=task), names="found.jsonl")  # fmt: skip
    packed = gzip.compress(lines(FOUND).encode(), mtime=0)
    for name, content, expect in (("valid", packed, "right"), ("cut", packed[:-20], "clear"), ("empty", b"", "clear"),
                                  ("no gzip", lines(FOUND).encode(), "clear"), ("junk behind", packed + b"junk",
                                  "either"),
                                  *((f"flipped at {at}", packed[:at] + bytes([packed[at] ^ 0x5A]) + packed[at + 1 :],
                                  "clear")
                                    for at in (1, 30, len(packed) // 2, len(packed) - 6))):  # fmt: skip
        yield case(f"lines/gz/{name}", lambda f, c=content: made.write(f / "found.jsonl.gz", c),
            evaluate(found="found.jsonl.gz"),
                   names="found.jsonl.gz", expect=expect, holds=_all_found)  # fmt: skip
    for name, start in (("a line of 4 GB", b'{"image_id": 1, "boxes": ['), ("a header of 4 GB", b"")):
        yield case(f"lines/gz/{name}", lambda f, s=start: _bomb(f / "found.jsonl.gz", s),
            evaluate(found="found.jsonl.gz"),
                   names="found.jsonl.gz")  # fmt: skip


@cache
def _zeros() -> bytes:
    """A gzip member of 256 MB of blanks."""
    return gzip.compress(b" " * (1 << 28), 1, mtime=0)


def _bomb(path: Path, start: bytes) -> None:
    """A file of some megabytes that unpacks to a line of 4 GB."""
    head = lines(FOUND[:2]).encode() if start else b""
    with path.open("wb") as file:
        file.write(gzip.compress(head + start, mtime=0))
        for _ in range(16):
            file.write(_zeros())


def _concerns() -> Iterator[Case]:
    """What breaks no rule and looks wrong all the same is said."""
    shares = [FOUND[0], *(image | {"boxes": [[c / 500 for c in box] for box in image["boxes"]]} for image in FOUND[1:])]
    others = [FOUND[0], *(image | {"classes": [c + 90 for c in image["classes"]]} for image in FOUND[1:])]
    yield case("lines/concerns/boxes as shares", lambda f: made.write(f / "found.jsonl", lines(shares)), expect="right",
               holds=_says("All predicted boxes lie within the first pixels"))  # fmt: skip
    yield case("lines/concerns/classes of another list", lambda f: made.write(f / "found.jsonl", lines(others)),
        expect="right",
               holds=_says("No predicted class"))  # fmt: skip
    yield case("zero_shot/another order", lambda f: made.write(f / "z.json", [[1, 20, 1], [2, 30, 2]]),
               evaluate("truth.jsonl", "found.jsonl", "--zero-shot", "z.json"), expect="right",
               holds=_says("No true relation is in the list of zero-shot triplets"))  # fmt: skip


ARRAYS = {
    "truth": {
        "image_ids": np.array([1, 2]), "boxes": np.array([b for i in TRUTH[1:] for b in i["boxes"]], float),
        "boxes_count": np.array([3, 2]),
        "classes": np.array([1, 2, 3, 2, 1]), "relations": np.array([[0, 1, 1], [1, 0, 2], [0, 1, 3]]),
        "relations_count": np.array([2, 1]),
        "predicate_names": np.array(["on", "wears", "near"]),
    },
    "found": {
        "image_ids": np.array([1, 2]), "boxes": np.array([b for i in FOUND[1:] for b in i["boxes"]], float),
        "boxes_count": np.array([3, 2]),
        "classes": np.array([1, 2, 3, 2, 1]), "scores": np.array([0.9, 0.8, 0.7, 0.9, 0.8]), "pairs": np.array([[0, 1],
        [1, 0], [0, 1]]),
        "pairs_count": np.array([2, 1]),
        "predicate_scores": np.array([s for i in FOUND[1:] for s in i["predicate_scores"]]),
        "background_class": np.array(np.nan), "background_predicate": np.array(0),
    },
}  # fmt: skip


def archive(values: dict[str, np.ndarray]) -> bytes:
    """An .npz."""
    file = io.BytesIO()
    np.savez_compressed(file, **values)
    return file.getvalue()


def with_header(
    values: dict[str, np.ndarray], name: str, header: bytes | None = None, shape: tuple | None = None
) -> bytes:
    """An .npz, of whose arrays one declares another shape, or has another header altogether."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target,
        zipfile.ZipFile(io.BytesIO(archive(values))) as source,
    ):
        for member in source.namelist():
            content = source.read(member)
            if member == f"{name}.npy":
                if header is None:
                    array, start = values[name], io.BytesIO()
                    np.lib.format.write_array_header_1_0(
                        start, {"descr": array.dtype.str, "fortran_order": False, "shape": shape}
                    )
                    header = start.getvalue()
                content = header + content[128:]
            target.writestr(member, content)
    return file.getvalue()


_COLUMN = ("NaN", "negative", "one number")
_FINE_ARRAYS = {
    "background_class": (*_COLUMN, "huge numbers"), "background_predicate": _COLUMN, "predicate_names": ("missing",),
    "classes": ("huge numbers",), "boxes": ("negative", "huge numbers"), "image_ids": ("negative", "huge numbers"),
}  # fmt: skip
"""arrays of another kind that may be as they are"""


def _archives() -> Iterator[Case]:
    """Truths and predictions as .npz."""
    act = evaluate("truth.npz", "found.npz")

    def spoilt(name: str, which: str, content: bytes, **more: Any) -> Case:
        def write(folder: Path) -> None:
            for kind in ARRAYS:
                made.write(folder / f"{kind}.npz", content if kind == which else archive(ARRAYS[kind]))

        return case(f"arrays/{name}", write, act, names=f"{which}.npz" if which else "", **more)

    yield spoilt("valid", "", b"", expect="right", holds=_all_found)
    objects, ragged = np.array([None, {}], dtype=object), np.array([[1], [1, 2]], dtype=object)
    for which, values in ARRAYS.items():
        whole = archive(values)
        for name, array in values.items():
            kinds_of_array = {
                "missing": None, "empty": np.zeros(0), "one number": np.array(3), "words": np.array(["a", "b"]),
                "objects": objects,
                "ragged": ragged, "NaN": np.full(array.shape, np.nan),
                "short": array[:-1] if array.ndim else np.zeros(2),
                "three axes": np.ones((2, 2, 2)), "complex": np.ones(array.shape, complex),
                "negative": np.full(array.shape, -1),
                "huge numbers": np.full(array.shape, 2**62), "records": np.zeros(2, dtype=[("a", int), ("b", float)]),
                "columns first": np.asfortranarray(np.ones((5, 4))), "dates": np.zeros(2, dtype="M8[s]"),
            }  # fmt: skip
            for kind, other in kinds_of_array.items():
                changed = {k: v for k, v in (values | {name: other}).items() if v is not None}
                fine = kind in _FINE_ARRAYS.get(name, ())
                yield spoilt(
                    f"{which}/{name}/{kind}",
                    which,
                    archive(changed),
                    expect="either" if fine else "clear",
                    one_of_many=True,
                )
        for name, content in {
            "empty": b"", "cut": whole[: len(whole) // 2], "a page": b"<html>", "one array": _npy(array),
            "no array": archive({}),
            "400 million boxes": with_header(values, "boxes", shape=(400_000_000, 4)),
            "400 million images": with_header(values, "image_ids", shape=(400_000_000,)),
            "400 million counts": with_header(values, "boxes_count", shape=(400_000_000,)),
            "a negative shape": with_header(values, "boxes", shape=(-5, 4)), "another magic": with_header(values,
            "boxes", b"\x93NOTPY" + bytes(122)),
            "a header that is code": with_header(values, "boxes",
            b"\x93NUMPY\x01\x00v\x00" + b"__import__('os').system('touch ran')".ljust(118)),
            "a header of 4 GB": with_header(values, "boxes", b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 116),
            **{f"flipped at {share}": _flip(whole, share) for share in (0.0, 0.1, 0.5, 0.98)},
        }.items():  # fmt: skip
            yield spoilt(
                f"{which}/whole/{name}",
                which,
                content,
                expect="either" if "flipped" in name else "clear",
                holds=_all_found,
            )


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _flip(content: bytes, share: float) -> bytes:
    at = int(share * (len(content) - 1))
    return content[:at] + bytes([content[at] ^ 0x5A]) + content[at + 1 :]


class Stand:
    """Pickled under the name of a class that is not here."""


def boxlist_file(module: str = "maskrcnn_benchmark.structures.bounding_box", change: Callable[[dict],
    Any] | None = None,
                 legacy: bool = False) -> bytes:  # fmt: skip
    """eval_results.pytorch of the benchmark, with BoxList in any module."""
    items = {"groundtruths": [], "predictions": []}
    for true, found in zip(TRUTH[1:], FOUND[1:], strict=True):
        for name, image in (("groundtruths", true), ("predictions", found)):
            item = Stand()
            item.bbox, item.mode, item.size = torch.tensor(image["boxes"]).float(), "xyxy", (400, 300)
            fields = {"labels": torch.tensor(image["classes"])}
            fields |= {"relation_tuple": torch.tensor(image["relations"])} if name == "groundtruths" else {
                "pred_labels": torch.tensor(image["classes"]), "pred_scores": torch.tensor(image["scores"]),
                "rel_pair_idxs": torch.tensor(image["pairs"]),
                "pred_rel_scores": torch.tensor(image["predicate_scores"])}  # fmt: skip
            item.extra_fields = fields
            items[name].append(item)
    content = items if change is None else (change(items) or items)
    file = io.BytesIO()
    Stand.__module__, Stand.__qualname__, Stand.__name__ = module, "BoxList", "BoxList"
    modules = __import__("sys").modules
    parts = module.split(".")
    added = [".".join(parts[: i + 1]) for i in range(len(parts)) if ".".join(parts[: i + 1]) not in modules]
    try:
        for name in added:
            modules[name] = type(modules["sys"])(name)
        kept = getattr(modules[module], "BoxList", None)
        modules[module].BoxList = Stand
        torch.save(content, file, _use_new_zipfile_serialization=not legacy)
        if kept is not None:
            modules[module].BoxList = kept
    finally:
        for name in added:
            del modules[name]
    return file.getvalue()


class Command:
    """A pickle that runs a command when it is opened in full trust."""

    def __reduce__(self):
        import os

        return os.system, ("touch ran",)


def _boxlists() -> Iterator[Case]:
    """Files of Scene-Graph-Benchmark."""
    act = evaluate("f.pytorch", "f.pytorch")

    def spoilt(name: str, content: Callable[[], bytes], **more: Any) -> Case:
        more = {"names": "f.pytorch", "holds": _nothing_ran} | more
        return case(f"scene-graph-benchmark/{name}", lambda f: made.write(f / "f.pytorch", content()), act, **more)

    for module in (
        "maskrcnn_benchmark.structures.bounding_box",
        "pysgg.structures.bounding_box",
        "sgg_benchmark.structures.bounding_box",
    ):
        yield spoilt(f"of {module}", lambda m=module: boxlist_file(m), expect="right", holds=_found_in_boxlists)
    yield spoilt("of PyTorch before 1.6", lambda: boxlist_file(legacy=True), expect="right", holds=_found_in_boxlists)

    def field(which: str, name: str, value: Any) -> Callable[[], bytes]:
        def change(items: dict) -> None:
            item = items[which][0]
            if name in ("bbox", "mode", "extra_fields"):
                setattr(item, name, value)
            else:
                item.extra_fields[name] = value

        return lambda: boxlist_file(change=change)

    junk = {"null": None, "text": "x", "a list": [[0, 1, 2]], "empty": torch.zeros(0), "a number": torch.tensor(3),
        "flat": torch.ones(7),
            "three axes": torch.ones(1, 2, 2), "NaN": torch.full((3, 4), float("nan")), "meta": torch.ones(3, 4,
            device="meta"),
            "complex": torch.ones(3, 4, dtype=torch.complex64), "sparse": torch.ones(3, 4).to_sparse(),
            "a huge view": torch.ones(1, 1).expand(400_000_000, 4)}  # fmt: skip
    places = (("groundtruths", "bbox"), ("groundtruths", "labels"), ("groundtruths", "relation_tuple"), ("predictions",
        "bbox"),
              ("predictions", "pred_labels"), ("predictions", "pred_scores"), ("predictions", "rel_pair_idxs"),
              ("predictions", "pred_rel_scores"))  # fmt: skip
    for which, name in places:
        for kind, value in junk.items():
            fine = name == "relation_tuple" and kind == "empty"
            yield spoilt(
                f"{which}.{name}/{kind}",
                field(which, name, value),
                expect="either" if fine else "clear",
                one_of_many=True,
            )
    for value in ("xyzw", None, 3):
        yield spoilt(f"mode {value}", field("predictions", "mode", value))
    yield spoilt("fields of another kind", field("predictions", "extra_fields", [1]))
    hostile = {
        "a command": lambda: boxlist_file(change=lambda items: items | {"more": Command()}),
        "a command as an item": lambda: boxlist_file(change=lambda items: items | {"predictions": [Command(),
        Command()]}),
        "a command alone": lambda: pickle.dumps(Command()),
        "a command in an old file": lambda: boxlist_file(change=lambda items: items | {"more": Command()}, legacy=True),
        "builtins": lambda: b"cbuiltins\neval\n(S'open(\"ran\",\"w\")'\ntR.",
        "no list": lambda: boxlist_file(change=lambda items: {"a": 1}),
        "a list": lambda: boxlist_file(change=lambda items: [1]),
        "no images": lambda: boxlist_file(change=lambda i: i | {"groundtruths": []}),
        "one prediction less": lambda: boxlist_file(change=lambda items: items["predictions"].pop() and None),
        "empty": lambda: b"",
        "cut": lambda: boxlist_file()[:-500], "a page": lambda: b"<html>",
        "deep": lambda: b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
        "a size of 2**60": lambda: b"\x80\x02\x8e\xff\xff\xff\xff\xff\xff\xff\x0f.",
        "a tuple of itself": lambda: b"\x80\x02](K\x00h\x00e.",
        "flipped": lambda: _flip(boxlist_file(), 0.1), "flipped in the middle": lambda: _flip(boxlist_file(), 0.5),
    }  # fmt: skip
    for name, content in hostile.items():
        yield spoilt(f"whole/{name}", content, expect="either" if "flipped" in name else "clear")
    other = lambda: boxlist_file("os.path.structures")  # noqa: E731
    yield spoilt("of a module that is no benchmark", other, expect="either")


def _nothing_ran(outcome: Outcome) -> bool:
    return not (outcome.folder / "ran").exists()


def _found_in_boxlists(outcome: Outcome) -> bool:
    return results(outcome)["protocols"]["default"]["metrics"]["R@50"]["value"] == 1


def _panoptic() -> Iterator[Case]:
    """OpenPSG's truths and sgbench's predictions."""
    act = evaluate("psg.json", "found.json")

    def spoilt(name: str, which: str, content: Any, **more: Any) -> Case:
        def write(folder: Path) -> None:
            for file, valid in (("psg.json", PANOPTIC), ("found.json", SGBENCH)):
                made.write(folder / file, content if file == which else valid)

        return case(f"psg/{name}", write, act, names=which, **more)

    yield spoilt("valid", "", None, expect="right", holds=_found_in_boxlists)
    truth = {("data",): (), ("data", 0): (), ("data", 0, "image_id"): (), ("data", 0, "annotations"): (), ("data", 0,
        "annotations", 0): (),
             ("data", 0, "annotations", 0, "bbox"): (), ("data", 0, "annotations", 0, "bbox_mode"): ("missing",
             "truth value"),
             ("data", 0, "annotations", 0, "category_id"): (), ("data", 0, "relations"): (), ("data", 0, "relations",
             0): (),
             ("predicate_classes",): (), ("test_image_ids",): ("missing", "null", "list")}  # fmt: skip
    found = {("images",): (), ("images", 0): (), ("images", 0, "id"): (), ("images", 0, "bboxes"): (), ("images", 0,
        "bboxes", 0): (),
             ("images", 0, "categories"): (), ("images", 0, "categories", 0): ("huge",), ("images", 0,
             "triplets"): ("no list",),
             ("images", 0, "triplets", 0): ()}  # fmt: skip
    for file, content, fields in (("psg.json", PANOPTIC, truth), ("found.json", SGBENCH, found)):
        for path, fine in fields.items():
            for name, value in (({"missing": MISSING} if isinstance(path[-1], str) else {}) | VALUES).items():
                place = ".".join(map(str, path))
                yield spoilt(f"{file}/{place}/{name}", file, put(content, path, value),
                    expect="either" if name in fine else "clear",
                             one_of_many=True)  # fmt: skip
        for name, spoil in (kinds.FILES | {"deep": kinds.DEEP_FILE}).items():
            yield case(f"psg/{file}/{name}", lambda f, n=file, s=spoil: (
                made.write(f / "psg.json", PANOPTIC), made.write(f / "found.json", SGBENCH), s(f / n)), act, names=file,
                one_of_many=True)  # fmt: skip


def _sidecars() -> Iterator[Case]:
    """Names of predicates, zero-shot triplets, training counts."""

    def beside(name: str, option: str, file: str, content: Any, **more: Any) -> Case:
        act = evaluate("truth.jsonl", "found.jsonl", option, file)
        write = content if callable(content) else lambda f: made.write(f / file, content)
        return case(f"{option[2:]}/{name}", write, act, **{"names": file} | more)

    good = {"a line each": ("n.txt", "on\nwears\nnear\n"), "a list": ("n.json", ["on", "wears", "near"]),
        "marked": ("n.txt", "\ufeffon\nwears\nnear"),
            "CRLF": ("n.txt", "on\r\nwears\r\nnear\r\n"), "of own data": ("n.json", {"label_to_idx": {"a": 1},
            "predicate_to_idx": {"on": 1, "wears": 2, "near": 3}}),
            "idx_to_predicate": ("n.json", {"idx_to_predicate": {"1": "on", "2": "wears", "3": "near"}})}  # fmt: skip
    for name, (file, content) in good.items():
        yield beside(
            name,
            "--predicate-names",
            file,
            content,
            expect="right",
            holds=lambda o: results(o)["names"] == ["on", "wears", "near"],
        )
    for name, content in {
        "too few": ["on"], "too many": ["a", "b", "c", "d"], "numbers": [1, 2, 3], "no list": {"a": 1}, "null": None,
        "no numbers": {"idx_to_predicate": {"a": "on", "2": "wears", "3": "near"}},
        "a gap": {"predicate_to_idx": {"on": 1, "wears": 2, "near": 4}},
        "a list under the key": {"predicate_to_idx": ["on", "wears", "near"]},
        "null under the key": {"idx_to_predicate": None},
        "no text": {"idx_to_predicate": {"1": None, "2": "a", "3": "b"}}, "nested": [["on"], ["wears"], ["near"]],
        "deep": kinds.DEEP,
        "twice": ["on", "on", "near"], "of blanks": [" ", "wears", "near"], "empty": [],
    }.items():  # fmt: skip
        yield beside(name, "--predicate-names", "n.json", content)
    for name, content in {"bytes": b"\xff\xfe\x00on", "binary": bytes(range(256)), "empty": ""}.items():
        yield beside(f"text/{name}", "--predicate-names", "n.txt", content)
    for option, file in (("--predicate-names", "n.txt"), ("--zero-shot", "z.json"), ("--training-counts", "c.json")):
        yield beside("missing", option, file, lambda f: None)
        yield beside("a folder", option, file, lambda f, n=file: (f / n).mkdir())
    rows = np.array([[1, 1, 2], [2, 3, 1]])
    for name, (file, content) in {
        "JSON": ("z.json", rows.tolist()), "npz": ("z.npz", archive({"zero_shot": rows})),
        "safetensors": ("z.safetensors", save({"zero_shot": rows})),
    }.items():  # fmt: skip
        yield beside(f"valid {name}", "--zero-shot", file, content, expect="right",
                     holds=lambda o: results(o)["protocols"]["default"]["metrics"]["zsR@50"]["value"] == 1)  # fmt: skip
    for name, content in {
        "ragged": [[1, 1, 2], [1, 2]], "two columns": [[1, 1]], "words": [["on", "a", "b"]], "fractions": [[1.5, 1, 2]],
        "class 0": [[0, 1, 2]],
        "negative": [[-1, 1, 2]], "null": None, "object": {"a": 1}, "truth values": [[True, True, True]],
        "huge": [[10**30, 1, 1]], "2**40": [[2**40, 1, 1]],
        "empty": [], "NaN": [[float("nan"), 1, 2]], "flat": [1, 1, 2], "deep": kinds.DEEP, "page": "<html>",
    }.items():  # fmt: skip
        yield beside(
            f"JSON/{name}", "--zero-shot", "z.json", content, expect="either" if name in ("2**40", "empty") else "clear"
        )
    for name, (file, content) in {
        "no such array": ("z.npz", archive({"other": rows})), "objects": ("z.npz",
        archive({"zero_shot": np.array([None], dtype=object)})),
        "fractions": ("z.npz", archive({"zero_shot": rows + 0.5})), "400 million rows": ("z.npz",
        with_header({"zero_shot": rows}, "zero_shot", shape=(400_000_000, 3))),
        "cut npz": ("z.npz", archive({"zero_shot": rows})[:-30]), "cut": ("z.safetensors",
        save({"zero_shot": rows})[:-5]),
        "flipped": ("z.safetensors", _flip(save({"zero_shot": rows}), 0.0)), "empty": ("z.safetensors", b""),
        "a header of 2**60": ("z.safetensors", (2**60).to_bytes(8, "little") + b"{}"), "text": ("z.safetensors",
        b"hello"),
        "a command": ("z.pytorch", pickle.dumps(Command())), "a list": ("z.pytorch", made_torch([[1, 2, 3]])),
        "fractions in torch": ("z.pytorch", made_torch(torch.ones(2, 3) * 1.5)), "sparse": ("z.pytorch",
        made_torch(torch.ones(2, 3).long().to_sparse())),
        "meta": ("z.pytorch", made_torch(torch.ones(2, 3, device="meta"))), "another ending": ("z.csv", "1,1,2\n"),
        "half precision": ("z.pytorch", made_torch(torch.ones(2, 3, dtype=torch.bfloat16))),
    }.items():  # fmt: skip
        yield beside(f"{file[2:]}/{name}", "--zero-shot", file, content)
    study = np.zeros((4, 4, 4), int)
    study[1, 2] = [100, 9, 0, 0]
    study[2, 1] = [50, 0, 5, 1]
    for name, (file, content) in {
        "object": ("c.json", {"on": 9, "wears": 5, "near": 1}), "list": ("c.json", [9, 5, 1]),
        "study": ("c.safetensors", save({"counts": study})),
        "npz": ("c.npz", archive({"counts": np.array([0, 9, 5, 1])})),
    }.items():  # fmt: skip
        yield beside(f"valid {name}", "--training-counts", file, content, expect="right",
                     holds=lambda o: results(o)["protocols"]["default"]["predicates"]["training"] == [9, 5,
                     1])  # fmt: skip
    for name, content in {
        "short": [9, 5], "negative": [9, 5, -1], "fractions": [9.5, 5, 1], "words": ["9", "5", "1"],
        "other names": {"on": 9, "wears": 5, "under": 1},
        "a name missing": {"on": 9}, "null": None, "a number": 3, "nested": [[9, 5, 1]], "ragged": [[9], 5, 1],
        "huge": [10**30, 5, 1], "2**63": [2**63 - 1, 2**63 - 1, 1],
        "NaN": [float("nan"), 5, 1], "truth values": [True, False, True], "null inside": {"on": None, "wears": 5,
        "near": 1}, "deep": kinds.DEEP,
        "all zero": [0, 0, 0],
    }.items():  # fmt: skip
        yield beside(
            f"JSON/{name}",
            "--training-counts",
            "c.json",
            content,
            expect="either" if name in ("2**63", "all zero") else "clear",
        )


def made_torch(content: Any) -> bytes:
    """What PyTorch saves."""
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def _outputs() -> Iterator[Case]:
    """Places for results that are taken, closed, or lead elsewhere."""
    yield case("evaluate/--out/a file", lambda f: made.write(f / "out", "mine"), names="out")
    yield case(
        "evaluate/--out/below a file", lambda f: made.write(f / "out", "mine"), evaluate(out="out/there"), names="out"
    )
    yield case("evaluate/--out/read-only", _closed, names="out")
    for name in ("results.json", "index.html", "metrics.csv", "predicates.csv", "ranks/default.npz"):
        yield case(
            f"evaluate/--out/{name} of somebody else",
            lambda f, n=name: made.write(f / "out" / n, "mine"),
            names=Path(name).name,
        )
    yield case("evaluate/--out/its own input", lambda f: (made.write(f / "results.json", PANOPTIC),
        made.write(f / "found.json", SGBENCH)),
               evaluate("results.json", "found.json", out="."), names="results.json")  # fmt: skip
    yield case("evaluate/--out/again into its own results", lambda f: None,
               lambda f: evaluate()(f) or os.chdir(f) or evaluate()(f), expect="right", holds=_all_found)  # fmt: skip

    def linked(folder: Path) -> None:
        made.write(folder / "victim", "mine")
        (folder / "out").mkdir()
        (folder / "out/results.json.part").symlink_to("../victim")

    yield case("evaluate/--out/a link under a temporary name", linked, expect="either", names="results.json",
               holds=lambda o: (o.folder / "victim").read_text() == "mine")  # fmt: skip
    hostile = [TRUTH[0] | {"predicate_names": ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "+1"]}, *TRUTH[1:]]
    yield case("evaluate/hostile names", lambda f: made.write(f / "truth.jsonl", lines(hostile)), expect="either",
        names="truth.jsonl",
               holds=_harmless)  # fmt: skip
    for option, value in (("--resamples", "0"), ("--resamples", "x"), ("--resamples", "1e9"), ("--seed", "-1"),
        ("--seed", "x"), ("--task", "all"),
                          ("--format", "xml"), ("--truth-format", "psg"), ("--protocol", "mine"), ("--seed",
                          str(2**70))):  # fmt: skip
        yield case(f"evaluate/options/{option} {value[:6]}", lambda f: None, evaluate("truth.jsonl", "found.jsonl",
            option, value),
                   names="truth.jsonl" if option == "--truth-format" else option if option != "--format" else "",
                   expect="either" if option == "--seed" and value != "x" else "clear")  # fmt: skip
    yield case(
        "evaluate/an ending nobody knows",
        lambda f: made.write(f / "found.xml", "<a/>"),
        evaluate(found="found.xml"),
        names="found.xml",
    )


def _harmless(outcome: Outcome) -> bool:
    """Neither a spreadsheet nor a browser runs a name."""
    page = (outcome.folder / "out/index.html").read_text()
    cells = [
        cell.strip('"')
        for line in (outcome.folder / "out/predicates.csv").read_text().splitlines()
        for cell in line.split(",")
    ]
    return "<script>alert" not in page and not any(cell[:1] in ("=", "@") or cell.startswith("+1") for cell in cells)


def _closed(folder: Path) -> None:
    (folder / "out").mkdir(mode=0o555)
    kinds.without_rights()


@cache
def evaluation() -> dict[str, bytes]:
    """An output folder of `segsg evaluate`, made once."""
    import contextlib
    import tempfile

    with (
        tempfile.TemporaryDirectory() as place,
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        made.write(Path(place) / "truth.jsonl", lines(TRUTH))
        made.write(Path(place) / "found.jsonl", lines(FOUND))
        given = [
            "--truth",
            f"{place}/truth.jsonl",
            "--predictions",
            f"{place}/found.jsonl",
            "--task",
            "sgdet",
            "--out",
            f"{place}/out",
        ]
        assert cli.main(["evaluate", *given, "--resamples", "5"]) == 0
        out = Path(place) / "out"
        return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def _compared(outcome: Outcome) -> dict:
    return json.loads((outcome.folder / "out" / "compare.json").read_text())


def _compare() -> Iterator[Case]:
    """Folders of evaluations for `segsg compare`."""

    def act(*more: str) -> Callable[[Path], int]:
        return lambda folder: cli.main(["compare", "a", "b", "--resamples", "5", *more])

    def spoilt(name: str, change: Callable[[Path], Any], *more: str, **options: Any) -> Case:
        def write(folder: Path) -> None:
            for system in "ab":
                for file, content in evaluation().items():
                    made.write(folder / system / file, content)
            change(folder)

        return case(f"compare/{name}", write, act(*more), **options)

    yield spoilt("valid", lambda f: None, "--out", "out", expect="right",
                 holds=lambda o: _compared(o)["metrics"]["R@20"]["difference"] == 0)  # fmt: skip
    for file in ("results.json", "ranks/default.npz"):
        for name, spoil in kinds.FILES.items():
            fine = (file, name) in {
                ("results.json", "missing"),
                ("results.json", "a folder"),
                ("results.json", "a link to itself"),
            }
            yield spoilt(f"{file}/{name}", lambda f, s=spoil, n=file: s(f / "b" / n),
                names=Path(file).name if name != "missing" else "b",
                         expect="either" if fine else "clear", one_of_many=name not in ("cut", "empty",
                         "zeros"))  # fmt: skip
    results = {"deep": kinds.DEEP, "null": None, "a list": [1], "no task": {"names": ["on", "wears", "near"]},
        "no names": {"task": "sgdet"},
               "names null": {"task": "sgdet", "names": None}, "names a number": {"task": "sgdet", "names": 3},
               "too few names": {"task": "sgdet", "names": ["on"]},
               "too many names": {"task": "sgdet", "names": list("abcdef")}, "numbers for names": {"task": "sgdet",
               "names": [1, 2, 3]},
               "task of no kind": {"task": 5, "names": ["a", "b", "c"]}, "another task": {"task": "predcls",
               "names": ["a", "b", "c"]}}  # fmt: skip
    for name, content in results.items():
        yield spoilt(f"results.json/{name}", lambda f, c=content, systems="b" if name == "another task" else "ab": [
            made.write(f / system / "results.json", c) for system in systems],
                     "--out", "out", names={"another task": "b", "too few names": "a", "too many names": "a"}.get(name,
                     "results.json"),
                     expect="either" if name in ("no task", "task of no kind") else "clear")  # fmt: skip
    with np.load(io.BytesIO(evaluation()["ranks/default.npz"])) as stored:
        ranks = dict(stored)
    header = json.loads(str(ranks["header"]))
    changes: dict[str, dict[str, Any]] = {
        **{f"{name}/missing": {name: None} for name in ranks if name not in ("zero_shot", "training_counts")},
        **{f"{name}/short": {name: array[:-1]} for name, array in ranks.items() if array.ndim},
        **{f"{name}/words": {name: np.array(["x"] * len(array))} for name, array in ranks.items() if array.ndim},
        **{f"{name}/NaN": {name: array * np.nan} for name,
        array in ranks.items() if array.ndim and array.dtype != bool},
        **{f"{name}/one number": {name: np.array(1)} for name in ranks if name != "header"},
        "image/beyond": {"image": ranks["image"] + 50}, "image/negative": {"image": ranks["image"] - 50},
        "triplets/predicate beyond": {"triplets": ranks["triplets"] + 50},
        "constrained/negative": {"constrained": ranks["constrained"] - 50},
        "image_ids/others": {"image_ids": ranks["image_ids"] + 50}, "header/not JSON": {"header": np.array("{")},
        "header/null": {"header": np.array("null")},
        "header/no protocol": {"header": np.array('{"predicates": 4}')},
        "header/no predicates": {"header": np.array(json.dumps({"protocol": header["protocol"]}))},
        "header/predicates a word": {"header": np.array(json.dumps(header | {"predicates": "x"}))},
        "header/predicates huge":
        {"header": np.array(json.dumps(header | {"predicates": 10**9}))},
        "header/unknown rule": {"header": np.array(json.dumps(header | {"protocol": header["protocol"] | {"x": 1}}))},
        "header/depths null": {"header": np.array(json.dumps(header | {"protocol": header["protocol"]
        | {"depths": None}}))},
        "header/depths empty": {"header": np.array(json.dumps(header | {"protocol": header["protocol"]
        | {"depths": []}}))},
        "header/other rules": {"header": np.array(json.dumps(header | {"protocol": header["protocol"]
        | {"iou": 0.7}}))},
    }  # fmt: skip
    for name, change in changes.items():
        changed = {key: value for key, value in (ranks | change).items() if value is not None}
        named = "compare" if name in ("image_ids/others", "header/other rules") else "default.npz"
        yield spoilt(f"ranks/{name}", lambda f, c=changed: made.write(f / "b/ranks/default.npz", archive(c)),
            names=named,
                     expect="either" if name == "header/other rules" else "clear",
                     one_of_many="/" in name and not name.startswith("header"))  # fmt: skip
    yield spoilt("ranks/400 million images", lambda f: made.write(f / "b/ranks/default.npz", with_header(ranks,
        "image_ids", shape=(400_000_000,))),
                 names="default.npz")  # fmt: skip
    yield spoilt("--out/a file", lambda f: made.write(f / "out", "mine"), "--out", "out", names="out")
    yield spoilt(
        "--out/metrics.csv of somebody else",
        lambda f: made.write(f / "out/metrics.csv", "mine"),
        "--out",
        "out",
        names="metrics.csv",
    )
    yield spoilt("--out/its own input", lambda f: None, "--out", "b", names="metrics.csv")


CLASSES = "dog\nman\nhat\n"


def _transfer() -> Iterator[Case]:
    """Lists of `segsg transfer`."""

    def spoilt(name: str, change: Callable[[Path], Any], *more: str, classes: str = "c.txt", **options: Any) -> Case:
        def write(folder: Path) -> None:
            made.write(folder / "c.txt", CLASSES)
            made.write(folder / "m.txt", "dog\nbicycle\n")
            made.write(folder / "v.txt", made.VECTORS)
            change(folder)

        given = ["--classes", classes, "--mask-classes", "m.txt", "--word-vectors", "v.txt", "--out", "out"]
        return case(f"transfer/{name}", write, lambda f: cli.main(["transfer", *given, *more]), **options)

    right = {
        "expect": "right",
        "holds": lambda o: (
            (o.folder / "out/transfer.csv").read_text().startswith("class,how,dog,bicycle\ndog,copied,1,0")
        ),
    }
    yield spoilt("valid", lambda f: None, **right)
    for file in ("c.txt", "m.txt", "v.txt"):
        for name, spoil in (kinds.FILES | {"UTF-16": kinds.replaced(CLASSES.encode("utf-16"))}).items():
            fine = name in ("a page", "cut") or (file == "c.txt" and name in ("zeros",))
            yield spoilt(f"{file}/{name}", lambda f, s=spoil, n=file: s(f / n),
                names=file if file != "m.txt" or name in ("missing", "empty", "a folder") else "",
                         expect="either" if fine else "clear", codes=(0, 3), one_of_many=True)  # fmt: skip
        for name, spoil in {"marked": kinds.MARKED, "CRLF": kinds.CRLF}.items():
            yield spoilt(f"{file}/{name}", lambda f, s=spoil, n=file: s(f / n), **right)
    yield spoilt("v.txt/a header", lambda f: made.write(f / "v.txt", "5 4\n" + made.VECTORS), **right)
    yield spoilt("v.txt/tabs", lambda f: made.write(f / "v.txt", made.VECTORS.replace(" ", "\t")), **right)
    yield spoilt("v.txt/zip", lambda f: made.write(f / "v.txt", b"PK\x03\x04" + bytes(100)), names="v.txt")
    yield spoilt("v.txt/a line of 1 GB", _long_line, names="v.txt", expect="either", codes=(0, 3))
    lists = {"null": None, "a number": 3, "numbers": [1, 2], "nested": [["dog"]], "object": {"a": 1},
        "deep": kinds.DEEP, "categories null": {"categories": None},
             "categories of words": {"categories": ["dog"]}, "category without id": {"categories": [{"name": "dog"}]},
             "category name null": {"categories": [{"id": 1, "name": None}]},
             "category id a word": {"categories": [{"id": "x", "name": "dog"}]}, "labels null": {"label_to_idx": None},
             "labels a list": {"label_to_idx": ["dog"], "predicate_to_idx": {}},
             "label null": {"label_to_idx": {"dog": None}, "predicate_to_idx": {"on": 1}}, "empty list": [],
             "blanks": [" ", ""]}  # fmt: skip
    for name, content in lists.items():
        yield spoilt(
            f"classes/{name}", lambda f, c=content: made.write(f / "c.json", c), classes="c.json", names="c.json"
        )
    for name, content in {
        "names no mask class": {"dog": "whale"},
        "a list": ["dog"],
        "numbers": {"dog": 1},
        "null": None,
        "deep": kinds.DEEP,
        "page": "<html>",
    }.items():
        yield spoilt(
            f"name pairs/{name}",
            lambda f, c=content: made.write(f / "p.json", c),
            "--name-pairs",
            "p.json",
            names="p.json" if name != "names no mask class" else "whale",
        )
    for option, value in (
        ("--threshold", "nan"),
        ("--threshold", "-1"),
        ("--threshold", "2"),
        ("--threshold", "inf"),
        ("--threshold", "x"),
        ("--mode", "mine"),
        ("--alias", "x"),
        ("--alias", "=y"),
    ):
        yield spoilt(f"options/{option} {value}", lambda f: None, option, value, names=option)
    yield spoilt("--out/a file", lambda f: made.write(f / "out", "mine"), names="out")
    yield spoilt(
        "--out/transfer.csv of somebody else",
        lambda f: made.write(f / "out/transfer.csv", "mine"),
        names="transfer.csv",
    )
    yield spoilt("hostile names", lambda f: made.write(f / "c.txt", "=1+1\n@sum\n<script>alert(1)</script>\ndog\n"),
        expect="either", codes=(0, 3), names="c.txt",
                 holds=lambda o: "<script>alert" not in (o.folder / "out/transfer.html").read_text()
                 and not any(line[:1] in "=@" for line in (o.folder / "out/transfer.csv").read_text().replace('"',
                 "").splitlines()))  # fmt: skip
    pairs = {"whale": "dog"}
    yield spoilt("name pairs/unknown class", lambda f: made.write(f / "p.json", pairs), "--name-pairs", "p.json",
                 expect="right", holds=lambda o: "p.json: pairs of no class of c.txt: whale" in o.err)  # fmt: skip
    yield spoilt(
        "a class without a vector",
        lambda f: made.write(f / "c.txt", "dog\nwhale\n"),
        expect="right",
        codes=(3,),
        holds=lambda o: "whale" in o.out,
    )


def _long_line(folder: Path) -> None:
    """A line of 1 GB, of which the disk holds little."""
    with (folder / "v.txt").open("wb") as file:
        file.write(made.VECTORS.encode() + b"whale ")
        file.truncate(1 << 30)
    content = copy.copy(CLASSES) + "zebra\n"  # not in the file, so that it is read to its end
    made.write(folder / "c.txt", content)
