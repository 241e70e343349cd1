"""Files of data sets: Visual Genome's, COCO's, word vectors, name pairs, zero-shot lists and photos."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import kinds
import made
import numpy as np
import torch
from harness import Case, Outcome
from kinds import MISSING, VALUES, put
from made import DICTS, GLOVE, H5, INSTANCES, LIST, MASK_PHOTOS, NAME_PAIRS, PHOTOS, ZERO_SHOT
from PIL import Image

Change = Callable[[Path], None]


def case(name: str, change: Change, *, names: str, **more: Any) -> Case:
    """A study's files with one change, read whole. `names` is the file that an error names."""

    def build(folder: Path) -> None:
        made.study_files(folder)
        change(folder)

    return Case(f"data/{name}", build, made.read_study, names=Path(names).name, **more)


def cases() -> Iterator[Case]:
    """All cases of this module."""
    yield case("valid", lambda folder: None, names="", expect="right", holds=_is_whole)
    for part in (_files, _arrays, _array_values, _dicts, _list, _coco, _segmentations, _vectors, _others, _photos):
        yield from part()


def _is_whole(outcome: Outcome) -> bool:
    read = outcome.value
    assert sorted(read.graphs) == [11, 14, 15] and sorted(read.masks) == [5, 6]
    assert read.known.counts[..., 1:].sum() == 3 and read.known.mask_names == ("bicycle", "dog")
    return read.masks[5].masks.sum() == 24 and read.masks[6].masks.sum() == 10


def _files() -> Iterator[Case]:
    """Every file spoilt as a whole."""
    for file in (H5, DICTS, LIST, INSTANCES, GLOVE, NAME_PAIRS):
        for name, spoil in kinds.FILES.items():
            expect = "either" if (file, name) == (GLOVE, "cut") else "clear"
            yield case(f"{Path(file).name}/{name}", lambda folder, s=spoil, f=file: s(folder / f), names=file,
                expect=expect,
                       one_of_many=True)  # fmt: skip
    for file in (DICTS, LIST, INSTANCES, NAME_PAIRS):
        more = {"deep": (kinds.DEEP_FILE, "clear"), "gzip": (kinds.GZIPPED, "clear"), "list": (kinds.replaced("[]"),
            "clear"),
                "null": (kinds.replaced("null"), "clear"), "two values": (kinds.replaced("{} {}"), "clear"),
                "long number": (kinds.replaced('{"a": ' + "9" * 5000 + "}"), "clear"),
                "Latin": (kinds.replaced('{"caf\xe9": 1}'.encode("latin-1")), "clear"),
                "marked": (kinds.MARKED, "right"), "CRLF": (kinds.CRLF, "right")}  # fmt: skip
        for name, (spoil, expect) in more.items():
            yield case(f"{Path(file).name}/{name}", lambda folder, s=spoil, f=file: s(folder / f), names=file,
                       expect=expect, holds=_is_whole)  # fmt: skip
    yield case(
        "pairs.json/empty object", lambda f: made.write(f / NAME_PAIRS, {}), names="", expect="right", holds=_is_whole
    )


def _h5(change: Callable[[dict], None]) -> Change:
    def spoil(folder: Path) -> None:
        values = made.arrays()
        change(values)
        made.write_h5(folder / H5, values)

    return spoil


def _declared(key: str, shape: tuple[int, ...]) -> Change:
    """An array of a huge shape that takes no place on disk: all of it is the fill value."""

    def spoil(folder: Path) -> None:
        values = made.arrays()
        del values[key]
        made.write_h5(folder / H5, values)
        with h5py.File(folder / H5, "a") as file:
            file.create_dataset(key, shape, dtype="int32", chunks=True, fillvalue=1)

    return spoil


def _group(key: str) -> Change:
    def spoil(folder: Path) -> None:
        values = made.arrays()
        del values[key]
        made.write_h5(folder / H5, values)
        with h5py.File(folder / H5, "a") as file:
            file.create_group(key)

    return spoil


