"""Templates filled in: the text of a page from facts."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from segsg.report.parts import key_column, parts

TEMPLATES = Path(__file__).parent / "templates"
JSON_OPTIONS = {"ensure_ascii": False, "sort_keys": True, "separators": (",", ":")}


def render(page: str, facts: dict) -> str:
    """The text of a page. Everything that is filled in is escaped, also within scripts (`tojson`)."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"parts": parts, "key_column": key_column}
    environment.policies["json.dumps_kwargs"] = JSON_OPTIONS
    return environment.get_template(f"{page}.html").render(facts)
