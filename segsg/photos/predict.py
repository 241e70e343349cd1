"""The commands `segsg predict` and `segsg bundle`.

What needs PyTorch is imported when a command runs: it takes seconds, and no other command needs it.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from segsg.files import DataError, user_path
from segsg.photos.graph import Wanted
from segsg.photos.input import Named, find, has_index
from segsg.study.params import PARAMS_FILE, load

if TYPE_CHECKING:
    from segsg.photos.bundle import Bundle
    from segsg.photos.input import Pixels
    from segsg.photos.page import Results

AddCommand = Callable[..., argparse.ArgumentParser]
SKIPPED, USAGE = 1, 2


def add_predict(commands, command: AddCommand) -> None:
    """Adds `segsg predict` to the command line; `command` makes the parser of a command."""
    added = command(commands, "predict", run_predict, "scene graphs of your photos: JSON, overlay and page for each")
    added.add_argument(
        "photos", nargs="+", type=user_path, metavar="PHOTO", help="files, or folders with all below them"
    )
    added.add_argument("--bundle", type=user_path, required=True, metavar="DIR", help="written by `segsg bundle`")
    added.add_argument("--out", type=user_path, required=True, metavar="DIR", help="for the results")
    added.add_argument("--top", type=_at_least(0), default=Wanted.top, metavar="N", help=f"of relations ({Wanted.top})")
    least = f"least score of a relation ({Wanted.threshold})"
    added.add_argument("--threshold", type=float, default=Wanted.threshold, metavar="S", help=least)
    added.add_argument("--batch", type=_at_least(1), default=8, metavar="N", help="photos computed at a time (8)")


def run_predict(options: argparse.Namespace) -> int:
    """JSON, picture and page of each photo. Exit code 0, or 1 if a photo was skipped, or 2 if nothing could begin."""
    try:
        if options.out.exists() and not options.out.is_dir():
            raise ValueError(f"{options.out}: is a file; name a folder for the results")
        wanted, photos = Wanted(options.top, options.threshold), find(options.photos, options.out)
        from segsg.photos.bundle import load_bundle

        bundle = load_bundle(options.bundle)
    except ValueError as error:
        print(error, file=sys.stderr)
        return USAGE
    results = predict(bundle, photos, out=options.out, wanted=wanted, batch=options.batch)
    done, skipped, page = len(results.thumbnails), len(results.skipped), results.close()
    print(f"{done} of {len(photos)} photos, {skipped} skipped." + (f" Page: {page}" if page else ""))
    if bundle.warning and done:
        print(bundle.warning, file=sys.stderr)
    return SKIPPED if skipped else 0


def predict(bundle: "Bundle", photos: list[Named], *, out: Path, wanted: Wanted, batch: int) -> "Results":
    """Writes the results of all photos that can be read, `batch` of them computed at a time.

    Several photos get an index; an older index in `out` gives way to one of this run.
    """
    from segsg.photos.page import Frame, Results

    results = Results(Frame(bundle.manifest.name, bundle.warning, index=len(photos) > 1 or has_index(out)), out)
    with tqdm(total=len(photos), desc="photos", unit="photo") as bar:
        for start in range(0, len(photos), batch):
            part = photos[start : start + batch]
            readable = dict(_readable(part, results.skipped))
            graphs = bundle.predict_all(list(readable.values()), wanted.top, wanted.threshold)
            for photo, graph in zip(readable, graphs, strict=True):
                results.add(photo, graph)
            bar.update(len(part))
    return results


def _readable(photos: Iterable[Named], skipped: list[str]) -> Iterator[tuple[Named, "Pixels"]]:
    """Photos that can be read, with their pixels; `skipped` gets a line about each other one."""
    from segsg.photos.input import read

    for photo in photos:
        try:
            yield photo, read(photo.path)
        except DataError as error:
            skipped.append(str(error))
            tqdm.write(f"Skipped: {error}", file=sys.stderr)


def add_bundle(commands, command: AddCommand) -> None:
    """Adds `segsg bundle` to the command line; `command` makes the parser of a command."""
    added = command(commands, "bundle", run_bundle, "write a trained experiment as one folder that needs nothing else")
    added.add_argument("key", nargs="?", help="an sgdet experiment (default: the best seg-grounded one)")
    added.add_argument("--out", type=user_path, required=True, metavar="DIR", help="an older bundle in it is replaced")
    added.add_argument("--full", action="store_true", help="weights as trained, not in half precision: twice the size")
    added.add_argument("--samples", type=_at_least(0), default=0, metavar="N", help="take so many test photos along")


def run_bundle(options: argparse.Namespace) -> int:
    """Writes the bundle of an experiment and prints where it is."""
    from segsg.photos.export import best_experiment, export

    params = load(PARAMS_FILE)
    key = options.key or best_experiment(params)
    out = export(params, key, options.out, half=not options.full, samples=options.samples)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"Bundle: {out} ({size / 1e6:.1f} MB)")
    return 0


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return int(text)

    return number