def _linked(key: str) -> Change:
    def spoil(folder: Path) -> None:
        values = made.arrays()
        del values[key]
        made.write_h5(folder / H5, values)
        with h5py.File(folder / H5, "a") as file:
            file[key] = h5py.ExternalLink("/nowhere/else.h5", key)

    return spoil


def _arrays() -> Iterator[Case]:
    """Arrays of VG-SGG.h5 of another kind."""
    for key in made.ARRAYS:
        spoilt = {
            "missing": _h5(lambda v, k=key: v.pop(k)),
            "group": _group(key),
            "words": _h5(lambda v, k=key: v.update({k: "words"})),
            "fractions": _h5(lambda v, k=key: v.update({k: v[k] + 0.5})),
            "one number": _h5(lambda v, k=key: v.update({k: 1})),
            "short": _h5(lambda v, k=key: v.update({k: v[k][:-1]})),
            "three axes": _h5(lambda v, k=key: v.update({k: np.asarray(v[k])[..., None, None]})),
            "truth values": _h5(lambda v, k=key: v.update({k: np.asarray(v[k]) > 0})),
            "huge": _declared(key, (400_000_000, *np.shape(made.ARRAYS[key])[1:])),
        }
        for name, change in spoilt.items():
            yield case(f"VG-SGG.h5/{key}/{name}", change, names=H5, one_of_many=True)
    yield case("VG-SGG.h5/labels/link elsewhere", _linked("labels"), names=H5)
    yield case("VG-SGG.h5/labels/words of any length",
               _h5(lambda v: v.update(labels=np.array(["a"] * 9, dtype=h5py.string_dtype()))), names=H5)  # fmt: skip
    yield case("VG-SGG.h5/labels/a column flat", _h5(lambda v: v.update(labels=v["labels"][:, 0])), names="",
               expect="right", holds=_is_whole)  # fmt: skip
    yield case("VG-SGG.h5/labels/wide unsigned", _h5(lambda v: v.update(labels=v["labels"].astype(np.uint64))),
        names="",
               expect="right", holds=_is_whole)  # fmt: skip
    for place in (0.0, 0.005, 0.02):
        yield case(f"VG-SGG.h5/flipped at {place}", lambda f, p=place: kinds.flipped(p)(f / H5), names=H5,
            expect="either",
                   holds=_is_whole)  # fmt: skip


def _array_values() -> Iterator[Case]:
    """Numbers of VG-SGG.h5 that break a rule."""

    def put_in(key: str, place, value) -> Change:
        def change(values: dict) -> None:
            values[key] = values[key].astype(np.int64)
            values[key][place] = value

        return _h5(change)

    spoilt = {
        "split of 1": ("split", 0, 1),
        "box rows backwards": ("img_to_first_box", 3, 7),
        "box rows shared": ("img_to_first_box", 3, 4),
        "box rows past the end": ("img_to_last_box", 4, 9),
        "box rows far past the end": ("img_to_last_box", 4, 2**62),
        "box rows half none": ("img_to_last_box", 1, 3),
        "box rows of -2": ("img_to_first_box", 0, -2),
        "relation rows past the end": ("img_to_last_rel", 4, 7),
        "relation rows shared": ("img_to_first_rel", 3, 1),
        "box without width": ("boxes_1024", (6, 2), 0),
        "box of negative height": ("boxes_1024", (6, 3), -5),
        "centre negative": ("boxes_1024", (6, 0), -5),
        "box of a huge width": ("boxes_1024", (6, 2), 2**40),
        "centre far outside": ("boxes_1024", (0, 0), 9000),
        "class 0": ("labels", 4, 0),
        "class 4 of 3": ("labels", 4, 4),
        "predicate 0": ("predicates", 2, 0),
        "predicate 3 of 2": ("predicates", 2, 3),
        "relation to another image": ("relationships", (2, 1), 2),
        "relation to a negative row": ("relationships", (2, 1), -1),
    }
    for name, (key, place, value) in spoilt.items():
        yield case(f"VG-SGG.h5/values/{name}", put_in(key, place, value), names=H5)
    yield case("VG-SGG.h5/values/no test image", _h5(lambda v: v.update(split=np.zeros(5, int))), names=H5)
    yield case("VG-SGG.h5/values/no training image", _h5(lambda v: v.update(split=np.full(5, 2))), names=H5)
    yield case("VG-SGG.h5/values/no image at all", _h5(lambda v: [v.update({k: v[k][:0]}) for k in v]), names="",
               meant="the arrays or the list are named")  # fmt: skip
    yield case("VG-SGG.h5/values/a relation of a region with itself", put_in("relationships", 3, [5, 5]), names=H5,
               expect="either", holds=_no_self_relation)  # fmt: skip
    yield case("VG-SGG.h5/values/only relations with itself", put_in("relationships", slice(2, 5), [5, 5]), names=H5,
               expect="either", holds=_no_self_relation)  # fmt: skip


