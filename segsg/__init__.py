"""Segmentation-grounded scene graph generation: the study, its models and its tools (docs/architecture.md).

`segsg.load("photos").predict("x.jpg")` is the graph of a photo.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version(__name__)
except PackageNotFoundError:  # a folder that was copied and not installed
    __version__ = "unknown"


def load(bundle="photos", device=None):
    """A bundle with its `predict(photo)`: a shipped one by name, a folder, or https://...zip#sha256=...

    It is on a GPU if there is one and `device` does not say otherwise. ValueError says in one line what is wrong.
    """
    from segsg.photos.load import load  # takes seconds, which `import segsg` should not

    return load(bundle, device)
