"""A whole scene out of templates: two rows of groups, and clutter."""

import numpy as np

from segsg.world import animal_scenes, furniture_scenes, people_scenes, post_scenes
from segsg.world.brush import UNITS
from segsg.world.scene import Cast, Scene

GROUPS = {
    people_scenes.person_group: 0.30,
    animal_scenes.mount_group: 0.10,
    animal_scenes.animal_group: 0.07,
    furniture_scenes.table_group: 0.10,
    furniture_scenes.seat_group: 0.10,
    furniture_scenes.cart_group: 0.07,
    furniture_scenes.frame_group: 0.06,
    furniture_scenes.container_group: 0.07,
    post_scenes.post_group: 0.13,
}
FAR_ROW, NEAR_ROW = (80, 108), (122, 154)


def compose(rng: np.random.Generator, cast: Cast) -> Scene:
    """A scene of four to six groups and up to two loose things."""
    scene, templates = Scene(rng, cast), list(GROUPS)
    shares = np.array(list(GROUPS.values())) / sum(GROUPS.values())
    far, near = int(rng.integers(2, 4)), int(rng.integers(2, 4))
    places = [(x, FAR_ROW) for x in _spread(rng, far)] + [(x, NEAR_ROW) for x in _spread(rng, near)]
    for x, row in places:
        y = rng.uniform(*row)
        templates[rng.choice(len(templates), p=shares)](scene, x, y, _nearness(y))
    for _ in range(rng.integers(0, 3)):
        y = rng.uniform(90, 156)
        post_scenes.loose_item(scene, rng.uniform(10, UNITS - 10), y, _nearness(y))
    return scene


def empty(rng: np.random.Generator, cast: Cast) -> Scene:
    """A scene of nothing but background, as some photos of Visual Genome have no annotation."""
    return Scene(rng, cast)


def _spread(rng: np.random.Generator, count: int) -> np.ndarray:
    return (np.arange(count) + 0.5) * UNITS / count + rng.uniform(-9, 9, count)


def _nearness(y: float) -> float:
    """Things further up are further away, hence smaller."""
    return 0.76 + 0.3 * (y - FAR_ROW[0]) / (NEAR_ROW[1] - FAR_ROW[0])