def _no_self_relation(outcome: Outcome) -> bool:
    relations = [sample.relations for sample in outcome.value.graphs.values()]
    return all((rows[:, 0] != rows[:, 1]).all() for rows in relations)


def _dicts() -> Iterator[Case]:
    """VG-SGG-dicts.json."""

    def spoilt(name: str, content: Any, **more: Any) -> Case:
        return case(f"VG-SGG-dicts.json/{name}", lambda f: made.write(f / DICTS, content), names=DICTS, **more)

    for key in made.NAMES:
        for name, value in ({"missing": MISSING} | VALUES).items():
            if name != "object":
                yield spoilt(f"{key}/{name}", put(made.NAMES, (key,), value), one_of_many=True)
    for name, value in VALUES.items():
        yield spoilt(f"an index/{name}", put(made.NAMES, ("label_to_idx", "hat"), value))
    yield spoilt("an index as text", put(made.NAMES, ("label_to_idx", "hat"), "3"))
    yield spoilt("an index as 3.0", put(made.NAMES, ("label_to_idx", "hat"), 3.0), expect="either")
    yield spoilt("indices from 0", made.NAMES | {"label_to_idx": {"man": 0, "cat": 1, "hat": 2}})
    yield spoilt("background at 0", made.NAMES | {"label_to_idx": {"__background__": 0, "man": 1, "cat": 2, "hat": 3}},
                 expect="either", holds=lambda o: o.value.known.names.classes == ("man", "cat", "hat"))  # fmt: skip
    yield spoilt("a gap", put(made.NAMES, ("label_to_idx", "hat"), 5))
    yield spoilt("an index twice", put(made.NAMES, ("label_to_idx", "hat"), 2))
    yield spoilt("no name", made.NAMES | {"label_to_idx": {"": 3, "man": 1, "cat": 2}})
    yield spoilt("a key twice",
        '{"label_to_idx": {"man": 1, "man": 2, "cat": 2, "hat": 3}, "predicate_to_idx": {"on": 1, '
                 '"wearing": 2}}', expect="either")  # fmt: skip
    fewer = made.NAMES | {"label_to_idx": {"man": 1, "cat": 2}}
    yield case("VG-SGG-dicts.json/fewer classes than labels", lambda f: made.write(f / DICTS, fewer), names=H5)
    yield spoilt("with more keys", made.NAMES | {"idx_to_label": {"1": "man"}, "attribute_count": {}}, expect="right",
                 holds=_is_whole)  # fmt: skip


