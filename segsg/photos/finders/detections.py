"""Opens a user's detections, whatever their format: the only place that tells formats apart."""

from pathlib import Path

from segsg.files import DataError, read_json
from segsg.photos.finders.coco import of_coco
from segsg.photos.finders.entries import Detections
from segsg.photos.finders.names import read_names
from segsg.photos.finders.plain import EXAMPLE, of_plain
from segsg.photos.finders.yolo import of_yolo
from segsg.values import field


def read_detections(path: Path, classes: Path | None = None) -> Detections:
    """The detections at `path`: a folder of YOLO's text files, or JSON of COCO's layouts or the plain one.

    `classes` names the classes: one name a line, or a COCO file with `categories`, whose `images` count too. Text
    files count from 0 for YOLO and from 1 for COCO. DataError, in one line with the way out, for anything else.
    """
    if path.is_dir():
        return of_yolo(path, None if classes is None else read_names(classes, 0))
    content = read_json(path)
    if type(content) is list or (type(content) is dict and "annotations" in content):
        names = None if classes is None else read_names(classes, 1)
        return of_coco(path, content, names, _images(classes))
    if type(content) is not dict:
        raise DataError(path, "file", "holds no detections", EXAMPLE)
    if classes is not None:
        raise DataError(classes, "classes", f"are not needed: {path} has names", "leave out --classes")
    return of_plain(path, content)


def _images(classes: Path | None) -> list | None:
    """The list of images in a COCO file of class names, if it has one."""
    if classes is None or classes.suffix.lower() != ".json":
        return None
    content = read_json(classes)
    return field(classes, "file", content, "images", list) if "images" in content else None
