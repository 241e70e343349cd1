"""params.yaml as frozen dataclasses, one per section: what every key means."""

import dataclasses
import difflib
import math
import re
import types
import typing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from segsg.files import read_yaml

PARAMS_FILE = Path("params.yaml")


@dataclass(frozen=True)
class Range:
    """Values that a number may have: from `least` to `most`, both included unless `open` says that `least` is not."""

    least: int | float
    most: int | float = math.inf
    open: bool = False

    def check(self, value: int | float, where: str) -> None:
        """ValueError if a number lies outside or is not finite."""
        if not math.isfinite(value) or not self.least <= value <= self.most or (self.open and value == self.least):
            least = f"{'more than' if self.open else 'at least'} {self.least:g}"
            most = "" if math.isinf(self.most) else f" and at most {self.most:g}"
            raise ValueError(f"{where}: {value} is not a number of {least}{most}")


@dataclass(frozen=True)
class Plain:
    """Names that may stand in paths and commands as they are."""

    def check(self, value: str, where: str) -> None:
        """ValueError for a name with anything but letters, digits, dots, dashes and underscores, or a leading dot."""
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", value):
            rule = "begin with a letter or digit, then letters, digits, dots, dashes and underscores"
            raise ValueError(f"{where}: the name {value!r} is not plain; {rule}")


@dataclass(frozen=True)
class Ascending:
    """Lists whose numbers rise from one to the next."""

    least: int = 0
    """fewest numbers"""

    def check(self, value: list, where: str) -> None:
        """ValueError for a list that is too short, or in another order, or has a number twice."""
        if len(value) < self.least or value != sorted(set(value)):
            raise ValueError(f"{where}: {value} is not a list of at least {self.least} ascending, distinct numbers")


@dataclass(frozen=True)
class Odd:
    """Whole numbers with a middle."""

    def check(self, value: int, where: str) -> None:
        """ValueError for an even number."""
        if value % 2 == 0:
            raise ValueError(f"{where}: {value} is even; an odd number of cells has one in the middle")


Count = typing.Annotated[int, Range(0, 2**31 - 1)]
Positive = typing.Annotated[int, Range(1, 2**31 - 1)]
Width = typing.Annotated[int, Range(1, 2**16)]
"""of a layer, in channels"""
Side = typing.Annotated[int, Range(1, 2**13)]
"""of a photo, in pixels"""
Proposals = typing.Annotated[int, Range(1, 10**5)]
Regions = typing.Annotated[int, Range(1, 1000)]
"""of an image; every two of them are a pair"""
Share = typing.Annotated[float, Range(0, 1)]
Dropped = typing.Annotated[float, Range(0, 0.99)]
AtLeastZero = typing.Annotated[float, Range(0)]
MoreThanZero = typing.Annotated[float, Range(0, open=True)]
Name = typing.Annotated[str, Plain()]
Method = typing.Literal["baseline", "seg-grounded", "frequency"]
BackboneName = typing.Literal["vgg16", "resnext101-fpn", "vgg-mini", "resnext-mini-fpn", "vgg-tiny", "resnext-tiny-fpn"]
"""those of `segsg.detection.backbones`, known here without its seconds of imports"""
TaskName = typing.Literal["predcls", "sgcls", "sgdet"]


@dataclass(frozen=True)
class SceneGraphFiles:
    """Files of a scene graph set in Visual Genome's layout."""

    annotations: Path
    """VG-SGG.h5"""
    vocabulary: Path
    """VG-SGG-dicts.json"""
    images: Path
    """image_data.json"""
    photos: Path
    """folder of IMAGE_ID.jpg"""
    true_masks: Path | None = None
    """masks of the validation and test images, for evaluation and oracles; a drawn world has them, Visual Genome not"""
    true_masks_train: Path | None = None
    """masks of the training images, for oracles alone"""


@dataclass(frozen=True)
class MaskFiles:
    """Files of one split of a mask set in COCO's layout."""

    annotations: Path
    """instances_*.json"""
    photos: Path
    """folder of the photos that it names"""