def _list() -> Iterator[Case]:
    """image_data.json."""

    def spoilt(name: str, content: Any, **more: Any) -> Case:
        return case(f"image_data.json/{name}", lambda f: made.write(f / LIST, content), names=LIST, **more)

    for key in ("image_id", "width", "height"):
        for name, value in ({"missing": MISSING} | VALUES).items():
            if (key, name) != ("image_id", "negative"):
                yield spoilt(f"{key}/{name}", put(made.IMAGES, (3, key), value), one_of_many=True)
    for name, value in VALUES.items():
        expect = {"null": "right", "negative": "either"}.get(name, "clear")
        yield spoilt(f"coco_id/{name}", put(made.IMAGES, (4, "coco_id"), value), expect=expect, holds=_is_whole)
    yield spoilt("coco_id/missing", put(made.IMAGES, (4, "coco_id"), MISSING), expect="right", holds=_is_whole)
    yield spoilt("coco_id/0 is an id", put(made.IMAGES, (4, "coco_id"), 0), expect="right",
                 holds=lambda o: 0 in o.value.shared)  # fmt: skip
    yield spoilt("image_id/unsigned", put(made.IMAGES, (3, "image_id"), 2**63 + 5))
    yield spoilt("image_id/twice", put(made.IMAGES, (3, "image_id"), 11))
    large = put(put(made.IMAGES, (3, "width"), 10**9), (3, "height"), 5 * 10**8)
    yield case("image_data.json/size of 10**9", lambda f: made.write(f / LIST, large), names="", expect="either",
               meant="boxes of 10**9 pixels are scaled to the photo, or refused")  # fmt: skip
    yield spoilt("an entry is null", put(made.IMAGES, (3,), None))
    yield spoilt("an entry is a list", put(made.IMAGES, (3,), [14, 80, 40]))
    yield spoilt("an entry too few", made.IMAGES[:-1])
    yield spoilt("an entry too many", [*made.IMAGES, {"image_id": 16, "width": 80, "height": 40}])
    yield spoilt("an object", {"images": made.IMAGES})
    yield spoilt("corrupt images listed", [*made.IMAGES[:2], {"image_id": 1592, "width": 1, "height": 1},
        *made.IMAGES[2:]],
                 expect="right", holds=_is_whole)  # fmt: skip
    turned = [made.IMAGES[0] | {"width": 40, "height": 80}, *made.IMAGES[1:]]
    yield case("image_data.json/another shape than the photo", lambda f: made.write(f / LIST, turned), names="")


