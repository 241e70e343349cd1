"""The commands `segsg predict` and `segsg bundle`.

What needs PyTorch is imported when a command runs: it takes seconds, and no other command needs it.
"""

import argparse
import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from segsg.files import WAYS_OUT, DataError, check_writable, plainly, user_path
from segsg.photos.graph import Wanted
from segsg.photos.input import Named, find, has_index
from segsg.study.params import PARAMS_FILE, load
from segsg.values import at_least

if TYPE_CHECKING:
    from segsg.photos.answering import Answering
    from segsg.photos.graph import PhotoGraph
    from segsg.photos.input import Pixels
    from segsg.photos.results import Results

AddCommand = Callable[..., argparse.ArgumentParser]
SHIPPED = "photos"
"""the bundle that is taken if none is named"""
SKIPPED, USAGE = 1, 2
BYTES_AT_ONCE = 2**27
"""of pixels that wait for their graphs"""


def add_predict(commands, command: AddCommand) -> None:
    """Adds `segsg predict` to the command line; `command` makes the parser of a command."""
    added = command(commands, "predict", run_predict, "scene graphs of your photos: JSON, overlay and page for each")
    added.add_argument(
        "photos", nargs="+", type=user_path, metavar="PHOTO", help="files, or folders with all below them"
    )
    added.add_argument(
        "--bundle",
        default=SHIPPED,
        metavar="B",
        help=f"a folder, the name of a shipped one, or URL#sha256=... ({SHIPPED})",
    )
    added.add_argument("--out", type=user_path, required=True, metavar="DIR", help="for the results")
    added.add_argument("--top", type=at_least(0), default=Wanted.top, metavar="N", help=f"of relations ({Wanted.top})")
    least = f"least score of a relation ({Wanted.threshold})"
    added.add_argument("--threshold", type=float, default=Wanted.threshold, metavar="S", help=least)
    added.add_argument("--finder", metavar="F", help="what finds regions: torchvision:MODEL (the bundle's own)")
    added.add_argument(
        "--finder-weights", type=user_path, metavar="FILE", help="its weights (torchvision's, downloaded)"
    )
    added.add_argument(
        "--detections", type=user_path, metavar="FILE", help="regions that you have: COCO, YOLO's folder or plain JSON"
    )
    added.add_argument("--classes", type=user_path, metavar="FILE", help="names of their classes, or a COCO file")
    added.add_argument(
        "--task", choices=("predcls", "sgcls"), default="predcls", help="trust their names, or find them"
    )
    added.add_argument("--only", choices=("json",), help="write no pages and no pictures")
    added.add_argument("--device", help="cpu or cuda (the best there is)")
    added.add_argument("--resume", action="store_true", help="pass over photos whose results are whole and the same")
    added.add_argument("--batch", type=at_least(1), default=8, metavar="N", help="photos computed at a time (8)")


def run_predict(options: argparse.Namespace) -> int:
    """JSON, picture and page of each photo. Exit code 0, or 1 if a photo was skipped, or 2 if nothing could begin."""
    try:
        check_writable(options.out)
        wanted, photos = Wanted(options.top, options.threshold), find(options.photos, options.out)
        if options.detections is None and (options.classes or options.task != "predcls"):
            raise ValueError("--classes and --task are about regions that you have; name their file with --detections")
        if options.detections is not None and options.finder is not None:
            raise ValueError("--finder finds regions, and --detections has them; leave out one of them")
        if options.finder is None and options.finder_weights is not None:
            raise ValueError("--finder-weights are those of another finder; name it, as --finder torchvision:MODEL")
        from segsg.photos.answering import answering
        from segsg.photos.load import load, with_finder

        bundle = load(options.bundle, options.device)
        if options.finder is not None:
            bundle = with_finder(bundle, options.finder, options.finder_weights, options.device)
        given = options.detections and (options.detections, options.classes, options.task)
        answers = answering(bundle, wanted, photos, given or None)
    except ValueError as error:
        print(error, file=sys.stderr)
        return USAGE
    results = predict(answers, photos, out=options.out, batch=options.batch, only=options.only, resume=options.resume)
    done, skipped, page = results.done, len(results.skipped), results.close(photos)
    print(f"{done} of {len(photos)} photos, {skipped} skipped." + (f" Page: {page}" if page else ""))
    for line in (*answers.remarks(), *([bundle.warning] if bundle.warning and done else [])):
        print(line, file=sys.stderr)
    return SKIPPED if skipped else 0


