"""`segsg convert`: scene graphs of another source as a folder in Visual Genome's layout, which studies read.

What needs PyTorch is imported when the command runs: it takes seconds, and no other command needs it.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segsg.files import check_writable, digest, user_path
from segsg.tools.evaluate import AddCommand

if TYPE_CHECKING:
    from segsg.formats.annotated import AnnotatedSet

Files = Mapping[str, Path]
"""option without its dashes -> file"""
MORE = """\
boxes.csv begins with image,box,class,x1,y1,x2,y2 and perhaps split (train or test); relations.csv with
image,subject,predicate,object. `segsg check-data` shows what was understood. More: docs/own_data.md
"""


def _vrd(files: Files) -> "AnnotatedSet":
    from segsg.formats import vrd

    return vrd.read({"train": files["train"], "test": files["test"]}, files["classes"], files["predicates"])


def _coco_relations(files: Files) -> "AnnotatedSet":
    from segsg.formats import coco_relations

    return coco_relations.read({"train": files["train"], "test": files["test"]})


def _csv(files: Files) -> "AnnotatedSet":
    from segsg.formats import csv_tables

    return csv_tables.read(files["boxes"], files["relations"])


@dataclass(frozen=True)
class Source:
    """A kind of source: the files that it is read from, and its reader."""

    files: tuple[str, ...]
    read: Callable[[Files], "AnnotatedSet"]


SOURCES = {
    "vrd": Source(("train", "test", "classes", "predicates"), _vrd),
    "coco-relations": Source(("train", "test"), _coco_relations),
    "csv": Source(("boxes", "relations"), _csv),
}
OPTIONS = {
    "train": "annotations of training photos",
    "test": "annotations of test photos",
    "classes": "names of classes: JSON list, or VG-SGG-dicts.json",
    "predicates": "names of predicates, alike",
    "boxes": "table of boxes",
    "relations": "table of relations",
}


def add(commands, command: AddCommand) -> None:
    """Adds `segsg convert` to the command line; `command` makes the parser of a command."""
    parser = command(
        commands, "convert", run, "turn annotations of VRD, COCO with relations or CSV into a study's files"
    )
    parser.epilog = f"{parser.epilog}\n\n{MORE}"
    parser.add_argument("--from", dest="source", choices=tuple(SOURCES), required=True)
    for name, text in OPTIONS.items():
        of = ", ".join(source for source, kind in SOURCES.items() if name in kind.files)
        parser.add_argument(f"--{name}", type=user_path, metavar="FILE", help=f"{text} ({of})")
    folders = "one folder or more with the photos"
    parser.add_argument("--photos", type=user_path, nargs="+", required=True, metavar="DIR", help=folders)
    parser.add_argument(
        "--skip-missing", action="store_true", help="leave out photos that are not there, and count them"
    )
    parser.add_argument(
        "--out", type=user_path, required=True, metavar="DIR", help="a folder of its own for the result"
    )


def run(options: argparse.Namespace) -> int:
    """Writes the folder, and prints what it holds and what is left out."""
    from segsg.formats import visual_genome

    kind, files = SOURCES[options.source], given(options)
    check_writable(options.out)
    visual_genome.check_replaceable(options.out)
    source = kind.read(files)
    made_of = {"source": options.source, "files": {str(path): digest(path) for path in files.values()}}
    left_out = visual_genome.write(
        options.out, source, options.photos, skip_missing=options.skip_missing, made_of=made_of
    )
    for line in (*described(options.out), *(f"left out: {count} {what}" for what, count in left_out.items() if count)):
        print(line)
    print(f"Look at it: segsg check-data --graphs {options.out} --masks DIR --word-vectors FILE --out DIR")
    return 0


def given(options: argparse.Namespace) -> Files:
    """The files that the source is read from. ValueError where one is not named, or one too many is."""
    kind = SOURCES[options.source]
    for name in OPTIONS:
        if (getattr(options, name) is not None) != (name in kind.files):
            needed = ", ".join(f"--{each}" for each in kind.files)
            verb = "needs" if name in kind.files else "takes no"
            raise ValueError(f"--from {options.source}: {verb} --{name}; it is read from {needed}")
    return {name: getattr(options, name) for name in kind.files}


def described(folder: Path) -> list[str]:
    """What a converted folder holds, as the reader of studies finds it. DataError if that cannot read it."""
    from segsg.data.visual_genome import read_vocabulary
    from segsg.data.visual_genome_file import check, read_images, read_rows
    from segsg.formats.visual_genome import ARRAYS, LIST, NAMES

    rows, names = read_rows(folder / ARRAYS), read_vocabulary(folder / NAMES)
    remarks = check(folder / ARRAYS, rows, read_images(folder / LIST, len(rows.split)), names)
    train, test = (int((rows.split == split).sum()) for split in (0, 2))
    return [
        f"{folder}: {train} training photos and {test} test photos",
        f"{len(rows.labels)} boxes of {len(names.classes)} classes",
        f"{len(rows.predicates)} relations of {len(names.predicates)} predicates",
        *remarks,
    ]