def _coco() -> Iterator[Case]:
    """Fields of COCO's instances."""

    def spoilt(name: str, content: Any, **more: Any) -> Case:
        return case(f"instances.json/{name}", lambda f: made.write(f / INSTANCES, content), names=INSTANCES, **more)

    fields = {
        "images": ("images",), "categories": ("categories",), "annotations": ("annotations",),
        "an image": ("images", 0), "a category": ("categories", 0), "an annotation": ("annotations", 0),
        "image id": ("images", 0, "id"), "width": ("images", 0, "width"), "height": ("images", 0, "height"),
        "file name": ("images", 0, "file_name"), "category id": ("categories", 0, "id"),
        "category name": ("categories", 0, "name"), "image of an annotation": ("annotations", 0, "image_id"),
        "category of an annotation": ("annotations", 0, "category_id"), "bbox": ("annotations", 0, "bbox"),
        "segmentation": ("annotations", 0, "segmentation"), "iscrowd": ("annotations", 0, "iscrowd"),
    }  # fmt: skip
    fine = {"file name": {"text", "no text"}, "category name": {"text"}, "iscrowd": {"missing"}}
    for field, path in fields.items():
        values = ({"missing": MISSING} if isinstance(path[-1], str) else {}) | VALUES
        for name, value in values.items():
            if name not in fine.get(field, ()):
                content, named = put(made.COCO, path, value), "" if name == "huge" else INSTANCES
                yield case(f"instances.json/{field}/{name}", lambda f, c=content: made.write(f / INSTANCES, c),
                    names=named,
                           one_of_many=True)  # fmt: skip
    for name, bbox in {
        "NaN": [float("nan"), 1, 4, 6], "infinite": [2, 1, float("inf"), 6], "words": ["2", "1", "4", "6"],
        "outside": [100, 100, 4, 6], "before": [-50, -50, 4, 6], "negative": [2, 1, -4, 6], "three": [2, 1, 4],
        "five": [2, 1, 4, 6, 1], "truth values": [True, True, True, True], "nested": [[2, 1, 4, 6]],
        "null": [None, 1, 4, 6],
    }.items():  # fmt: skip
        yield spoilt(f"bbox of/{name}", put(made.COCO, ("annotations", 0, "bbox"), bbox))
    yield spoilt("bbox of/a little outside", put(made.COCO, ("annotations", 0, "bbox"), [17.5, 1, 4, 6]),
        expect="right",
                 holds=lambda o: o.value.masks[5].boxes[0, 2] == 20)  # fmt: skip
    yield spoilt("bbox of/huge", put(made.COCO, ("annotations", 0, "bbox"), [2, 1, 1e300, 6]), expect="either",
                 holds=lambda o: o.value.masks[5].boxes[0, 2] == 20)  # fmt: skip
    without = put(made.COCO, ("annotations", 0, "bbox"), [2, 1, 0, 6])
    without["annotations"].append(made.COCO["annotations"][0] | {"id": 3})
    yield spoilt("bbox of/no width", without, expect="right", holds=lambda o: len(o.value.masks[5].boxes) == 1)
    yield spoilt("ids/image twice", put(made.COCO, ("images", 1, "id"), 5))
    yield spoilt("ids/category twice", put(made.COCO, ("categories", 1, "id"), 18))
    yield spoilt("ids/annotation twice", put(made.COCO, ("annotations", 1, "id"), 1), expect="either", holds=_is_whole)
    yield spoilt("names/twice", put(made.COCO, ("categories", 1, "name"), "dog"))
    yield spoilt("names/none", put(made.COCO, ("categories", 1, "name"), ""))
    for name, file in {
        "up and out": "../../../../../../etc/passwd", "absolute": "/etc/passwd", "up": "../photos/5.png",
        "NUL": "5\0.png",
        "a folder": ".", "long": "x" * 5000 + ".png", "a half of a pair": "\ud800.png", "missing photo": "7.png",
    }.items():  # fmt: skip
        named = "" if name in ("missing photo", "a folder", "long", "NUL", "a half of a pair") else INSTANCES
        content = put(made.COCO, ("images", 0, "file_name"), file)
        yield case(f"instances.json/file names/{name}", lambda f, c=content: made.write(f / INSTANCES, c), names=named)
    large = put(put(made.COCO, ("images", 0, "width"), 100_000), ("images", 0, "height"), 100_000)
    yield case("instances.json/size of 100,000 pixels a side", lambda f: made.write(f / INSTANCES, large), names="")
    crowd = put(made.COCO, ("annotations", 0, "iscrowd"), 1)
    yield spoilt("iscrowd/1", crowd, expect="right", holds=lambda o: len(o.value.masks[5].boxes) == 0)


