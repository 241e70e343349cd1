"""A user's files are counted, judged and drawn before anything is trained."""

import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from segsg import cli
from segsg.formats import visual_genome
from segsg.formats.annotated import AnnotatedSet, Vocabulary, photo
from segsg.tools import own_data
from segsg.tools.own_files import COCO_PAIRS, of_folders, paths

NAMES = Vocabulary(("cup", "person", "<b>table</b>"), ("on", "left of", "under"))
WORDS = ("cup", "person", "<b>table</b>", "bottle")
SQUARE = [10, 10, 30, 30]


@pytest.fixture
def write(tmp_path):
    """Writes files of a set of eight photos, and returns the options of the command."""

    def made(boxes=None, relations=((0, 1, 1),), names=NAMES, words=WORDS, masks=("bottle", "person")):
        boxes = [[4, 4, 40, 40], SQUARE, [0, 0, 64, 48]] if boxes is None else boxes
        (tmp_path / "photos").mkdir()
        for number in range(8):
            Image.new("RGB", (64, 48), (200, 100, 50)).save(tmp_path / f"photos/{number}.jpg")
        photos = tuple(
            photo(f"{number}.jpg", "train" if number < 6 else "test", boxes, [1, 2, 2], list(relations))
            for number in range(8)
        )
        source = AnnotatedSet(names, photos)
        visual_genome.write(tmp_path / "graphs", source, [tmp_path / "photos"], skip_missing=False, made_of={})
        for folder in ("annotations", "images"):
            (tmp_path / "masks" / folder).mkdir(parents=True)
        Image.new("RGB", (64, 48)).save(tmp_path / "masks/images/5.jpg")
        outline = {"bbox": [10, 10, 20, 20], "segmentation": [[10, 10, 30, 10, 30, 30]], "iscrowd": 0}
        instances = {
            "images": [{"id": 5, "file_name": "5.jpg", "width": 64, "height": 48}],
            "categories": [{"id": place, "name": name} for place, name in enumerate(masks)],
            "annotations": [{"id": 1, "image_id": 5, "category_id": 0, **outline}],
        }
        (tmp_path / "masks/annotations/instances_val2017.json").write_text(json.dumps(instances))
        vectors = np.random.default_rng(0).normal(size=(len(words), 4))
        rows = (" ".join([word, *map(str, row)]) for word, row in zip(words, vectors, strict=True))
        (tmp_path / "words.txt").write_text("\n".join(rows))
        (tmp_path / "pairs.json").write_text("{}")
        return {"graphs": tmp_path / "graphs", "masks": tmp_path / "masks", "word_vectors": tmp_path / "words.txt"}

    return made


def looked(named, tmp_path):
    return own_data.read(of_folders(paths(**named), tmp_path / "pairs.json"))


def run(named, tmp_path):
    options = [word for name, path in named.items() for word in (f"--{name.replace('_', '-')}", str(path))]
    pairs = ["--name-pairs", str(tmp_path / "pairs.json")]
    return cli.main(["check-data", *options, *pairs, "--out", str(tmp_path / "out")])


def test_counts_are_those_of_a_count_by_hand(write, tmp_path):
    data = looked(write(relations=[(0, 1, 1), (1, 2, 3)]), tmp_path)
    assert {split: counts.photos for split, counts in data.counts.items()} == {"train": 5, "validation": 1, "test": 2}
    train = data.counts["train"]
    assert (train.boxes, train.relations) == (15, 10)
    assert train.of_class.tolist() == [0, 5, 10, 0] and train.of_predicate.tolist() == [0, 5, 0, 5]
    assert Counter(train.shortest.round().tolist()) == {36: 5, 20: 5, 48: 5}


def test_good_files_have_no_fault_and_say_what_is_rare(write, tmp_path):
    data = looked(write(), tmp_path)
    assert own_data.faults(data) == []
    said = own_data.concerns(data)
    assert "Classes without a training box (1): <b>table</b>." in said
    assert "Predicates without a training example (2): left of, under." in said
    assert not any("fewer than" in line or "Are their corners" in line or "No class shares" in line for line in said)


def test_boxes_in_shares_of_the_photo_are_doubted(write, tmp_path):
    shares = [[0.1, 0.1, 0.5, 0.6], [0.2, 0.2, 0.9, 0.4], [0, 0, 1, 1]]
    said = own_data.concerns(looked(write(boxes=shares), tmp_path))
    assert any("boxes are no thicker than a pixel" in line for line in said), said


def test_a_word_without_vector_stops_a_study(write, tmp_path):
    (said,) = own_data.faults(looked(write(words=("person", "bottle", "<b>table</b>")), tmp_path))
    assert said.startswith("Classes with a word that words.txt lacks (1): cup (no vector for 'cup').")


def test_a_mask_class_without_vector_stops_a_study(write, tmp_path):
    data = looked(write(words=("cup", "person", "<b>table</b>")), tmp_path)
    (said,) = own_data.faults(data)
    assert "no vector for 'bottle'" in said
    assert isinstance(own_data.concerns(data), list)


def test_no_shared_name_is_said(write, tmp_path):
    said = own_data.concerns(looked(write(masks=("bottle",)), tmp_path))
    assert any(line.startswith("No class shares its name with a mask class") for line in said)


def test_pairs_with_what_is_no_mask_class_stop_a_study(write, tmp_path):
    named = write()
    (tmp_path / "pairs.json").write_text(json.dumps({"cup": "botle", "other": "nothing"}))
    (said,) = own_data.faults(looked(named, tmp_path))
    assert "pairs classes with what is no mask class: cup (botle)" in said


def test_photos_that_are_not_there_stop_a_study(write, tmp_path):
    named = write()
    for name in ("2.jpg", "7.jpg"):
        (tmp_path / "graphs/VG_100K" / name).unlink()
    data = looked(named, tmp_path)
    (said,) = own_data.faults(data)
    assert said.endswith("(2): 2.jpg, 7.jpg.")
    assert run(named, tmp_path) == 3


def test_the_page_is_whole_and_holds_no_foreign_markup(write, tmp_path, capsys):
    assert run(write(), tmp_path) == 0
    page = (tmp_path / "out/index.html").read_text()
    assert "Your data can be read" in page and "&lt;b&gt;table&lt;/b&gt;" in page and "<b>table</b>" not in page
    assert "http://" not in page and "https://" not in page and "<script" not in page
    assert page.count("data:image/png;base64,") == 6
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {
        *(f"photo-{n}.png" for n in range(1, 6)),
        "mask-1.png",
    }
    assert "Page: " in capsys.readouterr().out


def test_a_page_of_somebody_else_stays(write, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/index.html").write_text("mine")
    assert run(write(), tmp_path) == 1
    assert "no `segsg check-data` wrote it" in capsys.readouterr().err
    assert (tmp_path / "out/index.html").read_text() == "mine"


def test_files_are_named_all_or_none(tmp_path, capsys):
    assert cli.main(["check-data", "--graphs", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "name all of --graphs, --masks and --word-vectors" in capsys.readouterr().err


def test_pairs_of_what_is_no_class_are_said(write, tmp_path):
    files = write()
    (tmp_path / "pairs.json").write_text('{"cup": "bottle", "cupp": "bottle"}')
    said = own_data.concerns(looked(files, tmp_path))
    assert any(line.endswith("pairs.json has pairs of what is no class (1): cupp.") for line in said)
    shipped = own_data.read(of_folders(paths(**files), COCO_PAIRS))
    assert not any("is no class" in line for line in own_data.concerns(shipped))
