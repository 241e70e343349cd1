"""How good the masks are: table 2, the gain of each mask class, and masks that scene graph classes borrow."""

from statistics import mean

from segsg.report.cells import Cell, cell
from segsg.report.layout import Column, Row, Table
from segsg.report.tables import Systems, order
from segsg.study.names import DETECTORS, MODELS, PAPER_DETECTORS, TASKS, detector_name, model_name, rank
from segsg.study.rows import RECTANGLES, REFINEMENT, UNREFINED, System, is_refined, seeds, settings

PRECISIONS = ("AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L")
UNREFINED_NAME = "no refine"
REFINED_NAMES = {UNREFINED: UNREFINED_NAME, "inference": "refine", "training": "refine, in training too"}
REFINED_MASKS = "refined by a model"
MODES = {RECTANGLES: "", "softmax": "", "dot": "", "cosine": "", "oracle": ""}
"""in the order of the table"""
Line = tuple[str, str, str]
"""(backbone, model or nothing, refinement)"""
AVERAGES = {"all": ("copied", "combined"), "copied": ("copied",), "combined": ("combined",)}


def table2(results: dict, paper: dict) -> Table:
    """Average precision of masks on the mask set, as the detector gives them and as each model refines them."""
    refined = refined_systems(results)
    lines = dict.fromkeys((one.backbone, "", UNREFINED) for one in refined)
    lines |= dict.fromkeys((one.backbone, one.model, settings(results, one)[REFINEMENT]) for one in refined)
    lines = sorted(lines, key=lambda line: (rank(DETECTORS, line[0]), rank({"": ""} | MODELS, line[1]), line[2]))
    tasks = [task for task in TASKS if any(one.task == task for one in refined)]
    rows = [_precision_row(results, refined, line, tasks, paper["table2"]) for line in lines]
    rows += _papers_alone(lines, tasks, paper["table2"]) if rows else []
    return Table(
        "table2",
        "Table 2: precision of masks",
        results["profile"],
        ("Detector", "Model", "Masks"),
        tuple((TASKS[task], name) for task in tasks for name in PRECISIONS),
        tuple(rows),
        "Average precision of masks on the mask set's validation images, per cent: ours / the paper's. PredCls: true "
        "boxes and classes; SGCls: true boxes, predicted class and its probability; SGDet: the regions of the scene "
        "graph, each under its likeliest class.",
        f"The study “{results['profile']}” has no row for this table: none of its models refines masks.",
        (
            "The paper's SGCls numbers score a mask with the probability of its true class, which a model cannot know; "
            "ours with that of the class that it names.",
            "In PredCls every mask scores 1, so nothing ranks them, and AP may be lower than in SGCls.",
            "AP_S, AP_M, AP_L: areas up to 32², 96² and beyond, in pixels; a dash where no true mask is as large.",
        ),
    )


def refined_systems(results: dict) -> Systems:
    """Models that differ from the full one at most in when they refine, and whose masks were measured."""
    found = {
        one: [row for row in rows if row.get("masks")]
        for one, rows in seeds(results).items()
        if is_refined(results, one) and not one.disjoint and {name for name, _ in one.changes} <= {REFINEMENT}
    }
    return {one: found[one] for one in sorted(found, key=order) if found[one]}


def unrefined(results: dict, backbone: str, task: str) -> dict | None:
    """Precision of the masks of the joint detector as they are; in SGDet the detector's own if no model has it."""
    for one, rows in seeds(results).items():
        if one.joint and not one.disjoint and (one.backbone, one.task) == (backbone, task):
            found = rows[0].get("unrefined_masks") if is_refined(results, one) else rows[0].get("masks")
            if found:
                return found
    joint = [d for d in results["detectors"].values() if d["backbone"] == backbone and d["joint"]]
    measured = [d["metrics"] for d in joint if "masks" in d["metrics"] and not d.get("disjoint")]
    return measured[0]["masks"] if measured and task == "sgdet" else None


def _precision_row(results: dict, refined: Systems, line: Line, tasks: list[str], paper: list[dict]) -> Row:
    backbone, model, refinement = line
    published = {} if refinement == "training" else _published(paper, backbone, model)
    cells = {}
    for task in tasks:
        found = _measured(results, refined, line, task)
        for place, name in enumerate(PRECISIONS):
            values = [{"value": masks.get(name)} for masks in found]
            theirs = published[task][place] if published else None
            cells[(TASKS[task], name)] = cell(values, theirs, published.get("status", ""))
    return Row((detector_name(backbone), model_name(model) or "none", REFINED_NAMES[refinement]), cells)


def _papers_alone(lines: list[Line], tasks: list[str], paper: list[dict]) -> list[Row]:
    """Rows of the paper that the study has no counterpart of."""
    ours = {(PAPER_DETECTORS.get(backbone), MODELS.get(model)) for backbone, model, _ in lines}
    return [
        Row(
            (row["detector"], row["model"] or "none", REFINED_NAMES["inference"] if row["model"] else UNREFINED_NAME),
            {
                (TASKS[task], name): Cell(paper=value, status=row["status"])
                for task in tasks
                for name, value in zip(PRECISIONS, row[task], strict=True)
            },
        )
        for row in paper
        if (row["detector"], row["model"]) not in ours
    ]


def _measured(results: dict, refined: Systems, line: Line, task: str) -> list[dict]:
    if line[2] == UNREFINED:
        plain = unrefined(results, line[0], task)
        return [] if plain is None else [plain]
    mine = [one for one in refined if (one.backbone, one.model, settings(results, one)[REFINEMENT]) == line]
    return [row["masks"] for one in mine if one.task == task for row in refined[one]]


