"""`segsg transfer`: which mask classes anybody's class names would borrow from, as a table, CSV, picture and page."""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segsg.files import Claim, user_path, write_text
from segsg.tools.evaluate import AddCommand, write_csv
from segsg.tools.facts import fact

if TYPE_CHECKING:
    from segsg.tools.own_labels import Borrowed

TABLE, PICTURE, PAGE = "transfer.csv", "transfer.png", "transfer.html"
COCO, COCO_PAIRS = "coco_classes.txt", "name_pairs_vg150_coco80.json"
MODES = ("softmax", "dot", "cosine")
NAMED = 12
"""names of a kind of concern on the terminal; the page has all"""
SHOWN = 5
"""partners of a name, largest weight first"""
SOME_WITHOUT_MASK = 3
EXIT = "Exit code 3: a name borrows no mask at all; everything is written."
REASONS = {
    "no mask": "Borrow no mask at all. Spell them otherwise (several words apart by spaces), name another word for "
    "them (--alias WORD=OTHER), or the mask class that shows the same thing (--name-pairs).",
    "weak": "No mask class reaches the threshold, so they take the nearest alone, however far. Name the mask class "
    "that shows the same thing (--name-pairs), if there is one.",
    "flat": "Borrow from many mask classes at once, so that their mask is hardly more than an average; dot and cosine "
    "do so for nearly every name. Name the mask class that shows the same thing (--name-pairs), if there is one.",
    "repeated": "Are in the list more than once.",
}
"""kind of concern, the gravest first -> what it means and the way out"""


def add(commands, command: AddCommand) -> None:
    """Adds `segsg transfer` to the command line; `command` makes the parser of a command."""
    parser = command(commands, "transfer", run, "show which mask classes a list of class names would borrow from")
    parser.epilog = f"{parser.epilog}\n\n{EXIT}"
    lists = "one name a line, a JSON list, VG-SGG-dicts.json or COCO's instances"
    pairs = "JSON: class -> mask class that shows the same; without: Visual Genome's partners in COCO, unless "
    parser.add_argument("--classes", type=user_path, required=True, metavar="FILE", help=lists)
    words = "GloVe text file; without: all of GloVe 6B if the extra `words` is installed, else the few words of segsg"
    parser.add_argument("--word-vectors", type=user_path, metavar="FILE", help=words)
    parser.add_argument("--mask-classes", type=user_path, metavar="FILE", help="as --classes; without: COCO's 80")
    parser.add_argument("--mode", choices=MODES, default="softmax", help="eq. 3; default: softmax, as in the study")
    least = "softmax drops weights below (0.05)"
    parser.add_argument("--threshold", type=_share, default=0.05, metavar="W", help=least)
    parser.add_argument("--name-pairs", type=user_path, metavar="FILE", help=pairs + "--mask-classes is given")
    alias = "look up the vector of OTHER for WORD"
    parser.add_argument("--alias", type=_alias, action="append", default=[], metavar="WORD=OTHER", help=alias)
    parser.add_argument("--out", type=user_path, metavar="DIR", help="for transfer.csv, transfer.png and transfer.html")


def _share(text: str) -> float:
    if not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not within 0..1")
    return float(text)


def _alias(text: str) -> tuple[str, str]:
    word, equals, other = (part.strip().lower() for part in text.partition("="))
    if not word or not equals or not other:
        raise argparse.ArgumentTypeError(f"{text}: write it as WORD=OTHER")
    return word, other


def run(options: argparse.Namespace) -> int:
    """Prints the table, writes the files, and returns the exit code."""
    from segsg.tools.own_labels import borrow, read_labels, read_vectors
    from segsg.tools.word_source import usual

    claim = None if options.out is None else Claim(options.out, "transfer", (TABLE, PICTURE, PAGE))
    pairs = _name_pairs(options)
    options.mask_classes, options.word_vectors = options.mask_classes or fact(COCO), options.word_vectors or usual()
    classes, mask_classes = read_labels(options.classes), read_labels(options.mask_classes)
    vectors = read_vectors(options.word_vectors, classes, mask_classes, dict(options.alias))
    wanted = {"mode": options.mode, "threshold": options.threshold, "name_pairs": pairs}
    borrowed = borrow(classes, mask_classes, vectors, **wanted)
    print(terminal(borrowed))
    if options.name_pairs is not None and (others := sorted(pairs.keys() - set(classes.names))):
        listed = ", ".join(others[:NAMED]) + (f" and {len(others) - NAMED} more" if len(others) > NAMED else "")
        print(f"{options.name_pairs}: pairs of no class of {options.classes.name}: {listed}", file=sys.stderr)
    if claim is not None:
        claim.begin()
        write(options, borrowed)
        print(f"Page: {options.out / PAGE}")
    return SOME_WITHOUT_MASK if borrowed.bare else 0


