"""Every way a scene graph file can be wrong is one line that names the file, the item, the rule and a way out."""

import io
import pickle
import re
import struct
from pickle import UnpicklingError

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from segsg.data.visual_genome import SceneGraphSet, read_zero_shot
from segsg.data.visual_genome_file import owners
from segsg.files import DataError


def put(key, row, value):
    def change(files):
        files.arrays[key][row] = value

    return change


def put_both(kind, row, first, last):
    def change(files):
        files.arrays[f"img_to_first_{kind}"][row], files.arrays[f"img_to_last_{kind}"][row] = first, last

    return change


def image(row, **values):
    return lambda files: files.images[row].update(values)


BAD = {
    "missing key": (lambda files: files.arrays.pop("predicates"), "key 'predicates': is missing"),
    "wrong width": (lambda files: files.arrays.update(boxes_1024=[[1, 2, 3]] * 9), "not whole numbers"),
    "wrong length": (lambda files: files.arrays["labels"].pop(), "key 'labels': has 8 rows instead of 9"),
    "backwards": (put_both("box", 3, 6, 5), "image 14: box rows 6..5 are not a range"),
    "overlapping": (put_both("box", 3, 4, 6), "image 14: box rows 4..6 are shared with another image"),
    "half none": (put_both("box", 0, -1, 2), "image 11: box rows -1..2 are not a range"),
    "half none, relations": (put_both("rel", 0, 0, -1), "image 11: relation rows 0..-1 are not a range"),
    "past the end": (put_both("box", 4, 7, 9), "image 15: box row 9 is past the last row, 8"),
    "past the end, relations": (put_both("rel", 4, 5, 7), "image 15: relation row 7 is past the last row, 6"),
    "no area": (put("boxes_1024", 6, [10, 10, 0, 5]), r"image 14, box row 6: box of size \[0, 5\] has no area"),
    "centre": (put("boxes_1024", 6, [-10, 10, 5, 5]), r"image 14, box row 6: box centre \[-10, 10\] is negative"),
    "class": (put("labels", 4, [4]), "image 13, box row 4: class label 4 is not among the vocabulary's 1..3"),
    "class 0": (put("labels", 4, [0]), "class label 0 is not among"),
    "predicate": (put("predicates", 2, [3]), "image 14, relation row 2: predicate label 3 is not among"),
    "leaves image": (put("relationships", 2, [5, 2]), r"image 14, relation row 2: joins box rows \[5, 2\]"),
    "leaves image at its end": (put("relationships", 2, [7, 5]), r"image 14, relation row 2: joins box rows \[7, 5\]"),
    "shared relations": (put_both("rel", 2, 0, 0), "image 13: relation rows 0..0 are shared with another image"),
    "split": (put("split", 1, 7), "image 12: split 7 is neither"),
    "duplicate id": (image(3, image_id=11), "image 11: appears more than once"),
    "image without height": (lambda files: files.images[2].pop("height"), "image 13: has no 'height'"),
    "image of no size": (image(2, height=0), "image 13: 'height' is 0, less than 1"),
    "list too short": (lambda files: files.images.pop(), "lists 4 images, but the annotations have 5 rows"),
    "gap in names": (
        lambda files: files.names["label_to_idx"].update(hat=5),
        "'label_to_idx': numbers are not 1",
    ),
    "names from 0": (
        lambda files: files.names["label_to_idx"].update(background=0),
        "'background' is the name of",
    ),
    "names from 0, otherwise": (lambda files: files.names["label_to_idx"].update(none=0), "numbers are not 1, 2, 3"),
    "numbers as text": (lambda files: files.names["label_to_idx"].update(hat="3"), "'hat' is '3', not a whole number"),
    "a number for two names": (lambda files: files.names["label_to_idx"].update(hat=2), "each for one name"),
    "no name": (lambda files: files.names["label_to_idx"].update({"": 4}), "'' is no name"),
    "half a character": (lambda files: files.names["label_to_idx"].update({"\ud800": 4}), "is no name"),
    "two lines": (lambda files: files.names["predicate_to_idx"].update({"on\ntop": 3}), "is no name"),
    "unsigned id": (image(2, image_id=2**63), "entry 2: 'image_id' is 9223372036854775808, more than"),
    "negative id": (image(2, image_id=-1), "entry 2: 'image_id' is -1, less than 0"),
    "id of nan": (image(2, coco_id=float("nan")), "image 13: 'coco_id' is nan, not a whole number"),
    "id as text": (image(2, coco_id="901"), "image 13: 'coco_id' is '901', not a whole number"),
    "id of false": (image(2, coco_id=False), "image 13: 'coco_id' is False, not a whole number"),
    "image of a share": (image(2, width=80.0), "image 13: 'width' is 80.0, not a whole number"),
    "image of no end": (image(2, width=10**12), "image 13: 'width' is 1000000000000, more than"),
    "itself": (put("relationships", 2, [5, 5]), "image 14, relation row 2: joins box row 5 with itself.*; leave such"),
    "far away": (
        put("boxes_1024", 6, [10, 10, 2**30, 5]),
        "image 14, box row 6: box .* is beyond twice the longer side",
    ),
    "no names": (lambda files: files.names.pop("predicate_to_idx"), "has no 'predicate_to_idx'"),
}


