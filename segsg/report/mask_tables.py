"""How good refined masks are: table 2, and the gain of each mask class."""

from dataclasses import replace
from statistics import mean

from segsg.report.cells import Cell, cell
from segsg.report.flat import is_rising
from segsg.report.recall_tables import Lines, order, place_labels
from segsg.report.table import Column, Table, TableRow
from segsg.study.names import DETECTORS, MODELS, PAPER_DETECTORS, TASKS, detector_name, model_name, rank
from segsg.study.rows import REFINEMENT, UNREFINED, Row, lines

PRECISIONS = ("AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L")
UNREFINED_NAME, REFINED_NAME, GAIN = "no refine", "refine", "gain"
REFINED_NAMES = {UNREFINED: UNREFINED_NAME, "inference": REFINED_NAME, "training": "refine, in training too"}
Kind = tuple[str, str, str, bool]
"""(backbone, model or nothing, refinement, whether the pixel refiner comes last): what a row of table 2 is about"""
PIXEL_NAME = "pixel refiner"
BEFORE_AND_AFTER = {"masks": False, "pixel_masks": True}
"""name of a measurement -> whether its masks have passed the pixel refiner"""
PROTOCOLS = TASKS | {"detections": "Detections"}
"""groups of columns of table 2; the last is of the detector alone"""


def table2(results: dict, paper: dict) -> Table:
    """AP of masks on the mask set, as the detector gives them, as each model refines them, and by the pixel refiner."""
    measured = _measured(results)
    kinds = sorted(measured, key=lambda kind: (rank(DETECTORS, kind[0]), rank({"": ""} | MODELS, kind[1]), *kind[2:]))
    protocols = [name for name in PROTOCOLS if any(name in of_kind for of_kind in measured.values())]
    trained = refined_lines(results)
    rows = [_precision_row(kind, measured[kind], protocols, paper["table2"]) for kind in kinds]
    rows = [replace(row, is_rising=is_rising(_lines_of(trained, kind))) for kind, row in zip(kinds, rows, strict=True)]
    rows += _papers_alone(kinds, protocols, paper["table2"]) if rows else []
    return Table(
        name="table2",
        title="Table 2: precision of masks",
        profile=results["profile"],
        heads=("Detector", "Model", "Masks"),
        columns=tuple((PROTOCOLS[protocol], name) for protocol in protocols for name in PRECISIONS),
        rows=tuple(rows),
        caption="Average precision of masks on the mask set's validation images, per cent: ours / the paper's. "
        "PredCls: true boxes and classes; SGCls: true boxes, predicted class and its probability; SGDet: the regions "
        "of the scene graph, each under its likeliest class; Detections: all that the detector finds. Refine: by a "
        "model (eq. 8). Pixel refiner: not in the paper; it starts from the masks of the row above.",
        why_empty="none of its masks was refined",
        notes=(
            "The paper's SGCls numbers score a mask with the probability of its true class, which a model cannot know; "
            "ours with that of the class that it names.",
            "In PredCls every mask scores 1, so nothing ranks them, and AP may be lower than in SGCls.",
            "AP_S, AP_M, AP_L: areas up to 32², 96² and beyond, in pixels; a dash where no true mask is as large.",
        ),
    )


def _measured(results: dict) -> dict[Kind, dict[str, list[dict]]]:
    """By what a row is about and by protocol, the AP of each of its seeds; a detector's own masks are always a row."""
    found: dict[Kind, dict[str, list[dict]]] = {}
    for detector in (one for one in results["detectors"].values() if not one.get("disjoint")):
        for protocol, both in (detector.get("mask_precision") or {}).items():
            for name, pixels in BEFORE_AND_AFTER.items():
                own = found.setdefault((detector["backbone"], "", UNREFINED, pixels), {})
                own.setdefault(protocol, []).append(both[name])
    for row, seeds in refined_lines(results).items():
        backbone = row.detector.backbone
        own = found.setdefault((backbone, "", UNREFINED, False), {})
        if row.task not in own and (masks := unrefined(results, backbone, row.task)):
            own[row.task] = [masks]
        for name, pixels in BEFORE_AND_AFTER.items():
            if values := [seed[name] for seed in seeds if seed.get(name)]:
                found.setdefault((backbone, row.model, row.grounding.refinement, pixels), {})[row.task] = values
    return found


def refined_lines(results: dict) -> Lines:
    """Lines of refined rows that change `refinement` alone, with the seeds whose masks were measured."""
    measured = {
        row: [seed for seed in seeds if seed.get("masks")]
        for row, seeds in lines(results).items()
        if row.is_refined and not row.detector.disjoint and {name for name, _ in row.changes} <= {REFINEMENT}
    }
    return {row: measured[row] for row in sorted(measured, key=order) if measured[row]}


def _lines_of(refined: Lines, kind: Kind) -> list[list[dict]]:
    """The seeds of the lines whose masks are in a row of table 2."""
    backbone, model, refinement, _ = kind
    return [
        seeds
        for row, seeds in refined.items()
        if (row.detector.backbone, row.model, row.grounding.refinement) == (backbone, model, refinement)
    ]


