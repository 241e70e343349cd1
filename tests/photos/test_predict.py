import json
import pydoc
import shutil
import struct

import jsonschema
import pytest
from made_graphs import MINI
from PIL import Image

import segsg
from segsg.cli import main
from segsg.photos.bundle import Bundle
from segsg.photos.graph import SCHEMA


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    first, second, _ = sorted((MINI / "samples").glob("*.jpg"))
    shutil.copyfile(first, folder / "a.jpg")
    Image.open(second).save(folder / "deep" / "a.png")
    return folder


def predict(*arguments, bundle=MINI):
    return main(["predict", *map(str, arguments), "--bundle", str(bundle)])


def test_each_photo_gets_three_files_and_all_get_an_index(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert predict("photos", "--out", "out") == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    endings = ("json", "png", "html")
    assert names == {f"{name}.{ending}" for name in ("a", "a-2") for ending in endings} | {
        "index.html",
        "relations.csv",
        "graphs.jsonl",
    }
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for name, file in (("a", "a.jpg"), ("a-2", "a.png")):
        made = json.loads((tmp_path / "out" / f"{name}.json").read_text(encoding="utf-8"))
        jsonschema.validate(made, schema)
        assert made["photo"]["file"] == file
        assert "only ever seen drawings" in made["warning"]
        assert "only ever seen drawings" in (tmp_path / "out" / f"{name}.html").read_text(encoding="utf-8")
    said = capsys.readouterr()
    assert "2 of 2 photos, 0 skipped. Page: " in said.out
    assert "never a photograph" in said.err


def test_python_saves_what_the_command_writes(photos, tmp_path):
    """Bundle, warning and what a score is are on the page, in the JSON and in the picture's title."""
    assert predict(photos / "a.jpg", "--out", tmp_path / "out") == 0
    graph = segsg.load(MINI, "cpu").predict(photos / "a.jpg")
    for ending in ("html", "png"):
        graph.save(tmp_path / f"a.{ending}", photo="a.jpg")
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / "out" / f"a.{ending}").read_bytes()
    graph.save(tmp_path / "a.json", photo="a.jpg")
    saved, written = (json.loads((folder / "a.json").read_text()) for folder in (tmp_path, tmp_path / "out"))
    assert saved.items() <= written.items() and written.keys() - saved.keys() == {"run", "sha256"}
    assert "with the bundle “mini-motifs-fpn-sgdet-seg”" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_the_same_photos_give_the_same_files_however_many_at_a_time(photos, tmp_path):
    assert predict(photos, "--out", tmp_path / "one", "--batch", 1) == 0
    assert predict(photos, "--out", tmp_path / "again", "--batch", 1) == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_a_broken_photo_is_named_and_skipped_and_the_others_are_done(photos, tmp_path, capsys):
    (photos / "broken.jpg").write_text("no photo")
    assert predict(photos, "--out", tmp_path / "out", "--batch", 2) == 1
    said = capsys.readouterr()
    assert "broken.jpg: photo: cannot be decoded" in said.err
    assert "2 of 3 photos, 1 skipped." in said.out
    assert not (tmp_path / "out" / "broken.json").exists()
    assert "broken.jpg" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("segsg.photos.results.overlay", OSError(36, "File name too long", "a")),
        ("segsg.photos.results.photo_page", RuntimeError("odd")),
        ("predict", MemoryError()),
    ],
)
def test_a_photo_that_fails_later_takes_no_other_down(where, error, photos, tmp_path, monkeypatch, capsys):
    shutil.copyfile(photos / "a.jpg", photos / "b.jpg")
    if where == "predict":
        calls, predict_all = [], Bundle.predict_all

        def fail(self, pixels, *options):
            calls.append(len(pixels))
            if len(pixels) > 1 or len(calls) == 2:  # all together, and the first alone
                raise error
            return predict_all(self, pixels, *options)

        monkeypatch.setattr(Bundle, "predict_all", fail)
    else:
        called, function = [], pydoc.locate(where)

        def once(*arguments, **options):
            called.append(1)
            if len(called) == 1:
                raise error
            return function(*arguments, **options)

        monkeypatch.setattr(where, once)
    assert predict(photos, "--out", tmp_path / "out") == 1
    said = capsys.readouterr()
    assert "Skipped: " in said.err and "a.jpg: " in said.err and "2 of 3 photos, 1 skipped." in said.out
    assert {path.stem for path in (tmp_path / "out").glob("*.html")} == {"b", "a-2", "index"}
    assert not list((tmp_path / "out").glob("a.*"))


def test_a_full_disk_ends_the_run_in_one_line(photos, tmp_path, monkeypatch, capsys):
    def full(*arguments):
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr("segsg.photos.results.save", full)
    assert predict(photos, "--out", tmp_path / "out") == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "somewhere: No space left on device; free some space, then run the same command again"
    )


def test_names_of_any_length_and_malformed_tags_are_no_obstacle(photos, tmp_path):
    shutil.copyfile(photos / "a.jpg", photos / f"{'会' * 83}.jpg")
    turned, resolution = (0x0112, 3, 1, 6 << 16), (0x011A, 2, 4, int.from_bytes(b"abc\0"))  # text, not a number
    tags = b"Exif\0\0MM\0*" + struct.pack(">IHHHIIHHIII", 8, 2, *turned, *resolution, 0)
    Image.open(photos / "a.jpg").crop((0, 0, 160, 120)).save(photos / "b.jpg", exif=tags)
    assert predict(photos, "--out", tmp_path / "out") == 0
    assert json.loads((tmp_path / "out" / "b.json").read_text())["photo"]["height"] == 160
    assert (tmp_path / "out" / f"{'会' * 66}.html").is_file()