def _segmentations() -> Iterator[Case]:
    """Polygons and run lengths of COCO's instances."""

    def spoilt(name: str, value: Any, **more: Any) -> Case:
        content = put(made.COCO, ("annotations", 0, "segmentation"), value)
        return case(f"instances.json/{name}", lambda f: made.write(f / INSTANCES, content), names=INSTANCES, **more)

    square, nan, inf = [2, 1, 6, 1, 6, 7, 2, 7], float("nan"), float("inf")
    for name, polygons in {
        "none": [], "an empty one": [[]], "flat": square, "of pairs": [[[2, 1], [6, 1], [6, 7], [2, 7]]],
        "a word": [["x", *square[1:]]],
        "null": [[None, *square[1:]]], "NaN": [[nan, *square[1:]]], "infinite": [[inf, *square[1:]]],
        "odd": [square[:7]],
        "two corners": [square[:4]], "one number": [5], "outside": [[100, 100, 120, 100, 120, 120]], "huge": [[10**30,
        *square[1:]]],
        "far": [[2, 1, 1e9, 1, 6, 7, 2, 7]], "negative": [[-100, -100, -90, -100, -90, -90]],
        "truth values": [[True] * 8],
        "words": ["2 1 6 1 6 7"], "an object": [{"x": 1, "y": 2}], "a good and a bad one": [square, [1, 2]],
        "deep": [[[[square]]]],
    }.items():  # fmt: skip
        yield spoilt(f"polygons/{name}", polygons)
    runs = {"size": [10, 20], "counts": [22, 6, 172]}
    for name, change in {
        "without counts": ("counts", MISSING), "without size": ("size", MISSING), "counts null": ("counts", None),
        "counts a number": ("counts", 200), "counts empty": ("counts", []), "counts no text": ("counts", ""),
        "short": ("counts", [22, 6]), "long": ("counts", [22, 6, 173]), "negative": ("counts", [205, -5]),
        "fractions": ("counts", [22.5, 6, 171.5]), "words": ("counts", ["22", "6", "172"]), "NaN": ("counts", [nan, 6,
        172]),
        "huge": ("counts", [10**30, 6, 172]), "of 2**32": ("counts", [22, 6, 172 + 2**32]), "truth values": ("counts",
        [True, 199]),
        "nested": ("counts", [[22, 6, 172]]), "text abc": ("counts", "abc"), "text long": ("counts", "PPPPo0"),
        "text of other letters": ("counts", "caf\u00e9 \U0001f600"), "text of a million": ("counts", "o" * 1_000_000),
        "text cut": ("counts", "f"), "size turned": ("size", [20, 10]), "size of three": ("size", [10, 20, 1]),
        "size of words": ("size", ["10", "20"]), "size negative": ("size", [-10, -20]), "size huge": ("size", [10**6,
        10**6]),
        "size fractions": ("size", [10.0, 20.0]), "size truth values": ("size", [True, 200]),
    }.items():  # fmt: skip
        yield spoilt(f"run lengths/{name}", put(runs, (change[0],), change[1]))
    yield spoilt("run lengths/valid", runs, expect="right", holds=lambda o: o.value.masks[5].masks.sum() == 6)
    yield spoilt("run lengths/a million of nothing", {"size": [10, 20], "counts": [22, 6, *[0] * 1_000_000, 172]},
                 expect="either", holds=lambda o: o.value.masks[5].masks.sum() == 6)  # fmt: skip
    yield spoilt("run lengths/all background", {"size": [10, 20], "counts": [200]}, expect="either",
                 meant="an instance without a pixel is refused or left out",
                 holds=lambda o: o.value.masks[5].masks.flatten(1).any(1).all())  # fmt: skip