def unrefined(results: dict, backbone: str, task: str) -> dict | None:
    """Precision of the masks of the joint detector as they are; in SGDet the detector's own if no model has it."""
    for row, seeds in lines(results).items():
        detector = row.detector
        if detector.joint and not detector.disjoint and (detector.backbone, row.task) == (backbone, task):
            masks = seeds[0].get("unrefined_masks" if row.is_refined else "masks")
            if masks:
                return masks
    joint = [d for d in results["detectors"].values() if d["backbone"] == backbone and d["joint"]]
    measured = [d["metrics"] for d in joint if "masks" in d["metrics"] and not d.get("disjoint")]
    return measured[0]["masks"] if measured and task == "sgdet" else None


def _precision_row(kind: Kind, measured: dict[str, list[dict]], protocols: list[str], paper: list[dict]) -> TableRow:
    backbone, model, refinement, pixels = kind
    published = {} if pixels or refinement == "training" else _published(paper, backbone, model)
    cells = {}
    for protocol in protocols:
        theirs = published.get(protocol) or [None] * len(PRECISIONS)
        for name, value in zip(PRECISIONS, theirs, strict=True):
            values = [{"value": masks.get(name)} for masks in measured.get(protocol, ())]
            cells[(PROTOCOLS[protocol], name)] = cell(values, value, published.get("status", ""))
    return TableRow(
        (detector_name(backbone), model_name(model) or "none", _masks_name(model, refinement, pixels)), cells
    )


def _masks_name(model: str, refinement: str, pixels: bool) -> str:
    """ "no refine", "pixel refiner", "refine", "refine, then pixel refiner"."""
    if not pixels:
        return REFINED_NAMES[refinement]
    return f"{REFINED_NAMES[refinement]}, then {PIXEL_NAME}" if model else PIXEL_NAME


def _papers_alone(kinds: list[Kind], protocols: list[str], paper: list[dict]) -> list[TableRow]:
    """Rows of the paper that the study has no counterpart of."""
    ours = {(PAPER_DETECTORS.get(backbone), MODELS.get(model)) for backbone, model, _, _ in kinds}
    nothing = [None] * len(PRECISIONS)
    return [
        TableRow(
            (row["detector"], row["model"] or "none", REFINED_NAME if row["model"] else UNREFINED_NAME),
            {
                (PROTOCOLS[protocol], name): Cell(paper=value, status=row["status"])
                for protocol in protocols
                for name, value in zip(PRECISIONS, row.get(protocol, nothing), strict=True)
            },
        )
        for row in paper
        if (row["detector"], row["model"]) not in ours
    ]


def _published(paper: list[dict], backbone: str, model: str) -> dict:
    for row in paper:
        if (row["detector"], row["model"]) == (PAPER_DETECTORS.get(backbone), MODELS.get(model)):
            return row
    return {}


def before_and_after(
    place: str, names: tuple[str, str], before: float | None, after: float | None
) -> dict[Column, Cell]:
    """Two fractions and the gain from one to the other, in columns under `place`."""
    gain = None if before is None or after is None else after - before
    values = zip((*names, GAIN), (before, after, gain), strict=True)
    return {(place, name): cell([{"value": value}]) for name, value in values}


def place_name(row: Row) -> str:
    """The place of a row of the study, as the head of several columns."""
    return " · ".join(place_labels(row))


def class_gains(results: dict) -> Table:
    """What refinement adds to the precision of each mask class, largest first."""
    pairs, rising = {}, set()
    for row, seeds in refined_lines(results).items():
        if row.grounding.refinement != "inference":
            continue
        before = (unrefined(results, row.detector.backbone, row.task) or {}).get("per_class")
        after = [seed["masks"]["per_class"] for seed in seeds if seed["masks"].get("per_class")]
        if before and after:
            rising |= {place_name(row)} if is_rising([seeds]) else set()
            pairs[place_name(row)] = list(zip(before, map(mean_of_known, zip(*after, strict=True)), strict=True))
    count = max(map(len, pairs.values()), default=0)
    names = results.get("mask_classes") or [f"class {label}" for label in range(1, count + 1)]
    columns = (UNREFINED_NAME, REFINED_NAME)
    cells = [
        {c: x for place, values in pairs.items() for c, x in before_and_after(place, columns, *values[i]).items()}
        for i in range(count)
    ]
    rows = sorted(map(TableRow, ((names[i],) for i in range(count)), cells), key=lambda row: -_gain(row))
    return Table(
        name="class_gains",
        title="Masks, class by class",
        profile=results["profile"],
        heads=("Mask class",),
        columns=tuple(cells[0]) if cells else (),
        rows=tuple(rows),
        rising=frozenset(column for column in (cells[0] if cells else ()) if column[0] in rising),
        caption="Average precision (AP) of each class of the mask set, per cent, and what refinement adds to it in "
        "points.",
        why_empty="no refined model's masks were measured by class",
    )


def _gain(row: TableRow) -> float:
    gain = mean_of_known([cell.value for (_, name), cell in row.cells.items() if name == GAIN])
    return float("-inf") if gain is None else gain


def mean_of_known(values) -> float | None:
    """The mean of what is not None; None if nothing is left."""
    known = [value for value in values if value is not None]
    return mean(known) if known else None
