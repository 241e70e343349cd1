"""Photos, bundles and places for results of `segsg predict`."""

import hashlib
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kinds
import made
import numpy as np
import torch
import warm
from data_cases import EPS
from harness import Case, Outcome
from kinds import MISSING, VALUES, put
from PIL import Image
from safetensors.torch import load_file, save_file

from segsg import cli


def predict(*photos: str, out: str = "out", more: tuple[str, ...] = ()) -> Callable[[Path], int]:
    """`segsg predict` on photos of the folder, with its bundle."""
    return lambda folder: cli.main(["predict", *photos, "--bundle", "bundle", "--out", out, *more])


def case(name: str, write: Callable[[Path], Any], act: Callable[[Path], Any], **more: Any) -> Case:
    """A photo that is fine, a bundle, a change, and a command."""

    def build(folder: Path) -> None:
        made.photo(folder / "photos" / "fine.jpg", (80, 60))
        shutil.copytree(warm.made_here["bundle"], folder / "bundle")
        write(folder)

    return Case(f"photos_bundles/{name}", build, act, **more)


def cases() -> Iterator[Case]:
    """All cases of this module."""
    yield case("valid", lambda f: None, predict("photos"), expect="right", holds=_drawn("fine"))
    for part in (_bad_photos, _odd_photos, _names, _outputs, _manifests, _parts, _options, _writing):
        yield from part()


def graph(outcome: Outcome, name: str) -> dict:
    """The JSON of a photo."""
    return json.loads((outcome.folder / "out" / f"{name}.json").read_text())


def _drawn(*names: str, size: tuple[int, int] | None = None, dark: bool = False) -> Callable[[Outcome], bool]:
    """JSON, picture and page are there for each photo, of this size, and the picture is not black."""

    def holds(outcome: Outcome) -> bool:
        for name in names:
            found = graph(outcome, name)["photo"]
            assert size in (None, (found["width"], found["height"])), found
            with Image.open(outcome.folder / "out" / f"{name}.png") as picture:
                assert dark or np.asarray(picture.convert("L")).std() > 3, "black"
            assert (outcome.folder / "out" / f"{name}.html").is_file()
        return True

    return holds


