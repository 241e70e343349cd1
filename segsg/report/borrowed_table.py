"""How well masks that scene graph classes borrow cover the true ones, which only a drawn world knows."""

from segsg.report.cells import Cell, cell
from segsg.report.flat import is_rising
from segsg.report.mask_tables import mean_of_known
from segsg.report.table import Column, Table, TableRow
from segsg.study.names import TASKS, detector_name, model_name, rank
from segsg.study.rows import RECTANGLES, lines

REFINED_MASKS = "refined by a model"
MODES = {RECTANGLES: "", "softmax": "", "dot": "", "cosine": "", "oracle": "", "refined": ""}
"""in the order of the table"""
AVERAGES = {"all": ("copied", "combined"), "copied": ("copied",), "combined": ("combined",)}


def transfer_quality(results: dict) -> Table:
    """Overlap of transferred masks with true ones on scene graph images, which only a drawn world knows."""
    measured = _borrowed_quality(results) | _refined_quality(results)
    columns = sorted(measured, key=lambda column: (_position(column[0]), column[0], *rank(MODES, column[1])))
    copied = set(results.get("copied_classes") or ())
    kinds = {name: "copied" if name in copied else "combined" for column in columns for name in measured[column]}
    names = sorted(kinds, key=lambda name: (kinds[name] != "copied", name))
    averages = [
        (f"mean of {what} classes", [n for n in names if kinds[n] in which]) for what, which in AVERAGES.items()
    ]
    described = [(label, "", members) for label, members in averages if members]
    described += [(name, kinds[name], [name]) for name in names]
    rows = [
        TableRow((name, kind), {column: _overlap(measured[column], members) for column in columns})
        for name, kind, members in described
    ]
    if owned := _ownership(results):
        cells = {column: cell([{"value": owned.get(column)}]) for column in columns}
        rows.insert(0, TableRow(("ownership", ""), cells))
    return Table(
        name="transfer_quality",
        title="Borrowed masks against true ones",
        profile=results["profile"],
        heads=("Class", "Mask"),
        columns=tuple(columns),
        rows=tuple(rows),
        caption="Mean intersection over union, per cent, of transferred and true masks in the true boxes of scene "
        "graph images, by way of transfer (eq. 3). Copied: the class takes the mask of one class of the same name or "
        "meaning; combined: a mixture. The oracle knows which mask class is drawn alike; refined are masks of the "
        "study's own way behind the pixel refiner; masks refined by a model are those of one that learned to refine "
        "on the mask set alone (eq. 9). Ownership: of the cells where two related regions meet, those that the masks "
        "give to the right one of them.",
        why_empty="its scene graph images have no true masks",
        rising=frozenset(column for column, seeds in _refiners(results).items() if is_rising([seeds])),
    )


def _ownership(results: dict) -> dict[Column, float | None]:
    """By way of transfer, the share of cells with the right owner where two related regions meet."""
    shares = {}
    for name, share in (results.get("ownership") or {}).items():
        mode, _, key = name.partition(", ")
        shares[(_detector(results, key) if key else "", mode)] = share
    return shares


def _borrowed_quality(results: dict) -> dict[Column, dict]:
    """By way of transfer; of further detectors under their name, without rectangles, which are the same for all."""
    measured = {}
    for name, overlaps in (results.get("transfer_quality") or {}).items():
        mode, _, key = name.partition(", ")
        if not key or mode != RECTANGLES:
            measured[(_detector(results, key) if key else "", mode)] = overlaps
    return measured


def _detector(results: dict, key: str) -> str:
    row = results["detectors"][key]
    return detector_name(row["backbone"]) + (", without shared photos" if row.get("disjoint") else "")


def _position(group: str) -> int:
    """Sorts the first detector's own columns before refined ones, and those before the columns of other detectors."""
    return 0 if not group else 1 if group == REFINED_MASKS else 2


def _refined_quality(results: dict) -> dict[Column, dict]:
    """Overlaps of masks that a model refined, under the model's name; of several seeds the first."""
    return {column: seeds[0]["borrowed_masks"]["refined"] for column, seeds in _refiners(results).items()}


def _refiners(results: dict) -> dict[Column, list[dict]]:
    """The seeds of each line whose refined masks were measured, by their column."""
    found = {}
    for row, seeds in lines(results).items():
        if seeds[0].get("borrowed_masks") and not row.detector.disjoint:
            training = ", in training too" if row.grounding.refinement == "training" else ""
            found[(REFINED_MASKS, f"{model_name(row.model)}, {TASKS[row.task]}{training}")] = seeds
    return found


def _overlap(measured: dict[str, float | None], members: list[str]) -> Cell:
    return cell([{"value": mean_of_known(measured.get(name) for name in members)}])
