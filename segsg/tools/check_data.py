"""`segsg check-data`: a user's own photos with their annotations drawn, counted and judged, in seconds, on one page.

What needs PyTorch is imported when the command runs: it takes seconds, and no other command needs it.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from segsg.files import Claim, enter_project, user_path, write_text
from segsg.study.params import PARAMS_FILE, load
from segsg.tools import own_files
from segsg.tools.evaluate import AddCommand
from segsg.tools.own_files import COCO_PAIRS, OwnFiles, of_folders, of_params

if TYPE_CHECKING:
    from segsg.figures.overlay import Picture
    from segsg.tools.own_data import OwnData

PAGE = "index.html"
SHOWN = 3
"""partners of a class"""
PHOTOS, MASK_PHOTOS = 6, 4
"""that are drawn"""
SIDES = (480, 720)
"""of a drawn photo: shorter side, and most pixels of the longer"""
FAULTS = 3
EXIT = "Exit code: 0; 3 if something would stop a study (the page says what); 1 for files that cannot be read."
FIGURES = [
    f"{kind}-{number}.png" for kind, most in (("photo", PHOTOS), ("mask", MASK_PHOTOS)) for number in range(1, most + 1)
]


def add(commands, command: AddCommand) -> None:
    """Adds `segsg check-data` to the command line; `command` makes the parser of a command."""
    parser = command(commands, "check-data", run, "draw, count and judge your own photos and annotations, in seconds")
    parser.epilog = f"{parser.epilog}\n\n{EXIT}"
    parser.add_argument("--graphs", type=user_path, metavar="DIR", help="scene graphs in VG's layout")
    parser.add_argument("--masks", type=user_path, metavar="DIR", help="masks in COCO's layout")
    parser.add_argument("--word-vectors", type=user_path, metavar="FILE", help="GloVe text file")
    parser.add_argument(
        "--name-pairs", type=user_path, metavar="FILE", help="JSON: class -> mask class; without: COCO's"
    )
    parser.add_argument("--out", type=user_path, required=True, metavar="DIR", help="for the page and its pictures")


def run(options: argparse.Namespace) -> int:
    """Writes the page, and prints what looks wrong."""
    files = chosen(options)
    claim = Claim(options.out, "check-data", (PAGE, *FIGURES))
    claim.begin()
    stops = check(files, options.out)
    print(f"Page: {options.out / PAGE}")
    return FAULTS if stops else 0


def chosen(options: argparse.Namespace) -> OwnFiles:
    """The files that the options name, or those of params.yaml. ValueError if some are named and some are not."""
    named = (options.graphs, options.masks, options.word_vectors)
    if all(path is None for path in named):
        enter_project()
        return of_params(load(PARAMS_FILE))
    if any(path is None for path in named):
        raise ValueError(
            "check-data: name all of --graphs, --masks and --word-vectors, or none for params.yaml's files"
        )
    return of_folders(own_files.paths(*named), options.name_pairs or COCO_PAIRS)


def check(files: OwnFiles, out: Path) -> bool:
    """Reads, judges and draws; writes page and pictures to `out`; says whether something would stop a study.

    DataError for files that no study could read.
    """
    from segsg.report.pages import render
    from segsg.tools import own_data

    data = own_data.read(files)
    facts = {"faults": own_data.faults(data), "concerns": own_data.concerns(data)}
    for line in (*(f"Would stop a study: {line}" for line in facts["faults"]), *facts["concerns"]):
        print(line)
    write_text(out / PAGE, render("own_data", facts | described(data) | {"photos": draw(data, out)}))
    return bool(facts["faults"])


def described(data: "OwnData") -> dict:
    """What the page shows as numbers."""
    from segsg.files import DataError
    from segsg.tools import transfer

    names, counts = data.names, data.counts
    unknown = isinstance(data.borrowed, DataError)
    partners = {} if unknown else {line.name: line for line in transfer.lines(data.borrowed)}
    missing = set() if unknown else {c.name for c in data.borrowed.concerns if c.detail.startswith("no vector")}
    train, test = counts["train"], counts["test"]
    classes = zip(names.classes, train.of_class[1:].tolist(), test.of_class[1:].tolist(), strict=True)
    predicates = zip(names.predicates, train.of_predicate[1:].tolist(), test.of_predicate[1:].tolist(), strict=True)
    return {
        "source": str(data.files.graphs.annotations),
        "mask_source": str(data.files.masks.annotations),
        "vectors": data.files.word_vectors.name,
        "splits": counts,
        "mask_photos": len(data.masks.with_instances()),
        "mask_classes": len(data.masks.vocabulary.classes),
        "classes": sorted(classes, key=lambda row: -row[1]),
        "predicates": sorted(predicates, key=lambda row: -row[1]),
        "most": max(train.of_predicate.max(), 1),
        "partners": {name: (line.how, line.partners[:SHOWN]) for name, line in partners.items()},
        "missing": missing,
    }


def draw(data: "OwnData", out: Path) -> list[dict]:
    """Draws a handful of photos of each set to `out`, and returns what the page says of each."""
    from segsg.figures.overlay import masks_overlay, scene_graph_overlay
    from segsg.figures.style import data_uri, save

    figures = [(picture, scene_graph_overlay(picture)) for picture in annotated(data)]
    figures += [(picture, masks_overlay(picture, {"masks": picture.masks})) for picture in masked(data)]
    shown = []
    for name, (picture, figure) in zip(names_of(figures), figures, strict=True):
        path = save(figure, out / name)
        said = picture.words if picture.relations else ", ".join(picture.names)
        shown.append({"title": picture.title, "words": said, "uri": data_uri(path.read_bytes(), "png")})
    return shown


def names_of(figures: list) -> Iterator[str]:
    """Names of the files of figures, those with masks behind the others."""
    numbers = {"photo": 0, "mask": 0}
    for picture, _ in figures:
        kind = "photo" if picture.masks is None else "mask"
        numbers[kind] += 1
        yield f"{kind}-{numbers[kind]}.png"


def annotated(data: "OwnData") -> Iterator["Picture"]:
    """Training photos at equal distances, with their relations. A photo that is not there is passed over."""
    from segsg.data.loading import resize
    from segsg.figures.overlay import Picture, class_names
    from segsg.study.sets import spread

    names, lost = data.names, set(data.lost)
    chosen = spread(data.graphs["train"], PHOTOS)
    for index, image_id in enumerate(chosen.image_ids):
        if f"{image_id}.jpg" in lost:
            continue
        sample = resize(chosen[index], *SIDES)
        relations = tuple((s, names.predicate_name(p), o, 1.0) for s, o, p in sample.relations.tolist())
        title = f"Photo {image_id}.jpg, {len(sample.boxes)} boxes, {len(relations)} relations"
        yield Picture(sample.image, sample.boxes, class_names(names, sample.labels), None, relations, title)


def masked(data: "OwnData") -> Iterator["Picture"]:
    """Photos of the mask set at equal distances, with their masks."""
    from segsg.data.loading import resize
    from segsg.figures.overlay import Picture, class_names
    from segsg.study.sets import spread

    for sample in spread(data.masks.with_instances(), MASK_PHOTOS):
        sample = resize(sample, *SIDES)
        names = class_names(data.masks.vocabulary, sample.labels)
        title = f"Mask set, image {sample.image_id}"
        yield Picture(sample.image, sample.boxes, names, sample.masks, (), title)