def _name_pairs(options: argparse.Namespace) -> dict[str, str]:
    """COCO's partners of Visual Genome's names, unless the user has another list of either."""
    from segsg.data.words import read_name_pairs

    path = options.name_pairs or (fact(COCO_PAIRS) if options.mask_classes is None else None)
    if path is not None and not path.is_file():
        raise ValueError(f"{path}: no such file of name pairs; leave --name-pairs out, or correct it")
    return {} if path is None else {name.lower(): other.lower() for name, other in read_name_pairs(path).items()}


@dataclass(frozen=True)
class Line:
    """One name with its partners, largest weight first."""

    name: str
    how: str
    partners: tuple[tuple[str, float], ...]

    @property
    def shown(self) -> tuple[tuple[str, float], ...]:
        """The first partners."""
        return self.partners[:SHOWN]

    @property
    def rest(self) -> str:
        """Text with the number of partners that are not shown and their summed weight; empty if all are shown."""
        left = self.partners[SHOWN:]
        return f"{len(left)} more {sum(abs(weight) for _, weight in left):.2f}" if left else ""

    @property
    def text(self) -> str:
        """Partners in one line of plain text."""
        if self.how == "copied":
            return self.partners[0][0]
        parts = [f"{name} {weight:.2f}" for name, weight in self.shown]
        return ", ".join(parts + ([self.rest] if self.rest else []))


def lines(borrowed: "Borrowed") -> list[Line]:
    """The partners of each class, in the order of the user's list."""
    from segsg.grounding.transfer import explain

    transfer = borrowed.transfer
    rows = zip(explain(transfer.matrix, transfer.classes, transfer.mask_classes), transfer.copied, strict=True)
    return [
        Line(name, "copied" if copied else "combined" if partners else "no mask", tuple(partners))
        for (name, partners), copied in rows
    ]


def concerns(borrowed: "Borrowed") -> dict[str, list[tuple[str, str]]]:
    """{kind: [(name, detail), ...]}, the gravest kind first."""
    grouped = {kind: [(c.name, c.detail) for c in borrowed.concerns if c.kind == kind] for kind in REASONS}
    return {kind: entries for kind, entries in grouped.items() if entries}


def terminal(borrowed: "Borrowed") -> str:
    """The table for a terminal, and below it what to look at."""
    listed = lines(borrowed)
    width = max(len("class"), *(len(line.name) for line in listed))
    table = [f"{'class':{width}}  how       borrows from", *(f"{r.name:{width}}  {r.how:8}  {r.text}" for r in listed)]
    for kind, entries in concerns(borrowed).items():
        table += ["", f"{kind} ({len(entries)}): {REASONS[kind]}"]
        table += [f"  {name}: {detail}" for name, detail in entries[:NAMED]]
        table += [f"  and {len(entries) - NAMED} more"] if len(entries) > NAMED else []
    return "\n".join(table)


def write(options: argparse.Namespace, borrowed: "Borrowed") -> None:
    """transfer.csv (the whole matrix), transfer.png and transfer.html in the folder `options.out`."""
    from segsg.figures.style import data_uri
    from segsg.report.pages import render
    from segsg.tools.word_source import title

    transfer, listed = borrowed.transfer, lines(borrowed)
    rows = [(line.name, line.how, *row) for line, row in zip(listed, transfer.matrix.tolist(), strict=True)]
    write_csv(options.out / TABLE, ("class", "how", *transfer.mask_classes), rows, digits="%.6g")
    facts = {
        "source": options.classes.name,
        "mask_source": options.mask_classes.name,
        "vectors": title(options.word_vectors),
        "mode": options.mode,
        "threshold": options.threshold,
        "mask_classes": len(transfer.mask_classes),
        "lines": listed,
        "counts": {"copied": 0, "combined": 0, "no mask": 0} | Counter(line.how for line in listed),
        "concerns": concerns(borrowed),
        "reasons": REASONS,
        "picture": data_uri(_picture(borrowed, options.out / PICTURE).read_bytes(), "png"),
    }
    write_text(options.out / PAGE, render("own_labels", facts))


def _picture(borrowed: "Borrowed", path: Path) -> Path:
    """The matrix drawn, without columns that nobody borrows from: they would make it too wide to read."""
    from segsg.figures.figures import transfer_map
    from segsg.figures.style import save

    transfer = borrowed.transfer
    lenders = transfer.matrix.any(0)
    lenders |= ~lenders.any()
    names = tuple(name for name, lends in zip(transfer.mask_classes, lenders.tolist(), strict=True) if lends)
    return save(transfer_map(transfer.matrix[:, lenders].numpy(), transfer.classes, names), path)
