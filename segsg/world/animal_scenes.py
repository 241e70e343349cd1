"""Templates around horses, dogs and cats."""

from segsg.world.brush import Sketch
from segsg.world.figure import Figure
from segsg.world.people_scenes import person_height
from segsg.world.scene import BEFORE, BEHIND, BETWEEN, CLASP, Scene


def mount_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A horse with a rider, or with somebody behind it or in front of it."""
    horse = scene.draw(scene.pick("mount"), x, y, scene.rng.uniform(58, 72) * factor)
    number = scene.put(horse, y)
    outcomes = {"riding": 0.36, "behind": 0.36, "in front of": 0.28}
    chosen = scene.choose(("people",), outcomes, horse.name) if scene.rng.random() < 0.85 else None
    if chosen:
        _rider(scene, horse, number, chosen, y, factor)
    if scene.rng.random() < 0.45:
        carrying(scene, horse, number, y, factor)


def _rider(scene: Scene, horse: Figure, mount: int, chosen, depth: float, factor: float) -> None:
    (name, predicate), rng, (bx, by) = chosen, scene.rng, horse.marks["back"]
    height = person_height(scene, name, factor) * 0.92
    x, feet = bx + rng.uniform(-0.18, 0.18) * horse.lengths["depth"] * 2, by + 0.42 * height + rng.uniform(-2, 2)
    if predicate == "riding":
        person = scene.draw(name, x, feet, height, pose="ride")
        number = scene.put(person, depth + BEHIND / 2, depth + CLASP)
    elif predicate == "behind":
        number = scene.put(scene.draw(name, x, feet + rng.uniform(-2, 4), height), depth + BEHIND)
    else:
        number = scene.put(scene.draw(name, x, feet + rng.uniform(-3, 4), height), depth + BEFORE)
    scene.say(number, predicate, mount)


def animal_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A dog or a cat that has something, or that something is near."""
    name = scene.pick("animal")
    animal = scene.draw(name, x, y, scene.size(name, 1.2 * factor))
    carrying(scene, animal, scene.put(animal, y), y, factor)


def carrying(scene: Scene, animal: Figure, number: int, depth: float, factor: float) -> None:
    """Something an animal has on its head or flank, or that only overlaps it there."""
    outcomes = {"has": 0.36, "in front of": 0.28, "behind": 0.28, "near": 0.08}
    chosen = scene.choose(("headwear", "bag", "headwear", "ball"), outcomes, animal.name, partner_first=True)
    if chosen is None:
        return
    (name, predicate), rng = chosen, scene.rng
    on_head = name in ("hat", "helmet")
    (x, y), size = (
        (animal.marks["head"], 2.3 * animal.lengths["head"])
        if on_head
        else (animal.marks["body"], scene.size(name, 0.85 * factor))
    )
    size, x = max(13.0, size), x + rng.uniform(-1.5, 1.5)
    y += (-0.2 * animal.lengths["head"] if on_head else 0.55 * size) + {
        "in front of": -0.2 * size,
        "near": -size - 10,
    }.get(predicate, 0)
    item = scene.put(scene.draw(name, x, y, size), depth + (BEHIND if predicate == "in front of" else BETWEEN))
    scene.say(number, predicate, item)
    if predicate == "has":
        strap, shade = Sketch(), tuple(int(animal.lengths[f"coat {i}"]) for i in range(3))
        for side in (-1, 1):
            reach = 0.3 * size if on_head else 0.22 * size
            strap.line(
                [
                    (x + side * reach, y - (0.0 if on_head else size)),
                    (x + side * reach, y - (0.3 if on_head else 0.15) * size),
                ],
                3.4,
                shade,
            )
        scene.clasp(number, depth + CLASP, strap)
