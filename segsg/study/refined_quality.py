"""Whether refinement also helps the masks that scene graphs borrow, against the true ones of a drawn world."""

import copy

from segsg.study import data, scene_graphs
from segsg.study.mask_precision import refines
from segsg.study.params import Params
from segsg.study.transfer_quality import fit, true_regions


def borrowed_masks(params: Params, key: str) -> dict:
    """`borrowed_masks`: mean IoU by class, "unrefined" and "refined", in true boxes of test images.

    Nothing for experiments that do not refine, for SGDet, whose boxes are not the true ones, and where true masks are
    not known.
    """
    known = params.data.scene_graphs.true_masks is not None
    if not known or not refines(params, key) or params.experiments[key].task == "sgdet":
        return {}
    model, names = scene_graphs.load_model(params, key), data.vocabulary(params).classes
    segmenter = copy.deepcopy(model.extractor.segmenter).cpu()
    looks = {"unrefined": lambda batch: model.detector.look(batch, model.task), "refined": model.look}
    return {"borrowed_masks": {name: fit(true_regions(params, look), segmenter, names) for name, look in looks.items()}}
