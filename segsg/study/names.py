"""How tables and figures print the names of params.yaml: in the paper's spelling."""

TASKS = {"predcls": "PredCls", "sgcls": "SGCls", "sgdet": "SGDet"}
MODELS = {
    "frequency": "Frequency",
    "names_and_boxes": "Names and boxes",
    "imp": "IMP",
    "motifs": "MOTIF",
    "vctree": "VCTree",
    "transformer": "Transformer",
}
METHODS = {
    "published": "published",
    "frequency": "no pixels",
    "baseline": "baseline",
    "seg-grounded": "seg-grounded",
    "full": "seg-grounded, refined",
    "ours": "ours",
}
DETECTORS = {
    "vgg16": "VGG-16",
    "vgg-mini": "VGG, mini",
    "vgg-tiny": "VGG, tiny",
    "resnext101-fpn": "ResNeXt-101-FPN",
    "resnext-mini-fpn": "ResNeXt-FPN, mini",
    "resnext-tiny-fpn": "ResNeXt-FPN, tiny",
}
PAPER_DETECTORS = {backbone: "VGG-16" if backbone.startswith("vgg") else "ResNeXt-101-FPN" for backbone in DETECTORS}
"""the paper's detector of the same family"""


def model_name(model: str) -> str:
    return MODELS.get(model, model)


def detector_name(backbone: str) -> str:
    return DETECTORS.get(backbone, backbone)


def method_name(method: str) -> str:
    return METHODS.get(method, method)


def rank(names: dict[str, str], name: str) -> tuple[int, str]:
    """Sorts names as a dictionary lists them, unknown ones last."""
    return (list(names).index(name) if name in names else len(names), name)
