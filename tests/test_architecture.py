"""docs/architecture.md says what the code is: its rooms, their layers, and where each equation is."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
LAYERS = next(contract["layers"] for contract in CONTRACTS if contract["type"] == "layers")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def equations() -> list[tuple[str, str]]:
    """(numbers, path below segsg) for every file that the page gives for an equation."""
    lines = re.findall(r"^\| ([\d, ]+) \|[^|]+\| (.+) \|$", section("The paper's equations"), re.M)
    return [(numbers, path) for numbers, where in lines for path in re.findall(r"\(\.\./segsg/([^)]+)\)", where)]


def test_the_rooms_are_those_of_the_package():
    folders = {path.parent.name for path in (ROOT / "segsg").glob("*/__init__.py")}
    files = {path.name for path in (ROOT / "segsg").glob("*.py")} - {"__init__.py"}
    listed = re.findall(r"^\| \[([\w.]+)\]\(\.\./segsg/([\w.]+)\)", section("Rooms"), re.M)
    assert sorted(name for name, _ in listed) == sorted(folders | files)
    assert all(name == target for name, target in listed)


def test_the_layers_are_those_that_imports_are_held_to():
    drawn = PAGE.split("subgraph rooms")[1].split("\n  end")[0].split("\n", 1)[1]
    boxes = dict(re.findall(r'(\w)\["([^"]+)"\]', drawn))
    below = dict(re.findall(r"(\w)(?:\[[^\]]+\])? --> (\w)", drawn))
    box, order = next(iter(boxes)), []
    while box:
        order.append(set(boxes[box].split(", ")))
        box = below.get(box)
    assert order == [set(layer.replace("segsg.", "").split(" | ")) for layer in LAYERS]


def test_every_equation_is_on_the_page():
    numbers = re.findall(r"^\| ([\d, ]+) \|", section("The paper's equations"), re.M)
    assert [int(number) for line in numbers for number in line.split(",")] == [1, 2, 3, 4, 5, 7, 6, 8, 9, 10, 11]


@pytest.mark.parametrize(("numbers", "path"), equations())
def test_the_file_of_an_equation_names_it(numbers, path):
    named = re.findall(r"eq\. (\d+(?:(?:, | and )\d+)*)", (ROOT / "segsg" / path).read_text(encoding="utf-8"), re.I)
    assert set(numbers.split(", ")) <= {number for group in named for number in re.findall(r"\d+", group)}


def test_links_of_the_page_lead_somewhere():
    links = re.findall(r"\]\((?!http|#)([^)#]+)", PAGE)
    assert links and [link for link in links if not (ROOT / "docs" / link).exists()] == []
