"""The tables of a study by name: the one list that notebook, pages and pipeline share."""

from collections.abc import Callable

from segsg.report.ablation import table4
from segsg.report.borrowed_table import transfer_quality
from segsg.report.mask_tables import class_gains, table2
from segsg.report.recall_tables import table1, table3
from segsg.report.supplement import no_overlap_mean, no_overlap_zero, paper_images, predicates
from segsg.report.table import Table
from segsg.report.worth import table5

TABLES: dict[str, Callable[[dict, dict], Table]] = {
    "table1": table1,
    "table2": table2,
    "table3": table3,
    "table4": table4,
    "table5": lambda results, _: table5(results),
    "predicates": lambda results, _: predicates(results),
    "class_gains": lambda results, _: class_gains(results),
    "no_overlap_mean": lambda results, _: no_overlap_mean(results),
    "no_overlap_zero": lambda results, _: no_overlap_zero(results),
    "paper_images": lambda results, _: paper_images(results),
    "transfer_quality": lambda results, _: transfer_quality(results),
}
"""name -> function of the content of results.json and of the paper's values"""