def predict(
    answers: "Answering", photos: list[Named], *, out: Path, batch: int, only: str | None = None, resume: bool = False
) -> "Results":
    """Writes the results of all photos that can be read, `batch` of them computed at a time.

    Several photos get an index; an older index in `out` gives way to one of this run. With `resume`, photos whose
    results are whole, from the same bundle, options and photo, are only read for the index.
    """
    from segsg.photos.results import Results

    index = only is None and (len(photos) > 1 or has_index(out))
    results = Results(answers.origin, out, run=answers.identity, only=only, index=index)
    with tqdm(total=len(photos), desc="photos", unit="photo") as bar:
        left = [photo for photo in photos if not (resume and results.take_over(photo))]
        for group in _groups(_readable(left, results.skipped), batch):
            graphs = _together(answers, group)
            for photo, pixels in group:
                with _alone(photo, results.skipped):
                    results.add(photo, graphs.get(photo) or answers.graphs([(photo, pixels)])[0])
            bar.update(results.done + len(results.skipped) - bar.n)
    return results


def _readable(photos: list[Named], skipped: list[str]) -> Iterator[tuple[Named, "Pixels"]]:
    """Photos that can be read, with their pixels; `skipped` gets a line about each other one."""
    from segsg.photos.input import read

    for photo in photos:
        pixels = None
        with _alone(photo, skipped):
            pixels = read(photo.path)
        if pixels is not None:
            yield photo, pixels


def _groups(photos: Iterator[tuple[Named, "Pixels"]], batch: int) -> Iterator[list[tuple[Named, "Pixels"]]]:
    """At most `batch` photos at a time, and fewer of large ones."""
    group: list[tuple[Named, Pixels]] = []
    for photo, pixels in photos:
        group.append((photo, pixels))
        if len(group) == batch or sum(pixels.size for _, pixels in group) > BYTES_AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _together(answers: "Answering", group: list[tuple[Named, "Pixels"]]) -> "dict[Named, PhotoGraph]":
    """The graph of each photo; of none if one of them fails, which is found when each is computed alone."""
    try:
        graphs = answers.graphs(group)
    except Exception:  # whatever it is, it is met again and named when the photo at fault is alone
        return {}
    return dict(zip([photo for photo, _ in group], graphs, strict=True))


@contextmanager
def _alone(photo: Named, skipped: list[str]) -> Iterator[None]:
    """The work on one photo: what goes wrong with it is noted, and the others go on. A full disk is not its fault."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno in WAYS_OUT and error.errno != errno.ENAMETOOLONG:
            raise
        reason = plainly(error) or f"{type(error).__name__}: {error}"
        skipped.append(reason if isinstance(error, DataError) else f"{photo.path}: {reason}")
        tqdm.write(f"Skipped: {skipped[-1]}", file=sys.stderr)


def add_bundle(commands, command: AddCommand) -> None:
    """Adds `segsg bundle` to the command line; `command` makes the parser of a command."""
    added = command(commands, "bundle", run_bundle, "write a trained experiment as one folder that needs nothing else")
    added.add_argument("key", nargs="?", help="an sgdet experiment (default: the best seg-grounded one)")
    added.add_argument("--out", type=user_path, required=True, metavar="DIR", help="an older bundle in it is replaced")
    added.add_argument("--full", action="store_true", help="weights as trained, not in half precision: twice the size")
    added.add_argument("--samples", type=at_least(0), default=0, metavar="N", help="take so many test photos along")


def run_bundle(options: argparse.Namespace) -> int:
    """Writes the bundle of an experiment and prints where it is."""
    from segsg.photos.export import best_experiment, export

    params = load(PARAMS_FILE)
    key = options.key or best_experiment(params)
    out = export(params, key, options.out, half=not options.full, samples=options.samples)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"Bundle: {out} ({size / 1e6:.1f} MB)")
    return 0