@dataclass(frozen=True)
class Data:
    """The two sets, what knows the similarity of their classes, and how photos are resized."""

    source: typing.Literal["drawn", "files"]
    """what the photos are of, for a bundle's warning; the section `world` is what draws the files"""
    scene_graphs: SceneGraphFiles
    masks_train: MaskFiles
    masks_validation: MaskFiles
    word_vectors: Path
    """a GloVe text file"""
    name_pairs: Path
    """JSON: scene-graph class -> mask class that shows the same thing under another name"""
    validation_images: Count
    """first so many of the training rows, as in the field's protocol"""
    short_side: Side
    """pixels of a photo's shorter side as the detector sees it"""
    long_side: Side
    """most pixels of the longer side; the shorter one yields"""
    distant_relations: bool
    """train on relations of boxes that do not overlap, too; the released code drops them"""
    short_sides: typing.Annotated[list[Side], Ascending()] = field(default_factory=list)
    """in training, sides of which one is drawn for each photo at every visit; empty: always `short_side`"""
    zero_shot: Path | None = None
    """the published zero-shot triplets, if any; otherwise derived from the training split"""
    word_aliases: dict[str, str] = field(default_factory=dict)
    """word or name -> what to look up in `word_vectors` instead"""


@dataclass(frozen=True)
class World:
    """The drawn world: numbers of images and the side of a photo in pixels."""

    train: Positive
    validation: Positive
    test: Positive
    masks_train: Positive
    masks_validation: Positive
    side: typing.Annotated[int, Range(16, 2**13)]
    shared: Share
    """share of each scene-graph split that is also in the mask set's training images"""


@dataclass(frozen=True)
class MaskOptimization:
    """How a network is trained on mask-set images alone, as the pixel refiner is."""

    iterations: Count
    """steps of the optimizer"""
    mask_images: Positive
    """mask-set images in a step, over all processes"""
    optimizer: typing.Literal["adamw", "sgd"]
    learning_rate: MoreThanZero
    weight_decay: AtLeastZero
    warmup: Count
    """iterations in which the rate rises to `learning_rate`"""
    schedule: typing.Literal["cosine", "steps", "constant"]
    """how the rate falls"""
    steps: typing.Annotated[list[Positive], Ascending()]
    """iterations at which `steps` divides the rate by ten"""
    clip_norm: MoreThanZero
    """largest norm of a step's gradient"""
    checkpoint_every: Positive
    """iterations between two checkpoints, from which an interrupted run goes on"""
    precision: typing.Literal["auto", "32-true", "bf16-mixed"]
    """auto: half precision on GPUs that have it, 32-true on CPUs"""
    flip: bool
    """mirror half of the training images; off where the look of the frozen detector is cached"""
    memory: typing.Annotated[float, Range(0, 0.9999)]
    """share of itself that a running mean of the weights keeps at each step, and the mean is the result; 0: no mean"""


@dataclass(frozen=True)
class Optimization(MaskOptimization):
    """How a network is trained on scene-graph images too; stage 1 and stage 2 have a section each."""

    images: Positive
    """scene-graph images in a step, over all processes"""


@dataclass(frozen=True)
class Detection:
    """Numbers of the detector that do not depend on its backbone."""

    rpn_pre_nms_train: Proposals
    """best proposals of a feature level before suppression, in training"""
    rpn_pre_nms_test: Proposals
    rpn_post_nms_train: Proposals
    """best proposals of an image after suppression, in training"""
    rpn_post_nms_test: Proposals
    rpn_batch: Proposals
    """anchors of an image in the loss"""
    box_batch: Proposals
    """proposals of an image in the loss"""
    box_positive_fraction: Share
    """largest share of objects among them"""
    score_threshold: Share
    """lowest score of a detection"""
    nms_threshold: Share
    """detections of one class that overlap more (IoU) are one"""
    detections: Regions
    """most detections of an image"""
    regions: Regions
    """most of them that become regions of a scene graph in SGDet"""


@dataclass(frozen=True)
class DetectorRow:
    """One stage-1 run."""

    backbone: BackboneName
    joint: bool
    """trained with the mask set too, with a mask head"""
    seed: Count
    disjoint: bool = False
    """without the mask images that are also validation or test images of the scene graph set (the paper's A4, A5)"""


@dataclass(frozen=True)
class Sampling:
    """Training pairs of an image."""

    pairs: Positive
    positive_fraction: Share
    """largest share of pairs with a relation"""


@dataclass(frozen=True)
class Network:
    """Widths of the scene graph models."""

    hidden: Width
    """state of a context model"""
    pooling: Width
    """vector of a pair"""
    label_embedding: Width
    """vector of a class name; as long as those of `data.word_vectors` it starts from them"""
    position: Width
    """vector of a box's place"""
    node_width: Width
    """vector of a region"""
    dropout: Dropped
    """share of a decoder's state, and inside the layers of the Transformer, that training sets to zero"""
    input_dropout: Dropped
    """share of the input of Motifs' and VCTree's context LSTMs that training sets to zero; the originals set none"""
    fused: Width
    """channels of a crop once its masks are in it"""
    dense: Width
    """width of the two dense layers over a region's or a pair's crop"""
    region_side: typing.Literal[7, 14, 28]
    """side of the crop of a region or union box, in cells"""
    pair_side: typing.Literal[7, 14, 28]
    """side of the masks that pairs see, in cells; a multiple of `region_side`. Regions see theirs as 28 x 28"""


