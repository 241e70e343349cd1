"""Templates filled in: the text of a page from facts."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from segsg.report.parts import key_column, parts

TEMPLATES = Path(__file__).parent / "templates"
JSON_OPTIONS = {"ensure_ascii": False, "sort_keys": True, "separators": (",", ":")}


def environment(*folders: Path, **options) -> Environment:
    """Templates of `folders`, an earlier folder first. What is filled in is escaped, and a missing fact is an error."""
    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )


def render(page: str, facts: dict) -> str:
    """The text of a page. Everything that is filled in is escaped, also within scripts (`tojson`)."""
    templates = environment(TEMPLATES)
    templates.filters |= {"parts": parts, "key_column": key_column}
    templates.policies["json.dumps_kwargs"] = JSON_OPTIONS
    return templates.get_template(f"{page}.html").render(facts)