def _published(paper: list[dict], backbone: str, model: str) -> dict:
    for row in paper:
        if (row["detector"], row["model"]) == (PAPER_DETECTORS.get(backbone), MODELS.get(model)):
            return row
    return {}


def class_gains(results: dict) -> Table:
    """What refinement adds to the precision of each mask class, largest first."""
    pairs = {}
    for one, rows in refined_systems(results).items():
        if settings(results, one)[REFINEMENT] != "inference":
            continue
        before = (unrefined(results, one.backbone, one.task) or {}).get("per_class")
        after = [row["masks"]["per_class"] for row in rows if row["masks"].get("per_class")]
        if before and after:
            pairs[one] = (before, [_mean(values) for values in zip(*after, strict=True)])
    count = max((len(before) for before, _ in pairs.values()), default=0)
    names = results.get("mask_classes") or [f"class {label}" for label in range(1, count + 1)]
    rows = [Row((names[i],), _class_cells(pairs, i)) for i in range(count)]
    rows.sort(key=lambda row: -_gain(row))
    return Table(
        "class_gains",
        "Masks, class by class",
        results["profile"],
        ("Mask class",),
        tuple(column for one in pairs for column in _class_columns(one)),
        tuple(rows),
        "Average precision (AP) of each class of the mask set, per cent, and what refinement adds to it in points.",
        f"The study “{results['profile']}” has no row for this table: no refined model's masks were measured by class.",
    )


def _class_columns(one: System) -> list[Column]:
    place = " · ".join((model_name(one.model), detector_name(one.backbone), TASKS[one.task]))
    return [(place, name) for name in (UNREFINED_NAME, "refine", "gain")]


def _class_cells(pairs: dict, i: int) -> dict[Column, Cell]:
    cells = {}
    for one, (before, after) in pairs.items():
        known = before[i] is not None and after[i] is not None
        values = (before[i], after[i], after[i] - before[i] if known else None)
        for column, value in zip(_class_columns(one), values, strict=True):
            cells[column] = cell([{"value": value}])
    return cells


def _gain(row: Row) -> float:
    gains = [found.value for (_, name), found in row.cells.items() if name == "gain" and found.value is not None]
    return mean(gains) if gains else float("-inf")


def _mean(values: tuple[float | None, ...]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known else None


def transfer_quality(results: dict) -> Table:
    """Overlap of transferred masks with true ones on scene graph images, which only a drawn world knows."""
    measured = _borrowed_quality(results) | _refined_quality(results)
    columns = sorted(measured, key=lambda column: (_place(column[0]), column[0], *rank(MODES, column[1])))
    copied = set(results.get("copied_classes") or ())
    kinds = {name: "copied" if name in copied else "combined" for column in columns for name in measured[column]}
    names = sorted(kinds, key=lambda name: (kinds[name] != "copied", name))
    averages = [
        (f"mean of {what} classes", [n for n in names if kinds[n] in which]) for what, which in AVERAGES.items()
    ]
    lines = [(label, "", members) for label, members in averages if members]
    lines += [(name, kinds[name], [name]) for name in names]
    rows = [
        Row((name, kind), {column: _overlap(measured[column], members) for column in columns})
        for name, kind, members in lines
    ]
    return Table(
        "transfer_quality",
        "Borrowed masks against true ones",
        results["profile"],
        ("Class", "Mask"),
        tuple(columns),
        tuple(rows),
        "Mean intersection over union, per cent, of transferred and true masks in the true boxes of scene graph "
        "images, by way of transfer (eq. 3). Copied: the class takes the mask of one class of the same name or "
        "meaning; combined: a mixture. The oracle knows which mask class is drawn alike; refined masks are those of a "
        "model that learned to refine on the mask set alone (eq. 9).",
        f"The study “{results['profile']}” has no row for this table: its scene graph images have no true masks.",
    )


def _borrowed_quality(results: dict) -> dict[Column, dict]:
    """By way of transfer; of further detectors under their name, without rectangles, which are the same for all."""
    found = {}
    for name, overlaps in (results.get("transfer_quality") or {}).items():
        mode, _, key = name.partition(", ")
        if not key or mode != RECTANGLES:
            found[(_detector(results, key) if key else "", mode)] = overlaps
    return found


def _detector(results: dict, key: str) -> str:
    row = results["detectors"][key]
    return detector_name(row["backbone"]) + (", without shared photos" if row.get("disjoint") else "")


def _place(group: str) -> int:
    """The first detector's own columns, then refined ones, then those of other detectors."""
    return 0 if not group else 1 if group == REFINED_MASKS else 2


def _refined_quality(results: dict) -> dict[Column, dict]:
    """The same of masks that a model refined, by the model's name; of several seeds the first."""
    found = {}
    for one, rows in seeds(results).items():
        if rows[0].get("borrowed_masks") and not one.disjoint:
            training = ", in training too" if settings(results, one)[REFINEMENT] == "training" else ""
            place = f"{model_name(one.model)}, {TASKS[one.task]}{training}"
            found[(REFINED_MASKS, place)] = rows[0]["borrowed_masks"]["refined"]
    return found


def _overlap(measured: dict[str, float | None], members: list[str]) -> Cell:
    return cell([{"value": _mean(tuple(measured.get(name) for name in members))}])
