"""Writes the bundle `photos` from its trained parts: `python -m segsg.photos.make_photos --help`.

The parts come from `segsg.photos.convert_ssd`, `segsg.photos.train_masks` and `segsg.photos.train_relations`. What was
measured of them, by `segsg bench photos`, goes into the card.
"""

import argparse
import shutil
import sys
from pathlib import Path

from matplotlib.figure import Figure
from safetensors.torch import save_file
from torch import nn

from segsg.detection.ssd import Limits, load_ssd
from segsg.figures.style import save
from segsg.files import DataError, plainly, read_json, to_json, user_path, whole_folder, write_text
from segsg.grounding.box_masks import WIDTH, load_masks
from segsg.photos.convert_ssd import LARGE
from segsg.photos.export import TEMPLATES, digests
from segsg.photos.folder import CARD, FORMAT, MANIFEST, PHOTOS, SAMPLES, SEEN, VERSION, WEIGHTS
from segsg.photos.photo_bundle import FINDER, MASKER, RELATER
from segsg.photos.relater import MANIFEST as RELATER_MANIFEST
from segsg.photos.relater import WEIGHTS as RELATER_WEIGHTS
from segsg.photos.relater import load_relater
from segsg.photos.reliability import Reliability, reliability_figure
from segsg.photos.shipped import BoxMasker, CocoSsd
from segsg.report.pages import environment

MOST_BYTES = 16 * 10**6
"""of the whole bundle, since it is part of a checkout"""
LICENCE = "MIT; the finder: Apache-2.0, see NOTICE and LICENSE; word vectors: GloVe (PDDL); samples: see the card"
CARD_TEMPLATE, DIAGRAM = "photos_card.md", "reliability.png"


def store(module: nn.Module, path: Path) -> None:
    """The weights of a part, large tensors in half precision: early layers, which are small, amplify errors."""
    path.parent.mkdir()
    weights = module.state_dict().items()
    save_file({name: (value.half() if value.numel() >= LARGE else value).contiguous() for name, value in weights}, path)


def diagram_of(relater: dict) -> Figure:
    """The reliability diagram of a relater by its manifest: test photos, before and after calibration."""
    found = relater["measured"]["reliability"]
    parts = ("counts", "said", "found")
    diagrams = {when: Reliability(*(found[when][part] for part in parts)) for when in ("before", "after")}
    return reliability_figure({f"{when} calibration": one for when, one in diagrams.items()})


def write(options: argparse.Namespace, out: Path) -> None:
    """All files of the bundle in the folder `out`, which is there and empty."""
    detector = load_ssd(options.detector)
    store(CocoSsd(detector, Limits()), out / FINDER / WEIGHTS)
    store(BoxMasker(load_masks(options.masks, detector.trunk)), out / MASKER / WEIGHTS)
    shutil.copyfile(options.masks.with_suffix(f".{SEEN}"), out / MASKER / SEEN)
    relater, known = load_relater(options.relater), read_json(options.relater / RELATER_MANIFEST)
    (out / RELATER).mkdir()
    for name in (RELATER_MANIFEST, RELATER_WEIGHTS, SEEN):
        shutil.copyfile(options.relater / name, out / RELATER / name)
    save(diagram_of(known), out / RELATER / DIAGRAM)
    shutil.copytree(options.samples, out / SAMPLES)
    for name in ("LICENSE", "NOTICE"):
        shutil.copyfile(options.licence / name, out / name)
    measured = read_json(options.measured) if options.measured else None
    facts = {"measured": measured, "relater": known, "names": relater.names}
    card = environment(TEMPLATES).get_template(CARD_TEMPLATE).render(predicates=relater.predicates, **facts)
    write_text(out / CARD, card)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "kind": PHOTOS,
        "name": "photos",
        "licence": LICENCE,
        "trained": {"measured": measured},
        "warning": None,
        FINDER: {"kind": "coco-ssd", "settings": {}},
        MASKER: {"kind": "box-masks", "settings": {"width": WIDTH}},
        RELATER: {"kind": "names-and-boxes", "settings": {}},
    }
    files = digests(out)
    size = sum((out / name).stat().st_size for name in files)
    if size > MOST_BYTES:
        raise DataError(out, "files", f"have {size:,} bytes, more than {MOST_BYTES:,}", "give smaller samples")
    write_text(out / MANIFEST, to_json(manifest | {"files": files}))


def main() -> int:
    """Writes the bundle that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", type=user_path, required=True, help="written by segsg.photos.convert_ssd")
    parser.add_argument("--masks", type=user_path, required=True, help="written by segsg.photos.train_masks")
    parser.add_argument("--relater", type=user_path, required=True, help="folder of segsg.photos.train_relations")
    parser.add_argument(
        "--licence", type=user_path, required=True, help="folder with the detector's LICENSE and NOTICE"
    )
    parser.add_argument("--samples", type=user_path, required=True, help="folder of free photos")
    parser.add_argument("--measured", type=user_path, help="figures for the card, JSON of `segsg bench photos`")
    parser.add_argument("--out", type=user_path, default=Path("bundles/photos"))
    options = parser.parse_args()
    try:
        with whole_folder(options.out) as part:
            write(options, part)
    except (ValueError, OSError) as error:
        print(plainly(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