@dataclass(frozen=True)
class Grounding:
    """Eq. 3-7."""

    transfer: typing.Literal["softmax", "dot", "cosine", "oracle"]
    """from similar word vectors to the weights of mask classes (eq. 3); `oracle` takes what the drawn world knows"""
    transfer_threshold: Share
    """softmax: weights below this are none, but for the largest"""
    channels: Count
    """mask channels that a node or an edge sees; 0 keeps one per class"""
    nodes: bool
    """whether regions see masks (eq. 5)"""
    edges: typing.Literal["gaussian", "average", "union", "none", "contact"]
    """what pairs see: Gaussian masking (eq. 6, 7), a plain combination of the two masks, nothing, or Gaussian masking
    and beside it both masks where the boxes meet (docs/method.md)"""
    frame: typing.Literal["union", "box"]
    """where a pair's masks are placed: in its union box, or each mask filling it, as in the released code"""
    kernel: typing.Annotated[int, Range(1, 99), Odd()]
    """cells along a side of the Gaussian"""
    kernels: typing.Literal["own", "joint"]
    """a region's Gaussian from its own class, or from the classes of both regions of a pair, as in the released code"""
    sigmoid: bool
    """squash the mask of a pair once more, as the released code does"""
    masks: typing.Literal["transferred", "refined", "rectangles", "zero", "shuffled", "oracle", "coarse"]
    """what nodes and edges see: transferred masks, or those behind the pixel refiner; the others are controls, and the
    last two need a drawn world's true masks, `coarse` in 7 x 7 cells"""
    refinement: typing.Literal["none", "inference", "training"]
    """eq. 8, 9: where scene graphs see refined masks, if they are refined at all"""


@dataclass(frozen=True)
class Refinement:
    """The part of a model that refines masks, for rows with `grounding.refinement`."""

    images: Count
    """training images of the mask set that it learns from, evenly spread; 0 takes all"""
    width: Width
    """channels of its convolutions"""
    convolutions: typing.Annotated[int, Range(0, 100)]


@dataclass(frozen=True)
class PixelRefiner:
    """The network that makes transferred masks follow the photo, for rows with `grounding.masks: refined`."""

    width: Width
    """channels of its convolutions"""
    passes: typing.Annotated[int, Range(1, 10)]
    """times that the same weights refine a mask; each pass sees the masks before it"""


@dataclass(frozen=True)
class Evaluation:
    """How predictions are judged; docs/metrics.md."""

    ks: typing.Annotated[list[Positive], Ascending(1)]
    """the K of R@K"""
    iou: typing.Annotated[float, Range(0, 1, open=True)]
    """least overlap of a region with its true box"""
    resamples: Positive
    """draws of the bootstrap over images"""
    confidence: typing.Annotated[float, Range(0, 0.9999, open=True)]
    """of its intervals"""
    pair_overlap: bool
    """SGDet: only pairs whose boxes overlap are candidates"""
    late_nms: Share
    """SGDet: regions that overlap this much do not get the same name"""
    figures: Positive
    """photos in a gallery; in thirds where there are gains, losses and others"""


@dataclass(frozen=True)
class Numbers:
    """The sections that a network is made with; together with `segsg.study.facts.Facts` and a row they are a model."""

    seed: Count
    detection: Detection
    sampling: Sampling
    network: Network
    refinement: Refinement
    pixel_refiner: PixelRefiner
    evaluation: Evaluation


@dataclass(frozen=True)
class ExperimentRow:
    """One stage-2 run as params.yaml writes it; `segsg.study.rows.Row` is what it means."""

    model: Name
    """a file of segsg/models that defines `context`, as motifs or frequency"""
    detector: Name
    """a key of `detectors`"""
    method: Method
    task: TaskName
    seed: Count
    grounding: dict = field(default_factory=dict)
    """changes to the section `grounding` for this row"""


@dataclass(frozen=True)
class Group:
    """Rows of one detector, task and seed: they are trained and evaluated in one process."""

    detector: Name
    """a key of `detectors`, that of every row"""
    rows: dict[Name, ExperimentRow]