def test_one_photo_has_a_page_and_no_index(photos, tmp_path, capsys):
    assert predict(photos / "a.jpg", "--out", tmp_path / "out", "--top", 2, "--threshold", 0) == 0
    assert not (tmp_path / "out" / "index.html").exists()
    assert "index.html" not in (tmp_path / "out" / "a.html").read_text(encoding="utf-8")
    assert len(json.loads((tmp_path / "out" / "a.json").read_text())["relations"]) == 2
    assert capsys.readouterr().out.rstrip().endswith("out/a.html")


def test_an_older_index_gives_way_to_one_of_this_run(photos, tmp_path, capsys):
    assert predict(photos, "--out", tmp_path / "out") == 0
    assert predict(photos / "a.jpg", "--out", tmp_path / "out") == 0
    index = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "a.html" in index and "a-2.html" not in index
    assert "index.html" in (tmp_path / "out" / "a.html").read_text(encoding="utf-8")


def test_nothing_but_broken_photos(tmp_path, capsys):
    (tmp_path / "a.jpg").touch()
    assert predict(tmp_path / "a.jpg", "--out", tmp_path / "out") == 1
    said = capsys.readouterr()
    assert said.out == "0 of 1 photos, 1 skipped.\n" and "photograph" not in said.err


@pytest.mark.parametrize(
    ("place", "options", "said"),
    [
        ("nowhere.jpg", [], "no such photo or folder"),
        ("empty", [], "no photo in it"),
        ("photos", ["--threshold", 2], "a score lies between 0 and 1"),
    ],
)
def test_a_run_that_cannot_begin_ends_with_two(place, options, said, photos, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert predict(tmp_path / place, "--out", tmp_path / "out", *options) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_bundle_or_a_file_as_target_ends_with_two(photos, tmp_path, capsys):
    assert predict(photos, "--out", tmp_path / "out", bundle=photos) == 2
    assert "bundle.json" in capsys.readouterr().err
    assert predict(photos, "--out", photos / "a.jpg") == 2
    assert "a.jpg: is a file; name a folder" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--batch", "0"], ["--top", "-1"]])
def test_impossible_numbers_are_refused_by_the_command_line(option, photos, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        predict(photos, "--out", tmp_path / "out", *option)
    assert stopped.value.code == 2


def test_regions_from_a_file_are_related_and_what_is_left_out_is_said(photos, tmp_path, capsys):
    rows = [
        {"class": "horse", "box": [46, 71, 111, 136], "score": 0.9},
        {"class": "boy", "box": [70, 55, 90, 100], "score": 0.8, "mask": [[72, 56, 88, 56, 88, 98, 72, 98]]},
        {"class": "car", "box": [1, 1, 9, 9]},
    ]
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps({"a.jpg": rows, "other.jpg": []}))
    options = ("--detections", file, "--threshold", 0, "--only", "json")
    assert predict(photos, "--out", tmp_path / "out", *options) == 0
    said = capsys.readouterr().err
    assert "1 of 2 photos have no entry" in said and "1 of its 2 entries are of no photo" in said
    assert "1 regions left out: the bundle mini-motifs-fpn-sgdet-seg has no class car; rename them" in said
    made = json.loads((tmp_path / "out" / "a.json").read_text())
    jsonschema.validate(made, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [(r["class"], r["score"], r["mask_from"]) for r in made["regions"]] == [
        ("horse", 0.9, "found"),
        ("boy", 0.8, "given"),
    ]
    assert len(made["relations"]) == 2
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "a.json", "a-2.json", "relations.csv", "graphs.jsonl"
    }  # fmt: skip
    table = (tmp_path / "out" / "relations.csv").read_text().splitlines()
    assert len(table) == 3 and table[0].startswith("photo,subject,predicate,object,score")
    assert len((tmp_path / "out" / "graphs.jsonl").read_text().splitlines()) == 2
    assert predict(photos / "a.jpg", "--out", tmp_path / "named", *options, "--task", "sgcls") == 0
    assert len(json.loads((tmp_path / "named" / "a.json").read_text())["regions"]) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--detections", "nowhere.json"], "nowhere.json: file: cannot be read"),
        (["--task", "sgcls"], "name their file with --detections"),
        (["--device", "moon"], "device moon: cannot be used here"),
    ],
)
def test_bad_options_of_regions_and_devices_end_with_two(options, said, photos, tmp_path, capsys):
    assert predict(photos, "--out", tmp_path / "out", *options) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_resumed_run_computes_only_what_is_missing_or_of_another_run(photos, tmp_path, monkeypatch):
    out, calls, predict_all = tmp_path / "out", [], Bundle.predict_all

    def counted(self, pixels, *options):
        calls.append(len(pixels))
        return predict_all(self, pixels, *options)

    monkeypatch.setattr(Bundle, "predict_all", counted)
    options = ("--out", out, "--batch", 1)
    assert predict(photos, *options) == 0
    files = {path.name: path.read_bytes() for path in out.iterdir()}
    assert predict(photos, *options, "--resume") == 0
    assert len(calls) == 2
    (out / "a.html").unlink()
    assert predict(photos, *options, "--resume") == 0
    assert len(calls) == 3
    assert {path.name: path.read_bytes() for path in out.iterdir()} == files
    assert predict(photos, *options, "--resume", "--top", 3) == 0
    assert len(calls) == 5


def test_a_pattern_stands_for_photos(photos, tmp_path, capsys):
    assert predict(photos / "*.jpg", "--out", tmp_path / "out", "--only", "json") == 0
    assert predict(photos / "*.png", "--out", tmp_path / "none") == 2
    assert "no photo in it" in capsys.readouterr().err
