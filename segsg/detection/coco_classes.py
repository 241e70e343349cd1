"""COCO's 80 classes of things by their ids, which run from 1 to 90 with gaps."""

from itertools import chain

_FROM: dict[int, str] = {
    1: "person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant",
    13: "stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe",
    27: "backpack, umbrella",
    31: "handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, "
    "skateboard, surfboard, tennis racket, bottle",
    46: "wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot dog, "
    "pizza, donut, cake, chair, couch, potted plant, bed",
    67: "dining table",
    70: "toilet",
    72: "tv, laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator",
    84: "book, clock, vase, scissors, teddy bear, hair drier, toothbrush",
}
"""names that follow each other, by the id of the first"""
COCO_CLASSES: dict[int, str] = dict(
    chain.from_iterable(enumerate(names.split(", "), start=first) for first, names in _FROM.items())
)
"""id -> name"""
IDS = 90
"""the highest id"""
