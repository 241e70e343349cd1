"""MODEL_CARD.md: what a bundle is, for people."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from segsg.photos.bundle_file import Manifest

TEMPLATES = Path(__file__).parent / "card_templates"
SHOWN = ("R@20", "R@50", "R@100", "mR@20", "mR@50", "mR@100", "zsR@50")
WARNINGS = {
    "drawn": "This model has only ever seen drawings of a small made-up world, never a photograph. Its answers about "
    "photographs show how the method works, and are not to be relied on."
}


def warning(manifest: Manifest) -> str | None:
    """What everybody has to know who sees an answer of the bundle; None if there is nothing to warn of."""
    return WARNINGS.get(manifest.world)


def write_card(manifest: Manifest, path: Path) -> None:
    """Writes the card of a bundle. Names of the data set are escaped: Markdown lets HTML through."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    ((_, row),) = manifest.params.experiments.items()
    facts = {"row": row, "detector": manifest.params.detectors[row.detector], "shown": SHOWN}
    text = environment.get_template("model_card.md").render(vars(manifest) | facts | {"warning": warning(manifest)})
    path.write_text(text, encoding="utf-8", newline="\n")