def _vectors() -> Iterator[Case]:
    """Word vectors."""

    def spoilt(name: str, content: Any, **more: Any) -> Case:
        return case(f"vectors.txt/{name}", lambda f: made.write(f / GLOVE, content), names=GLOVE, **more)

    rows = made.VECTORS
    for name, content in {
        "a word missing": rows.replace("hat ", "cap "), "one number less": rows.replace("hat 0 0 1 0", "hat 0 0 1"),
        "one number more": rows.replace("hat 0 0 1 0", "hat 0 0 1 0 0"), "NaN": rows.replace("hat 0", "hat nan"),
        "infinite": rows.replace("hat 0", "hat inf"), "3e38": rows.replace("hat 0 0 1 0", "hat 3e38 3e38 3e38 3e38"),
        "a word in a row": rows.replace("hat 0", "hat zero"), "no number": "man\ncat\nhat\ndog\nbicycle\n",
        "one line": "man 1 0 0 0", "hexadecimal": rows.replace("hat 0", "hat 0x10"),
        "commas": rows.replace(" ", ","), "a long line": "man " + "1 " * 3_000_000 + "\n" + rows,
        "UTF-16": rows.encode("utf-16"), "zip": b"PK\x03\x04" + bytes(200),
    }.items():  # fmt: skip
        yield spoilt(name, content)
    yield spoilt("a word twice", rows + "hat 1 1 1 1\n")
    yield spoilt("all zeros", rows.replace("hat 0 0 1 0", "hat 0 0 0 0"), expect="either",
                 holds=lambda o: o.value.known.vectors.isfinite().all())  # fmt: skip
    for name, content in {
        "a header": "5 4\n" + rows, "dots before": ". . . 0 0 0 0\n" + rows, "tabs": rows.replace(" ", "\t"),
        "CRLF": rows.replace("\n", "\r\n"),
        "marked": "\ufeff" + rows, "blank lines": rows.replace("\n", "\n\n"), "no last line break": rows.rstrip("\n"),
        "blanks at the ends": rows.replace("\n", " \n"), "exponents": rows.replace("1 0 0 0", "1e0 0E+0 -0 0"),
        "bytes that are no text": b"caf\xe9\xff 1 2 3 4\n" + rows.encode(),
        "a word of two parts": rows + "at name@x.org 1 2 3 4\n",
    }.items():  # fmt: skip
        more = {"expect": "right", "holds": _first_vectors}
        yield spoilt(name, content, **more | ({"expect": "either"} if name in ("dots before", "blank lines") else {}))


def _first_vectors(outcome: Outcome) -> bool:
    return outcome.value.known.vectors.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]