@pytest.mark.parametrize("change, message", BAD.values(), ids=BAD)
def test_bad_files(graph_files, change, message):
    change(graph_files)
    with pytest.raises(DataError, match=message) as caught:
        SceneGraphSet(*graph_files.write(), "train")
    assert caught.value.path.exists() and "\n" not in str(caught.value) and "; " in str(caught.value)


def test_a_relation_in_an_image_without_boxes(graph_files):
    put_both("box", 4, -1, -1)(graph_files)
    with pytest.raises(DataError, match=r"image 15, relation row 5: joins box rows \[7, 8\]"):
        SceneGraphSet(*graph_files.write(), "train")


def test_a_split_without_images(graph_files):
    with pytest.raises(DataError, match="split 'train': has no image; change validation_images"):
        SceneGraphSet(*graph_files.write(), "train", validation_images=9)


@pytest.mark.parametrize("place, message", [(0, "is not readable HDF5"), (1, "is not JSON"), (2, "is not JSON")])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_a_failed_download(graph_files, place, message, content):
    graph_files.write()[place].write_bytes(content)
    with pytest.raises(DataError, match=message):
        SceneGraphSet(*graph_files.arguments, "train")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_missing_file(graph_files, place):
    graph_files.write()[place].unlink()
    with pytest.raises(DataError, match=str(graph_files.arguments[place])):
        SceneGraphSet(*graph_files.arguments, "train")


def test_a_file_cut_short(graph_files):
    path = graph_files.write()[0]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="is not readable HDF5"):
        SceneGraphSet(*graph_files.arguments, "train")


def test_a_missing_photo(graph_files):
    data = SceneGraphSet(*graph_files.write(), "train")
    (graph_files.folder / "photos" / "14.jpg").unlink()
    with pytest.raises(DataError, match=r"14\.jpg: photo: is missing; put"):
        data[1]


