"""`segsg transfer`: which mask classes anybody's class names would borrow from, as a table, CSV, picture and page."""

import argparse
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segsg.tools.own_labels import Borrowed
    from segsg.tools.transfer_page import Line

COCO = Path("data/facts/coco_classes.txt")
COCO_PAIRS = Path("data/facts/name_pairs_vg150_coco80.json")
MODES = ("softmax", "dot", "cosine")
NAMED = 12
"""names of a kind of concern on the terminal; the page has all"""
SOME_WITHOUT_MASK = 3
EXIT = "Exit code: 0; 3 if a name borrows no mask at all (everything is written); 1 for an error (nothing is written)."


def run_transfer(options: argparse.Namespace) -> int:
    from segsg.tools.label_files import read_labels
    from segsg.tools.own_labels import Wanted, borrow, read_vectors

    if options.out is not None and options.out.is_file():
        raise ValueError(f"{options.out}: is a file; name a folder for --out")
    classes, mask_classes = read_labels(options.classes), read_labels(options.mask_classes or COCO)
    vectors = read_vectors(options.word_vectors, classes, mask_classes, dict(options.alias))
    wanted = Wanted(options.mode, options.threshold, _name_pairs(options))
    borrowed = borrow(classes, mask_classes, vectors, wanted)
    print(terminal(borrowed))
    if options.out is not None:
        write(options, borrowed)
        print(f"Page: {options.out / 'transfer.html'}")
    return SOME_WITHOUT_MASK if borrowed.bare else 0


def _name_pairs(options: argparse.Namespace) -> dict[str, str]:
    """COCO's partners of Visual Genome's names, unless the user has another list of either."""
    from segsg.data.vocabulary import read_name_pairs

    path = options.name_pairs or (COCO_PAIRS if options.mask_classes is None else None)
    if path is not None and not path.is_file():
        raise ValueError(f"{path}: no such file of name pairs; leave --name-pairs out, or correct it")
    return {} if path is None else {name.lower(): other.lower() for name, other in read_name_pairs(path).items()}


def lines(borrowed: "Borrowed") -> list["Line"]:
    """Of each class its partners, in the order of the user's list."""
    from segsg.grounding.transfer import explain
    from segsg.tools.transfer_page import Line

    found = borrowed.transfer
    rows = zip(explain(found.matrix, found.classes, found.mask_classes), found.copied, strict=True)
    return [
        Line(name, "copied" if copied else "combined" if partners else "no mask", tuple(partners))
        for (name, partners), copied in rows
    ]


def concerns(borrowed: "Borrowed") -> dict[str, list[tuple[str, str]]]:
    """{kind: [(name, detail), ...]}, the gravest kind first."""
    from segsg.tools.transfer_page import REASONS

    grouped = {kind: [(c.name, c.detail) for c in borrowed.concerns if c.kind == kind] for kind in REASONS}
    return {kind: entries for kind, entries in grouped.items() if entries}


def terminal(borrowed: "Borrowed") -> str:
    """The table for a terminal, and below it what to look at."""
    from segsg.tools.transfer_page import REASONS

    listed = lines(borrowed)
    width = max(len("class"), *(len(line.name) for line in listed))
    table = [f"{'class':{width}}  how       borrows from", *(f"{r.name:{width}}  {r.how:8}  {r.text}" for r in listed)]
    for kind, entries in concerns(borrowed).items():
        table += [
            "",
            f"{kind} ({len(entries)}): {REASONS[kind]}",
            *(f"  {n}: {detail}" for n, detail in entries[:NAMED]),
        ]
        table += [f"  and {len(entries) - NAMED} more"] if len(entries) > NAMED else []
    return "\n".join(table)


def write(options: argparse.Namespace, borrowed: "Borrowed") -> None:
    """transfer.csv, transfer.png and transfer.html in the folder `options.out`."""
    from segsg.figures.figures import transfer_map
    from segsg.figures.style import data_uri, save
    from segsg.files import write_text
    from segsg.tools.transfer_page import render_transfer

    found, out = borrowed.transfer, options.out
    write_text(out / "transfer.csv", matrix_csv(borrowed))
    lenders = found.matrix.any(0)  # columns that nobody borrows from only make the picture too wide to read
    lenders |= ~lenders.any()
    names = tuple(name for name, lends in zip(found.mask_classes, lenders.tolist(), strict=True) if lends)
    picture = save(transfer_map(found.matrix[:, lenders].numpy(), found.classes, names), out / "transfer.png")
    facts = {
        "source": options.classes.name,
        "mask_source": (options.mask_classes or COCO).name,
        "vectors": options.word_vectors.name,
        "mode": options.mode,
        "threshold": options.threshold,
        "mask_classes": len(found.mask_classes),
        "lines": lines(borrowed),
        "concerns": concerns(borrowed),
        "picture": data_uri(picture.read_bytes(), "png"),
    }
    write_text(out / "transfer.html", render_transfer(facts))


def matrix_csv(borrowed: "Borrowed") -> str:
    """One row for each class: its name, how it borrows, and the weight of every mask class."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["class", "how", *borrowed.transfer.mask_classes])
    for line, weights in zip(lines(borrowed), borrowed.transfer.matrix.tolist(), strict=True):
        writer.writerow([line.name, line.how, *(f"{weight:.6g}" for weight in weights)])
    return stream.getvalue()


def add(commands, command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command of this module, made by the `command` of segsg.cli."""
    text = "show which mask classes a list of class names would borrow from"
    own = command(commands, "transfer", run_transfer, text)
    own.epilog = EXIT
    own.add_argument("--classes", type=_path, required=True, metavar="FILE", help="one name a line, a JSON list, "
                     "VG-SGG-dicts.json or COCO's instances")  # fmt: skip
    own.add_argument("--word-vectors", type=_path, required=True, metavar="FILE", help="GloVe text file")
    own.add_argument("--mask-classes", type=_path, metavar="FILE", help="as --classes; without: COCO's 80")
    own.add_argument("--mode", choices=MODES, default="softmax", help="eq. 3; default: softmax, as in the study")
    own.add_argument("--threshold", type=float, default=0.05, metavar="W", help="softmax drops weights below (0.05)")
    own.add_argument("--name-pairs", type=_path, metavar="FILE", help="JSON: class -> mask class that shows the same "
                     "thing; without: Visual Genome's partners in COCO, unless --mask-classes is given")  # fmt: skip
    own.add_argument("--alias", type=_alias, action="append", default=[], metavar="WORD=OTHER",
                     help="look up the vector of OTHER for WORD")  # fmt: skip
    own.add_argument("--out", type=_path, metavar="DIR", help="for transfer.csv, transfer.png and transfer.html")


def _path(text: str) -> Path:
    """Relative to where the user is, before the command moves to the project."""
    return Path(text).expanduser().absolute()


def _alias(text: str) -> tuple[str, str]:
    word, equals, other = (part.strip().lower() for part in text.partition("="))
    if not word or not equals or not other:
        raise argparse.ArgumentTypeError(f"{text}: write it as WORD=OTHER")
    return word, other