@dataclass(frozen=True)
class Params:
    profile: Name
    """the study whose data and runs these are: folders under data/ and runs/"""
    report: Name
    """the folder under reports/ that tables and pages go to; studies may share runs and report more or fewer of them"""
    seed: Count
    """of drawing, choosing and resampling; a training has this plus its row's"""
    data: Data
    detection: Detection
    stage1: Optimization
    detectors: dict[Name, DetectorRow]
    pretrained: dict[BackboneName, str]
    """backbone -> weights that its detectors start from: a file, or torchvision's name for its own"""
    cache_looks: bool
    """keep what the frozen detector says about each image on disk, so that stage 2 never runs it again"""
    sampling: Sampling
    network: Network
    grounding: Grounding
    refinement: Refinement
    pixel_refiner: PixelRefiner
    pixel_training: MaskOptimization
    """of the pixel refiner of each joint detector, on the mask set alone"""
    stage2: Optimization
    evaluation: Evaluation
    groups: dict[Name, Group]
    world: World | None = None

    @cached_property
    def experiments(self) -> dict[str, ExperimentRow]:
        """The rows of all groups by key."""
        return {key: row for group in self.groups.values() for key, row in group.rows.items()}

    def group_of(self, key: str) -> str:
        """The group of a row. ValueError names the rows there are."""
        for name, group in self.groups.items():
            if key in group.rows:
                return name
        choice = ", ".join(self.experiments)
        raise ValueError(f"'{key}' is no experiment of profile {self.profile}; choose one of {choice}")

    @property
    def numbers(self) -> Numbers:
        """What every network of the study is made with."""
        return Numbers(*(getattr(self, field.name) for field in dataclasses.fields(Numbers)))


def load(path: Path | str = PARAMS_FILE) -> Params:
    """The parameters of the study. ValueError names the file, the section and the key that is wrong."""
    path = Path(path)
    return read_section(Params, read_yaml(path), str(path))


def read_section(kind, raw, where: str):
    """`raw` (from YAML or JSON) as a `kind`: a dataclass, or any annotation that its fields use.

    ValueError names the place; for a typo in a key it suggests the right one.
    """
    if dataclasses.is_dataclass(kind):
        return _dataclass_from(kind, raw, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        value = read_section(arguments[0], raw, where)
        for rule in arguments[1:]:
            rule.check(value, where)
        return value
    if origin in (types.UnionType, typing.Union):
        return None if raw is None else read_section(arguments[0], raw, where)
    if origin is typing.Literal:
        return _one_of(arguments, raw, where)
    if origin is list:
        return [read_section(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(_of_type(list, raw, where))]
    if origin is dict:
        entries = _of_type(dict, raw, where).items()
        name, item = arguments
        return {read_section(name, str(k), where): read_section(item, v, f"{where}: {k}") for k, v in entries}
    value = _of_type(kind, raw, where)
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{where}: {value} is not a finite number")
    return value


def is_path(keys: list[str]) -> bool:
    """Whether the parameter at these keys, the section first, is a path."""
    kind: typing.Any = Params
    for key in keys:
        hints = typing.get_type_hints(kind) if dataclasses.is_dataclass(kind) else {}
        kind = hints.get(key)
        if typing.get_origin(kind) in (types.UnionType, typing.Union):
            kind = typing.get_args(kind)[0]
    return kind is Path


def _dataclass_from(kind, raw, where: str):
    raw = _of_type(dict, raw, where)
    annotations = typing.get_type_hints(kind, include_extras=True)
    for key in raw.keys() - annotations.keys():
        near = difflib.get_close_matches(key, annotations, n=1)
        raise ValueError(f"{where}: unknown key '{key}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    required = {f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING}
    if missing := sorted(required - raw.keys()):
        raise ValueError(f"{where}: missing {', '.join(missing)}; see profiles/base.yaml for every key")
    return kind(**{key: read_section(annotations[key], value, f"{where}: {key}") for key, value in raw.items()})


def _one_of(allowed, raw, where: str):
    if raw not in allowed:
        raise ValueError(f"{where}: {raw!r} is not one of {', '.join(map(str, allowed))}")
    return raw


def _of_type(kind, raw, where: str):
    if kind is Path and isinstance(raw, str) and raw:
        return Path(raw)
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if kind is not typing.Any and (not isinstance(raw, kind) or (kind is int and isinstance(raw, bool))):
        raise ValueError(f"{where}: expected {kind.__name__}, got {raw!r}")
    return raw
