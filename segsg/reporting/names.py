"""How tables and figures print the names of params.yaml: in the paper's spelling."""

TASKS = {"predcls": "PredCls", "sgcls": "SGCls", "sgdet": "SGDet"}
MODELS = {"imp": "IMP", "motifs": "MOTIF", "vctree": "VCTree", "frequency": "Frequency"}
METHODS = {"baseline": "baseline", "seg-grounded": "seg-grounded", "frequency": "no pixels"}
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