def _skipped(named: str, count: int = 1) -> Callable[[Outcome], bool]:
    """The fine photo has results, and a line says that the other was skipped."""

    def holds(outcome: Outcome) -> bool:
        assert outcome.code == 1, f"exit code {outcome.code}"
        said = [line for line in outcome.err.splitlines() if "Skipped" in line]
        assert len(said) == count and named in said[0], outcome.err[-200:]
        assert "Warning" not in outcome.err, outcome.err[-200:]
        return _drawn("fine")(outcome)

    return holds


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, rows: bytes = b"") -> bytes:
    """A grey PNG that declares any size, and holds what it is given."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _bad_photos() -> Iterator[Case]:
    """Photos that cannot be read, alone and beside a fine one."""
    text_bomb = _chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(1 << 28), 1))
    spoilt: dict[str, Callable[[Path], Any]] = {
        "empty": kinds.replaced(b""), "a page": kinds.replaced("<!DOCTYPE html><html></html>"),
        "binary": kinds.replaced(bytes(range(256)) * 9),
        "cut": lambda p: (Image.effect_noise((80, 60), 90).save(p), kinds.FILES["cut"](p)),
        "zeros": kinds.FILES["zeros"],
        "EPS that never ends": kinds.replaced(EPS), "EPS": kinds.replaced(EPS.replace(b"{} loop", b"showpage")),
        "SVG": kinds.replaced('<svg xmlns="http://www.w3.org/2000/svg"/>'), "PDF": kinds.replaced(b"%PDF-1.4\n%%EOF"),
        "PSD": kinds.replaced(b"8BPS\0\1" + bytes(100)),
        "another magic": lambda p: kinds.flipped(0.0)(p), "PNG of 10**9 pixels a side": kinds.replaced(png(10**9,
        10**9)),
        "PNG of 0 pixels": kinds.replaced(png(0, 0)), "PNG of 13,000 a side": lambda p: Image.new("1", (13_000,
        13_000)).save(p, "PNG"),
        "PNG with a text of 256 MB": kinds.replaced(png(80, 60, text_bomb, rows=bytes(81 * 60))),
        "PNG without pixels": kinds.replaced(png(80, 60)),
        "PNG with more pixels than it says": kinds.replaced(png(80, 60, rows=bytes(1 << 28))[:-30]),
        "unreadable": kinds.unreadable,
        "TIFF of 60,000 a side": kinds.replaced(_tiff(60_000, 60_000)),
        "WEBP header": kinds.replaced(b"RIFF\x24\0\0\0WEBPVP8 " + bytes(24)),
        "BMP of negative size": kinds.replaced(b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, -80, -60, 1, 24, 0,
        0, 0, 0, 0, 0)),
        "GIF header": kinds.replaced(b"GIF89a\xff\xff\xff\xff\0\0\0"), "one row of 10**8": kinds.replaced(png(10**8,
        1)),
    }  # fmt: skip
    for name, spoil in spoilt.items():
        alone = {"PNG with a text of 256 MB": "either", "PNG with more pixels than it says": "either"}.get(
            name, "clear"
        )
        yield case(f"photo alone/{name}", lambda f, s=spoil: (made.photo(f / "photos/fine.jpg", (80, 60)),
            s(f / "photos/fine.jpg")),
                   predict("photos/fine.jpg"), names="fine.jpg", expect=alone)  # fmt: skip
        if alone == "clear" and name != "unreadable":
            yield case(f"photo beside/{name}", lambda f, s=spoil: (made.photo(f / "photos/bad.jpg", (80, 60)),
                s(f / "photos/bad.jpg")),
                       predict("photos"), expect="right", codes=(1,), holds=_skipped("bad.jpg"),
                       one_of_many=name not in ("empty", "EPS that never ends"))  # fmt: skip


def _tiff(width: int, height: int) -> bytes:
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (278, 4, 1, height),
        (279, 4, 1, 100),
    ]
    return (
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", len(tags))
        + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        + bytes(200)
    )


def _exif(change: Callable[[Image.Exif], Any]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        exif = Image.Exif()
        change(exif)
        made.photo(path, (80, 60), exif=exif)

    return write


def _raw_exif(content: bytes) -> Callable[[Path], None]:
    return lambda path: made.photo(path, (80, 60), exif=b"Exif\0\0" + content)


def _odd_photos() -> Iterator[Case]:
    """Photos that are read, whatever they are like."""

    def saved(picture: Callable[[], Image.Image], ending: str, **more: Any) -> Callable[[Path], str]:
        return lambda folder: picture().save(folder / f"photos/odd{ending}", **more)

    def colours() -> Image.Image:
        picture = Image.new("RGB", (80, 60), (200, 100, 50))
        picture.paste((20, 30, 90), (20, 20, 50, 50))
        return picture

    ramp = np.linspace(0, 1, 80 * 60, dtype=np.float32).reshape(60, 80)
    for name, write in {
        "grey": saved(lambda: colours().convert("L"), ".jpg"), "CMYK": saved(lambda: colours().convert("CMYK"), ".jpg"),
        "palette": saved(lambda: colours().convert("P"), ".png"),
        "palette with a transparent colour": saved(lambda: colours().convert("P"), ".png", transparency=0),
        "two levels": saved(lambda: colours().convert("1"), ".png"),
        "with alpha": saved(lambda: colours().convert("RGBA"), ".png"),
        "grey with alpha": saved(lambda: colours().convert("LA"), ".png"),
        "16 bits": saved(lambda: Image.fromarray((ramp * 65535).astype(np.uint16)), ".png"), 
        "WEBP": saved(colours, ".webp"), "BMP": saved(colours, ".bmp"), "GIF": saved(colours, ".gif"),
        "frames": saved(colours, ".gif", save_all=True, append_images=[colours()]),
        "another ending": lambda f: colours().save(f / "photos/odd.jpg", "PNG"),
        "bytes behind": lambda f: (colours().save(f / "photos/odd.jpg"),
        (f / "photos/odd.jpg").open("ab").write(b"junk" * 99)),
        "progressive": saved(colours, ".jpg", progressive=True),
    }.items():  # fmt: skip
        yield case(
            f"odd photo/{name}", write, predict("photos"), expect="right", holds=_drawn("fine", "odd", size=None)
        )
    either = lambda o: _drawn("fine", "odd")(o) if o.code == 0 else _skipped("odd")(o)  # noqa: E731
    for name, values in {
        "shares": ramp,
        "shares with NaN": np.where(ramp > 0.9, np.nan, ramp),
        "numbers to 255": ramp * 255,
        "huge numbers": ramp * 1e30,
        "negative": -ramp * 100,
        "of 32 bits": None,
    }.items():
        yield case(f"odd photo/fractions: {name}", lambda f,
            v=values: Image.fromarray((ramp * 60000).astype(np.int32) if v is None
            else v.astype(np.float32)).save(f / "photos/odd.tif"), predict("photos"),
                   expect="right", codes=(0, 1), holds=either)  # fmt: skip
    for width, height in ((1, 1), (1, 2000), (2000, 1), (3, 3), (4000, 30)):
        yield case(f"odd photo/{width} x {height}", lambda f, s=(width, height): made.photo(f / "photos/odd.jpg", s),
            predict("photos"), expect="right",
                   holds=_drawn("fine", "odd", size=None, dark=True))  # fmt: skip
    yield case("odd photo/turned by EXIF", lambda f: _exif(lambda e: e.update({0x0112: 6}))(f / "photos/fine.jpg"),
        predict("photos"), expect="right",
               holds=_drawn("fine", size=(60, 80)))  # fmt: skip
    head = b"II*\0\x08\0\0\0\x01\0"
    for name, write in {
        "orientation 99": _exif(lambda e: e.update({0x0112: 99})),
        "orientation a word": _raw_exif(head + struct.pack("<HHI4s", 0x0112, 2, 4, b"abc\0") + bytes(4)),
        "junk": _raw_exif(b"\xff" * 40), "cut": _raw_exif(head + b"\x12"),
        "no directory": _raw_exif(b"II*\0\xff\xff\xff\xff"),
        "a directory of itself": _raw_exif(head + struct.pack("<HHII", 0x8769, 4, 1, 8) + bytes(4)),
        "resolution of 1/0": _raw_exif(head + struct.pack("<HHII", 0x011A, 5, 1, 26) + bytes(4) + struct.pack("<II", 1,
        0)),
        "resolution below zero": _raw_exif(head + struct.pack("<HHII", 0x011A, 10, 1,
        26) + bytes(4) + struct.pack("<ii", -1, 1)),
        "resolution a word": _raw_exif(head + struct.pack("<HHI4s", 0x011A, 2, 4, b"abc\0") + bytes(4)),
        "a count of 2**31": _raw_exif(head + struct.pack("<HHII", 0x010F, 2, 2**31, 26) + bytes(4)),
        "a type of no kind": _raw_exif(head + struct.pack("<HHII", 0x0112, 99, 1, 6) + bytes(4)),
        "orientation of two": _raw_exif(head + struct.pack("<HHIHH", 0x0112, 3, 2, 6, 6) + bytes(4)),
    }.items():  # fmt: skip
        yield case(
            f"EXIF/{name}",
            lambda f, w=write: w(f / "photos/odd.jpg"),
            predict("photos"),
            expect="right",
            codes=(0, 1),
            holds=either,
        )


def _names() -> Iterator[Case]:
    """Names of photos."""
    for name, file in {
        "with a line break": "a\nb.jpg", "begins with a dash": "-rf.jpg", "of blanks": "   .jpg",
        "code": "<script>alert(1)<script>.jpg", "quotes": "\"'`$(touch ran).jpg",
        "no UTF-8": os.fsdecode(b"caf\xe9.jpg"), "of 255 bytes": "x" * 251 + ".jpg",
        "of 255 bytes in Chinese": "会" * 83 + "aa.jpg", "percent": "100%25%s{0}.jpg", "turned": "\u202egpj.exe.jpg",
        "index": "index.jpg", "capitals": "FINE.JPG", "another ending of one name": "fine.png", "formula": "=1+1.jpg",
        "backslash": "up\\..\\x.jpg",
    }.items():  # fmt: skip

        def holds(outcome: Outcome) -> bool:
            records = [
                path
                for path in (outcome.folder / "out").glob("*.json")
                if json.loads(path.read_text())["format"] == "segsg-prediction"
            ]
            assert len(records) == (2 if outcome.code == 0 else 1), (
                f"{len(records)} results, exit code {outcome.code}; {outcome.err[-150:]}"
            )
            assert not (outcome.folder / "ran").exists()
            return all(
                "<script>alert" not in page.read_text(errors="replace")
                for page in (outcome.folder / "out").glob("*.html")
            )

        yield case(
            f"name/{name}",
            lambda f, n=file: made.photo(f / "photos" / n, (80, 60)),
            predict("photos"),
            expect="right",
            codes=(0, 1),
            holds=holds,
        )
    hidden = {
        "a hidden photo": lambda f: made.photo(f / "photos/.hidden.jpg", (80, 60)),
        "a folder named as a photo": lambda f: (f / "photos/x.jpg").mkdir(),
        "a pipe named as a photo": lambda f: os.mkfifo(f / "photos/pipe.jpg"),
        "a folder in itself": lambda f: (f / "photos/again").symlink_to("."),
        "a link to nowhere": lambda f: (f / "photos/x.jpg").symlink_to("nowhere"),
        "the same photo again": lambda f: (f / "photos/x.jpg").symlink_to("fine.jpg"),
    }  # fmt: skip
    for name, write in hidden.items():
        yield case(
            f"folder/{name}",
            write,
            predict("photos"),
            expect="right",
            holds=lambda o: len(list((o.folder / "out").glob("*.json"))) == 1,
        )
    yield case("folder/missing", lambda f: None, predict("nowhere"), names="nowhere")
    yield case("folder/without photos", lambda f: (f / "nothing").mkdir(), predict("nothing"), names="nothing")
    yield case("folder/a photo missing beside one", lambda f: None, predict("photos", "none.jpg"), names="none.jpg")
    yield case("folder/a pipe given", lambda f: os.mkfifo(f / "pipe.jpg"), predict("pipe.jpg"), names="pipe.jpg")
    yield case("folder/a device given", lambda f: None, predict("/dev/zero"), names="/dev/zero")


def _outputs() -> Iterator[Case]:
    """Places for results."""
    yield case("--out/a file", lambda f: made.write(f / "out", "mine"), predict("photos"), names="out")
    yield case(
        "--out/below a file", lambda f: made.write(f / "out", "mine"), predict("photos", out="out/there"), names="out"
    )
    yield case(
        "--out/read-only",
        lambda f: ((f / "out").mkdir(mode=0o555), kinds.without_rights()),
        predict("photos"),
        names="out",
    )
    yield case("--out/a link to itself", lambda f: (f / "out").symlink_to("out"), predict("photos"), names="out")
    for name in ("fine.json", "fine.png", "fine.html"):
        yield case(
            f"--out/{name} of somebody else",
            lambda f, n=name: made.write(f / "out" / n, "mine"),
            predict("photos"),
            names=name,
        )
    yield case("--out/index.html of somebody else", lambda f: (made.photo(f / "photos/two.jpg", (80, 60)),
        made.write(f / "out/index.html", "mine")),
               predict("photos"), names="index.html")  # fmt: skip
    yield case(
        "--out/a folder in the way of a result",
        lambda f: (f / "out/fine.json").mkdir(parents=True),
        predict("photos"),
        names="fine.json",
    )

    def linked(folder: Path) -> None:
        made.write(folder / "victim", "mine")
        (folder / "out").mkdir()
        for ending in ("json", "png", "html"):
            (folder / f"out/fine.{ending}.part").symlink_to("../victim")

    yield case("--out/links under temporary names", linked, predict("photos"), expect="either", names="out",
               holds=lambda o: (o.folder / "victim").read_text() == "mine")  # fmt: skip

    def result_linked(folder: Path) -> None:
        made.write(folder / "victim", "mine")
        (folder / "out").mkdir()
        (folder / "out/fine.json").symlink_to("../victim")

    yield case("--out/a link in the place of a result", result_linked, predict("photos"), names="fine.json")
    yield case("--out/the photos' own folder", lambda f: None, predict("photos", out="photos"), expect="either",
        names="photos",
               holds=lambda o: Image.open(o.folder / "photos/fine.jpg").size == (80, 60))  # fmt: skip


def listed(folder: Path, *names: str) -> None:
    """Writes the right digests of files into bundle.json, as whoever writes a hostile bundle would."""
    path = folder / "bundle/bundle.json"
    manifest = json.loads(path.read_text())
    for name in names:
        manifest["files"][name] = hashlib.sha256((folder / "bundle" / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest))


def _manifests() -> Iterator[Case]:
    """bundle.json."""
    act = predict("photos")

    def changed(path: tuple, value: Any) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            file = folder / "bundle/bundle.json"
            file.write_text(json.dumps(put(json.loads(file.read_text()), path, value)))

        return write

    for name, spoil in (kinds.FILES | {"deep": kinds.DEEP_FILE}).items():
        yield case(f"bundle.json/{name}", lambda f, s=spoil: s(f / "bundle/bundle.json"), act, names="bundle.json")
    yield case("bundle.json/no folder", lambda f: shutil.rmtree(f / "bundle"), act, names="bundle: ")
    fine = {("name", "text"), ("name", "no text"), ("long_side", "huge"), ("numbers.detection.regions", "huge"),
        ("numbers.evaluation.ks", "list"),
            ("experiment.detector", "text"), ("licence", "text"), ("licence", "no text"), ("licence", "digits"),
            ("trained", "object"), ("experiment.grounding", "missing"),
            ("short_side", "huge"), ("detector.disjoint", "missing"), ("detector.disjoint", "truth value"),
            ("grounding.nodes", "truth value"),
            ("grounding.sigmoid", "truth value"), ("detector.joint", "truth value"), ("numbers.evaluation.pair_overlap",
            "truth value"),
            ("detector.seed", "huge"), ("numbers.seed", "huge"), ("experiment.seed", "huge")}  # fmt: skip
    places = ["format", "version", "name", "world", "licence", "trained", "experiment", "detector", "grounding",
        "numbers", "short_side", "long_side", "files",
              "experiment.model", "experiment.detector", "experiment.method", "experiment.task", "experiment.grounding",
              "experiment.seed", "detector.backbone",
              "detector.joint", "detector.seed", "grounding.transfer", "grounding.channels", "grounding.edges",
              "grounding.kernel", "grounding.nodes",
              "numbers.detection", "numbers.detection.regions", "numbers.detection.score_threshold",
              "numbers.network.hidden", "numbers.network.dropout",
              "numbers.network.region_side", "numbers.network.pair_side",
              "numbers.evaluation.ks", "numbers.seed"]  # fmt: skip
    for place in places:
        for name, value in ({"missing": MISSING} | VALUES).items():
            expect = "either" if (place, name) in fine or (name == "fraction" and "threshold" in place) else "clear"
            yield case(
                f"bundle.json/{place}/{name}",
                changed(tuple(place.split(".")), value),
                act,
                names="bundle",
                expect=expect,
                one_of_many=True,
            )
    for name, path, value in (
        ("an unknown model", ("experiment", "model"), "gpt"), ("a model that is a path", ("experiment", "model"),
        "../../os"),
        ("a model with dots", ("experiment", "model"), "os.path"), ("an unknown backbone", ("detector", "backbone"),
        "resnet9000"),
        ("another model", ("experiment", "model"), "vctree"), ("another backbone", ("detector", "backbone"),
        "vgg-tiny"),
        ("not joint", ("detector", "joint"), False), ("the task PredCls", ("experiment", "task"), "predcls"),
        ("masks of an oracle", ("experiment", "grounding"), {"masks": "oracle"}),
        ("an unknown key", ("more",), 1), ("an unknown number", ("numbers", "network", "depth"), 3), ("version 1",
        ("version",), 1), ("version 99", ("version",), 99),
        ("a name that is a path", ("name",), "../../x"), ("hidden of 10**9", ("numbers", "network", "hidden"), 10**9),
        ("dense of 10**6", ("numbers", "network", "dense"), 10**6),
        ("proposals of 10**9", ("numbers", "detection", "rpn_pre_nms_test"), 10**9), ("a kernel of 10**6 + 1",
        ("grounding", "kernel"), 10**6 + 1),
        ("sides of 10**6", ("short_side",), 10**6), ("channels of 10**9", ("grounding", "channels"), 10**9),
    ):  # fmt: skip
        expect = "either" if name in ("proposals of 10**9", "a name that is a path", "masks of an oracle") else "clear"
        yield case(f"bundle.json/{name}", changed(path, value), act, names="bundle", expect=expect)
    sides = lambda f: (changed(("short_side",), 200_000)(f), changed(("long_side",), 200_000)(f))  # noqa: E731
    yield case("bundle.json/both sides of 200,000", sides, act, names="bundle")
    for name, file in {"outside": "../secret", "absolute": "/etc/passwd", "a device": "/dev/zero", "the folder": ".",
        "no name": "", "backslashes": "..\\secret",
                       "far outside": "facts/../../../etc/passwd", "NUL": "a\0b",
                       "long": "x" * 5000}.items():  # fmt: skip
        yield case(
            f"bundle.json/lists {name}",
            lambda f, n=file: (made.write(f / "secret", "s"), changed(("files", n), "0" * 64)(f)),
            act,
            names="bundle",
        )
    for name, target in {"a device": "/dev/zero", "outside": "/etc/passwd", "itself": "more.txt"}.items():
        yield case(
            f"bundle/a link to {name}",
            lambda f, t=target: ((f / "bundle/more.txt").symlink_to(t), changed(("files", "more.txt"), "0" * 64)(f)),
            act,
            names="more.txt",
        )
    yield case("bundle/weights are a device", lambda f: ((f / "bundle/weights.safetensors").unlink(),
        (f / "bundle/weights.safetensors").symlink_to("/dev/zero")),
               act, names="weights.safetensors")  # fmt: skip
    yield case("bundle/weights are a pipe", lambda f: ((f / "bundle/weights.safetensors").unlink(),
        os.mkfifo(f / "bundle/weights.safetensors")), act,
               names="weights.safetensors")  # fmt: skip
    for name, value in VALUES.items():
        if name not in ("text", "no text"):
            yield case(
                f"bundle.json/a digest/{name}",
                changed(("files", "weights.safetensors"), value),
                act,
                names="bundle",
                one_of_many=True,
            )
    yield case("bundle.json/a digest in capitals", _capitals, act, names="bundle", expect="either")


def _capitals(folder: Path) -> None:
    path = folder / "bundle/bundle.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = {name: value.upper() for name, value in manifest["files"].items()}
    path.write_text(json.dumps(manifest))


def _parts() -> Iterator[Case]:
    """Weights and facts of a bundle; its digests are right, as a hostile writer would see to."""
    act, weights, numbers, names = (
        predict("photos"),
        "weights.safetensors",
        "facts/numbers.safetensors",
        "facts/names.json",
    )

    def tensors(file: str, change: Callable[[dict], Any]) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            content = load_file(folder / "bundle" / file)
            change(content)
            (folder / "bundle" / file).unlink()
            save_file({name: value.contiguous() for name, value in content.items()}, folder / "bundle" / file)
            listed(folder, file)

        return write

    def every(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[dict], None]:
        return lambda content: content.update({name: function(value) for name, value in content.items()})

    def one(function: Callable[[torch.Tensor], torch.Tensor], skip: int = 3) -> Callable[[dict], None]:
        def change(content: dict) -> None:
            name = sorted(name for name in content if content[name].is_floating_point() and content[name].ndim)[skip]
            content[name] = function(content[name])

        return change

    for file in (weights, numbers, names):
        for name, spoil in kinds.FILES.items():
            listing = (
                (lambda f, n=file: listed(f, n))
                if name in ("empty", "a page", "binary", "cut", "zeros")
                else lambda f: None
            )
            yield case(f"{Path(file).name}/{name}", lambda f, s=spoil, n=file, again=listing: (s(f / "bundle" / n),
                again(f)), act,
                       names=Path(file).name if file != numbers else "facts")  # fmt: skip
        yield case(
            f"{Path(file).name}/a byte flipped",
            lambda f, n=file: kinds.flipped(0.7)(f / "bundle" / n),
            act,
            names=Path(file).name,
        )
    for name, change in {
        "NaN": every(lambda v: v * float("nan") if v.is_floating_point() else v),
        "one NaN": one(lambda v: v.index_fill(0, torch.tensor([0]), float("nan"))),
        "infinite": one(lambda v: v + float("inf")),
        "another shape": one(lambda v: v[None]), "one missing": lambda c: c.pop(sorted(c)[0]),
        "one more": lambda c: c.update(more=torch.ones(1)),
        "whole numbers": one(lambda v: v.int()), "truth values": one(lambda v: v > 0), "none": lambda c: c.clear(),
        "an empty one": one(lambda v: v[:0]),
        "complex": one(lambda v: v.to(torch.complex64)),
    }.items():  # fmt: skip
        yield case(f"weights.safetensors/{name}", tensors(weights, change), act, names="weights.safetensors",
                   expect="either" if name in ("whole numbers", "truth values") else "clear")  # fmt: skip
    yield case("weights.safetensors/a header of 2**60",
        lambda f: ((f / "bundle" / weights).write_bytes((2**60).to_bytes(8, "little") + b"{}"), listed(f, weights)),
        act,
               names="weights.safetensors")  # fmt: skip
    for tensor in ("vectors", "mask_vectors", "counts", "zero_shot"):
        for name, change in {
            "missing": lambda c, t=tensor: c.pop(t), "short": lambda c, t=tensor: c.update({t: c[t][:-1]}),
            "flat": lambda c, t=tensor: c.update({t: c[t].flatten()}),
            "NaN": lambda c, t=tensor: c.update({t: c[t].float() * float("nan")}), "negative": lambda c,
            t=tensor: c.update({t: -c[t].abs() - 1}),
            "words' kind": lambda c, t=tensor: c.update({t: c[t].to(torch.uint8)}),
        }.items():  # fmt: skip
            fine = (
                (tensor == "zero_shot" and name == "short")
                or (tensor in ("vectors", "mask_vectors") and name == "negative")
                or name == "words' kind"
            )
            yield case(
                f"numbers.safetensors/{tensor}/{name}",
                tensors(numbers, change),
                act,
                names="bundle",
                expect="either" if fine else "clear",
                one_of_many=True,
            )

    def named(path: tuple, value: Any) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            file = folder / "bundle" / names
            file.write_text(json.dumps(put(json.loads(file.read_text()), path, value)))
            listed(folder, names)

        return write

    for key in ("classes", "predicates", "mask_classes", "name_pairs", "drawn_as"):
        for name, value in ({"missing": MISSING} | VALUES).items():
            fine = (key, name) in {
                ("name_pairs", "object"),
                ("drawn_as", "object"),
                ("name_pairs", "no list"),
                ("drawn_as", "no list"),
            }
            yield case(
                f"names.json/{key}/{name}",
                named((key,), value),
                act,
                names="bundle",
                expect="either" if fine else "clear",
                one_of_many=True,
            )
    for name, value in VALUES.items():
        if name not in ("text", "no text"):
            yield case(
                f"names.json/a class/{name}", named(("classes", 0), value), act, names="bundle", one_of_many=True
            )
    yield case("names.json/code", named(("classes", 0), "<script>alert(1)</script>"), act, expect="either",
        names="bundle",
               holds=lambda o: "<script>alert" not in (o.folder / "out/fine.html").read_text())  # fmt: skip
    yield case(
        "names.json/one class less",
        lambda f: named(("classes",), json.loads((f / "bundle" / names).read_text())["classes"][:-1])(f),
        act,
        names="bundle",
    )


def _options() -> Iterator[Case]:
    """Options of `segsg predict`."""
    for option, value in (
        ("--top", "-1"),
        ("--top", "x"),
        ("--top", "1.5"),
        ("--threshold", "2"),
        ("--threshold", "nan"),
        ("--threshold", "x"),
        ("--batch", "0"),
        ("--batch", "x"),
    ):
        yield case(
            f"options/{option} {value}",
            lambda f: None,
            predict("photos", more=(option, value)),
            names=option.strip("-"),
        )
    for option, value in (
        ("--top", "0"),
        ("--top", str(10**20)),
        ("--batch", str(10**20)),
        ("--threshold", "0"),
        ("--threshold", "1"),
    ):
        yield case(
            f"options/{option} {value}",
            lambda f: None,
            predict("photos", more=(option, value)),
            expect="either",
            holds=_drawn("fine"),
            names=option.strip("-"),
        )


def _writing() -> Iterator[Case]:
    """`segsg bundle` and `segsg export`: what they read of a study, and where they write."""

    def project(folder: Path) -> None:
        shutil.copytree(warm.made_here["project"], folder / "project")

    def act(*words: str) -> Callable[[Path], int]:
        def run(folder: Path) -> int:
            import project_cases

            with project_cases.inside(folder / "project"):
                return cli.main([*words])

        return run

    def bundle(
        name: str,
        write: Callable[[Path], Any],
        *more: str,
        key: str = warm.KEY,
        out: str = "out",
        command: str = "bundle",
        **options: Any,
    ) -> Case:
        return Case(
            f"photos_bundles/{command}/{name}",
            lambda f: (project(f), write(f)),
            act(command, key, "--out", out, *more),
            **options,
        )

    detector, model = (
        "project/runs/smoke/detector/smoke-fpn-joint/model.safetensors",
        f"project/runs/smoke/rows/{warm.GROUP}/{warm.KEY}/model.safetensors",
    )
    yield bundle(
        "valid",
        lambda f: None,
        "--samples",
        "1",
        expect="right",
        holds=lambda o: (o.folder / "out/bundle.json").is_file(),
    )
    yield bundle(
        "valid",
        lambda f: None,
        command="export",
        expect="right",
        holds=lambda o: len((o.folder / "out/truth.jsonl").read_text().splitlines()) > 1,
    )
    for command in ("bundle", "export"):
        yield bundle("key nobody knows", lambda f: None, key="nobody", command=command, names="nobody")
        yield bundle("key that is a path", lambda f: None, key="../../etc", command=command, names="../../etc")
        for what, file in (("detector", detector), ("model", model)):
            for name, spoil in kinds.FILES.items():
                yield bundle(f"{what}/{name}", lambda f, s=spoil, n=file: s(f / n), command=command,
                    names="model.safetensors" if name != "missing" else what.replace("model", "rows"),
                             one_of_many=True)  # fmt: skip
            yield bundle(
                f"{what}/a byte flipped",
                lambda f, n=file: kinds.flipped(0.7)(f / n),
                command=command,
                names="model.safetensors",
            )
        yield bundle(
            f"weights/of another model in {command}",
            lambda f: shutil.copyfile(f / detector, f / model),
            command=command,
            names="model.safetensors",
        )
        yield bundle(
            "params.yaml/missing", lambda f: (f / "project/params.yaml").unlink(), command=command, names="params.yaml"
        )
        yield bundle(
            "facts/missing", lambda f: shutil.rmtree(f / "project/data/smoke/facts"), command=command, names="facts"
        )
        yield bundle(
            "facts/cut",
            lambda f: kinds.FILES["cut"](f / "project/data/smoke/facts/numbers.safetensors"),
            command=command,
            names="facts",
        )
        yield bundle("--out/a file", lambda f: made.write(f / "out", "mine"), command=command, names="out")
        yield bundle(
            "--out/below a file", lambda f: made.write(f / "out", "mine"), out="out/there", command=command, names="out"
        )
        yield bundle(
            "--out/read-only",
            lambda f: ((f / "closed").mkdir(mode=0o555), kinds.without_rights()),
            out="closed/out",
            command=command,
            names="closed",
        )
    yield bundle("--out/of somebody else", lambda f: made.write(f / "out/letter.txt", "mine"), names="out")
    yield bundle("--out/a bundle of another kind", lambda f: made.write(f / "out/bundle.json", "{}"), names="out")
    yield bundle("--out/a .part of somebody else", lambda f: made.write(f / "out.part/letter.txt", "mine"),
        expect="either", names="out.part",
                 holds=lambda o: (o.folder / "out.part/letter.txt").read_text() == "mine")  # fmt: skip
    yield bundle("--out/the project", lambda f: None, out="project", names="project")
    yield bundle(
        "--out/truth.jsonl of somebody else",
        lambda f: made.write(f / "out/truth.jsonl", "mine"),
        command="export",
        names="truth.jsonl",
    )
    yield bundle("--samples/-1", lambda f: None, "--samples", "-1", names="--samples")
    yield bundle("--split/all", lambda f: None, "--split", "all", command="export", names="--split")