def _saved(content: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


class _Command:
    def __reduce__(self):
        return os.system, ("touch ran",)


def _others() -> Iterator[Case]:
    """Name pairs and the published zero-shot list."""
    for name, value in VALUES.items():
        if name != "text":
            yield case(
                f"pairs.json/a partner/{name}",
                lambda f, v=value: made.write(f / NAME_PAIRS, {"cat": v}),
                names=NAME_PAIRS,
            )
    for name, content in {"no mask class": {"cat": "whale"}, "words": ["cat", "dog"]}.items():
        yield case(f"pairs.json/{name}", lambda f, c=content: made.write(f / NAME_PAIRS, c), names=NAME_PAIRS)
    yield case("pairs.json/unknown class", lambda f: made.write(f / NAME_PAIRS, {"whale": "dog"}), names="",
               expect="right", holds=lambda o: "pairs of no class of this study: whale" in o.out)  # fmt: skip
    rows = torch.tensor([[1, 2, 1], [2, 3, 2]])
    yield case(
        "zeroshot_triplet.pytorch/valid",
        lambda f: made.write(f / ZERO_SHOT, _saved(rows)),
        names="",
        expect="right",
        holds=lambda o: o.value.known.zero_shot.tolist() == [[1, 1, 2], [2, 2, 3]],
    )
    whole = _saved(rows)
    for name, content in {
        "empty": b"", "cut": whole[:-60], "a flipped byte": whole[:200] + bytes([whole[200] ^ 255]) + whole[201:],
        "a command": _saved(_Command()), "a page": b"<html>", "a list": _saved([[1, 2, 1]]),
        "two columns": _saved(rows[:, :2]),
        "fractions": _saved(rows + 0.5), "NaN": _saved(rows * float("nan")), "class 0": _saved(rows * 0),
        "class 9": _saved(rows + 7),
        "truth values": _saved(rows > 0), "three axes": _saved(rows[None]), "complex": _saved(rows + 1j),
        "sparse": _saved(rows.to_sparse()), "a huge view": _saved(torch.ones(1, 1,
        dtype=torch.int64).expand(400_000_000, 3)),
        "on a meta device": _saved(torch.ones(3, 3, device="meta")),
    }.items():  # fmt: skip
        yield case(f"zeroshot_triplet.pytorch/{name}", lambda f, c=content: made.write(f / ZERO_SHOT, c),
            names=ZERO_SHOT,
                   expect="either" if name == "a flipped byte" else "clear")  # fmt: skip


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 80 40\n%%EndComments\n{} loop\n"


def _photos() -> Iterator[Case]:
    """Photos of both sets."""
    photos = {"11.jpg": (PHOTOS, (80, 40)), "5.png": (MASK_PHOTOS, (20, 10))}
    for name, (folder, size) in photos.items():
        for kind, spoil in kinds.FILES.items():
            yield case(f"photos/{name}/{kind}", lambda f, s=spoil, p=f"{folder}/{name}": s(f / p), names=name,
                       one_of_many=True)  # fmt: skip
        more = {
            "EPS": kinds.replaced(EPS), "EPS that draws": kinds.replaced(EPS.replace(b"{} loop", b"showpage")),
            "SVG": kinds.replaced('<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40"/>'),
            "turned": lambda p, s=size: made.photo(p, s[::-1]), "one pixel": lambda p: made.photo(p, (1, 1)),
        }  # fmt: skip
        for kind, spoil in more.items():
            yield case(f"photos/{name}/{kind}", lambda f, s=spoil, p=f"{folder}/{name}": s(f / p), names=name)
    for mode in ("L", "CMYK"):
        yield case(f"photos/11.jpg/mode {mode}", lambda f, m=mode: made.photo(f / PHOTOS / "11.jpg", (80, 40), mode=m),
            names="",
                   expect="right", holds=_is_colourful)  # fmt: skip
    for mode in ("1", "P", "LA", "RGBA", "I;16"):
        yield case(f"photos/5.png/mode {mode}", lambda f, m=mode: _of_mode(f / MASK_PHOTOS / "5.png", m), names="",
                   expect="right", holds=_is_colourful)  # fmt: skip
    yield case("photos/11.jpg/twice the size", lambda f: made.photo(f / PHOTOS / "11.jpg", (160, 80)), names="",
        expect="right",
               holds=lambda o: o.value.graphs[11].boxes[:, 2].max() > 100)  # fmt: skip
    yield case("photos/5.png/twice the size", lambda f: made.photo(f / MASK_PHOTOS / "5.png", (40, 20)), names="5.png")
    yield case("photos/5.png/13,000 pixels a side", lambda f: Image.new("1", (13_000,
        13_000)).save(f / MASK_PHOTOS / "5.png"),
               names="5.png")  # fmt: skip
    yield case("photos/11.jpg/in Visual Genome's second folder", _moved, names="", expect="right", holds=_is_whole)
    yield case("photos/folder missing", lambda f: (f / PHOTOS).rename(f / "elsewhere"), names="VG_100K")


def _of_mode(path: Path, mode: str) -> None:
    if mode == "I;16":
        Image.fromarray(np.linspace(0, 65535, 200).reshape(10, 20).astype(np.uint16)).save(path)
    else:
        made.photo(path, (20, 10), mode=mode)


def _is_colourful(outcome: Outcome) -> bool:
    return all(sample.image.float().std() > 1 for sample in (outcome.value.graphs[11], outcome.value.masks[5]))


def _moved(folder: Path) -> None:
    (folder / "graphs/VG_100K_2").mkdir()
    (folder / PHOTOS / "11.jpg").rename(folder / "graphs/VG_100K_2/11.jpg")
    (folder / "graphs/VG_100K").rename(folder / "graphs/all")
    (folder / "graphs/VG_100K").mkdir()
    (folder / "graphs/all").rename(folder / "graphs/VG_100K/VG_100K")
    (folder / "graphs/VG_100K_2").rename(folder / "graphs/VG_100K/VG_100K_2")