def test_a_photo_cut_short(graph_files):
    data = SceneGraphSet(*graph_files.write(), "train")
    path = graph_files.folder / "photos" / "14.jpg"
    Image.effect_noise((80, 40), 90).save(path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(DataError, match=r"14\.jpg: photo: cannot be decoded"):
        data[1]


def test_a_photo_of_another_shape(graph_files):
    data = SceneGraphSet(*graph_files.write(), "train")
    graph_files.photo("14.jpg", (40, 80))
    with pytest.raises(DataError, match=r"14\.jpg: photo: is \(80, 40\).*image_data.json says \(40, 80\)"):
        data[1]


def test_rows_that_no_image_owns_are_not_read(graph_files):
    graph_files.arrays["relationships"].append([0, 8])
    graph_files.arrays["predicates"].append([1])
    assert len(SceneGraphSet(*graph_files.write(), "train")) == 2


def test_owners_of_rows(graph_files):
    with h5py.File(graph_files.write()[0]) as file:
        ranges = torch.tensor([file["img_to_first_box"][:].tolist(), file["img_to_last_box"][:].tolist()]).T.numpy()
    assert owners(ranges, 10).tolist() == [0, 0, 0, 2, 2, 3, 3, 4, 4, -1]


@pytest.mark.parametrize("rows, message", [([[1, 2]], "three labels"), ([[1, 4, 1]], "beyond the vocabulary")])
def test_bad_zero_shot_triplets(graph_files, tmp_path, rows, message):
    torch.save(torch.tensor(rows), tmp_path / "triplets")
    vocabulary = SceneGraphSet(*graph_files.write(), "train").vocabulary
    with pytest.raises(DataError, match=message):
        read_zero_shot(tmp_path / "triplets", vocabulary)


class Code:
    def __reduce__(self):
        return print, ("this ran",)


def saved(content, legacy=False):
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


TRIPLETS = torch.tensor([[1, 2, 1], [2, 1, 1]])


@pytest.mark.parametrize(
    ("content", "raised"),
    [
        pytest.param(b"", EOFError, id="empty"),
        pytest.param(saved(TRIPLETS)[:-40], RuntimeError, id="zip cut short"),
        pytest.param(saved(TRIPLETS, legacy=True)[:-8], RuntimeError, id="legacy cut short"),
        pytest.param(b"<html>not found</html>", UnpicklingError, id="page"),
        pytest.param(b"html", KeyError, id="text that refers to nothing"),
        pytest.param(b". . .", IndexError, id="text that takes from nothing"),
        pytest.param(b"J\0", struct.error, id="half a number"),
        pytest.param(b"X\1\0\0\0\xff", UnicodeDecodeError, id="no text"),
        pytest.param(b"}]K\1s.", TypeError, id="a list as a key"),
        pytest.param(saved(TRIPLETS, legacy=True).replace(b"storage", b"sporage"), UnpicklingError, id="other bytes"),
        pytest.param(pickle.dumps(Code()), UnpicklingError, id="pickle with code"),
        pytest.param(saved(Code()), UnpicklingError, id="zip with code"),
        pytest.param(saved(Code(), legacy=True), UnpicklingError, id="legacy with code"),
        pytest.param(pickle.dumps([[1, 2, 1]]), UnpicklingError, id="pickle of a list"),
    ],
)
def test_files_of_zero_shot_triplets_that_hold_no_tensor(graph_files, tmp_path, capsys, content, raised):
    path = tmp_path / "triplets"
    path.write_bytes(content)
    vocabulary = SceneGraphSet(*graph_files.write(), "train").vocabulary
    with pytest.raises(DataError, match="triplets: file: cannot be read as a tensor") as caught:
        read_zero_shot(path, vocabulary)
    assert type(caught.value.__cause__) is raised
    assert "\n" not in str(caught.value) and "weights_only" not in str(caught.value)
    assert capsys.readouterr().out == ""


def test_a_storage_that_a_legacy_file_does_not_announce(graph_files, tmp_path):
    content = saved(TRIPLETS, legacy=True)
    key = re.search(rb"X(....)(\d+)q", content, re.DOTALL)[2]
    (tmp_path / "triplets").write_bytes(content[::-1].replace(key[::-1], b"0" * len(key), 1)[::-1])
    with pytest.raises(DataError, match="cannot be read as a tensor") as caught:
        read_zero_shot(tmp_path / "triplets", SceneGraphSet(*graph_files.write(), "train").vocabulary)
    assert type(caught.value.__cause__) is AssertionError


def test_zero_shot_triplets_that_are_not_there(graph_files, tmp_path):
    with pytest.raises(DataError, match=r"absent: file: cannot be read as a tensor \(FileNotFoundError\)"):
        read_zero_shot(tmp_path / "absent", SceneGraphSet(*graph_files.write(), "train").vocabulary)


def test_a_legacy_file_of_zero_shot_triplets_is_read(graph_files, tmp_path):
    (tmp_path / "triplets").write_bytes(saved(TRIPLETS, legacy=True))
    vocabulary = SceneGraphSet(*graph_files.write(), "train").vocabulary
    assert read_zero_shot(tmp_path / "triplets", vocabulary).tolist() == [[1, 1, 2], [2, 1, 1]]


def store(key, **how):
    """Stores an array of the file in another way."""

    def change(file):
        values = file[key][()]
        del file[key]
        file.create_dataset(key, **({"data": values} | how))

    return change


def replace(key, put):
    def change(file):
        del file[key]
        put(file)

    return change


HUGE = 400_000_000
STORED = {
    "group": (replace("labels", lambda f: f.create_group("labels")), "key 'labels': is a group, not an array"),
    "text": (replace("labels", lambda f: f.update({"labels": "man"})), "key 'labels': is object \\(\\), not whole"),
    "texts": (store("labels", data=np.array([b"man"] * 9)), r"key 'labels': is \|S3 \(9,\), not whole numbers"),
    "fractions": (store("labels", dtype=float), r"key 'labels': is float64 \(9, 1\), not whole numbers"),
    "truth values": (store("labels", data=np.ones(9, dtype=bool)), r"key 'labels': is bool \(9,\), not whole"),
    "compound": (store("labels", data=np.zeros(9, dtype=[("a", "i4")])), "key 'labels': is .*, not whole numbers"),
    "one number": (store("labels", data=1), r"key 'labels': is int64 \(\), not whole numbers"),
    "no number": (store("labels", data=h5py.Empty("i4")), r"key 'labels': is int32 \(\), not whole numbers"),
    "wide": (store("labels", data=np.ones((9, 2), dtype=int)), r"is int64 \(9, 2\), not whole numbers \[rows, 1\]"),
    "deep": (store("labels", data=np.ones((9, 1, 1), dtype=int)), r"is int64 \(9, 1, 1\), not whole numbers"),
    "beyond 64 bits": (store("labels", data=np.full(9, 2**63, dtype=np.uint64)), "key 'labels': has numbers beyond"),
    "soft link": (replace("labels", lambda f: f.update({"labels": h5py.SoftLink("/split")})), "'labels': is a link"),
    "lost link": (replace("labels", lambda f: f.update({"labels": h5py.SoftLink("/none")})), "'labels': is a link"),
    "other file": (replace("labels", lambda f: f.update({"labels": h5py.ExternalLink("a", "/b")})), "is a link"),
    "type": (replace("labels", lambda f: f.update({"labels": np.dtype("i4")})), "'labels': is a group, not an array"),
    "huge": (store("split", data=None, shape=(HUGE,), dtype="i4", chunks=(1000,)), f"'split': has {HUGE} rows"),
    "huge chunks": (
        store("labels", data=None, shape=(9,), maxshape=(None,), dtype="i4", chunks=(HUGE,)),
        rf"'labels': has 9 rows, in chunks of \({HUGE},\)",
    ),
}


@pytest.mark.parametrize("change, message", STORED.values(), ids=STORED)
def test_arrays_that_are_stored_in_another_way(graph_files, change, message):
    with h5py.File(graph_files.write()[0], "r+") as file:
        change(file)
    with pytest.raises(DataError, match=message) as caught:
        SceneGraphSet(*graph_files.arguments, "train")
    assert "\n" not in str(caught.value)


def test_an_array_whose_numbers_lie_in_another_file(graph_files):
    path = graph_files.write()[0]
    (path.parent / "other").write_bytes(np.ones(9, dtype=np.int32).tobytes())
    with h5py.File(path, "r+") as file:
        del file["labels"]
        outside = [(str(path.parent / "other"), 0, 36)]
        file.create_dataset("labels", shape=(9,), dtype="i4", external=outside)
    with pytest.raises(DataError, match="key 'labels': keeps its numbers in another file; store the array itself"):
        SceneGraphSet(*graph_files.arguments, "train")


@pytest.mark.parametrize("how", [{"compression": "gzip"}, {"fletcher32": True}])
def test_a_damaged_chunk(graph_files, how):
    path = graph_files.write()[0]
    with h5py.File(path, "r+") as file:
        store("boxes_1024", chunks=(9, 4), **how)(file)
        place = file["boxes_1024"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 4 : place + 12] = b"\xff" * 8
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"VG-SGG\.h5: .*is not readable HDF5 .*; correct its path") as caught:
        SceneGraphSet(*graph_files.arguments, "train")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", [{"compression": "gzip"}, {"dtype": "u1"}, {"dtype": ">i8"}, {"chunks": True}])
def test_whole_numbers_stored_in_any_way_are_read(graph_files, how):
    with h5py.File(graph_files.write()[0], "r+") as file:
        store("labels", **how)(file)
    assert SceneGraphSet(*graph_files.arguments, "train").annotation(0)[1].tolist() == [1, 2, 3]


def test_a_list_in_another_order_is_seen_from_centres_outside_their_photos(graph_files):
    graph_files.images[3].update(width=40, height=80)
    graph_files.arrays["boxes_1024"][5] = [256, 900, 512, 200]
    assert len(SceneGraphSet(*graph_files.write(), "train")) == 2
    graph_files.images.reverse()
    with pytest.raises(DataError, match=r"image 12, box row 5: 1 of 9 box centres lie outside.*; list the images"):
        SceneGraphSet(*graph_files.write(), "train")


@pytest.mark.parametrize(("outside", "refused"), [(2, False), (3, True)])
def test_two_centres_in_a_hundred_may_lie_outside_their_photo(graph_files, outside, refused):
    graph_files.arrays["img_to_last_box"][-1] = 99
    graph_files.arrays["labels"] += [[1]] * 91
    graph_files.arrays["boxes_1024"] += [[500, 250, 100, 100]] * 91
    for row in range(outside):
        graph_files.arrays["boxes_1024"][row] = [500, 600, 100, 100]
    if refused:
        with pytest.raises(DataError, match="3 of 100 box centres lie outside"):
            SceneGraphSet(*graph_files.write(), "train")
    else:
        graphs = SceneGraphSet(*graph_files.write(), "train")
        assert len(graphs) == 2
        (remark,) = graphs.remarks
        assert remark.endswith("VG-SGG.h5: 2 boxes have their centre outside their photo, and are clipped to it")


NO_TRIPLETS = {
    "fractions": torch.tensor([[1.5, 1, 1]]),
    "nan": torch.tensor([[float("nan"), 1, 1]]),
    "truth values": torch.ones(2, 3).bool(),
    "endless": torch.ones(1, 3).long().expand(2**40, 3),
    "nowhere": torch.ones(2, 3, device="meta").long(),
    "sparse": torch.ones(2, 3).long().to_sparse(),
}


@pytest.mark.parametrize("rows", NO_TRIPLETS.values(), ids=NO_TRIPLETS)
def test_zero_shot_triplets_that_are_no_whole_numbers(graph_files, tmp_path, rows):
    torch.save(rows, tmp_path / "triplets")
    vocabulary = SceneGraphSet(*graph_files.write(), "train").vocabulary
    with pytest.raises(DataError, match=r"triplets: file: (is not a tensor of|cannot be read as a)"):
        read_zero_shot(tmp_path / "triplets", vocabulary)
