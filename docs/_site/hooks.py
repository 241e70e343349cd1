"""What makes a site of the project's documents: README as its first page, a page of API reference for each room, and
the reports beside them.

Documents link to files of the checkout. A link to a report leads to it; one to code, which the site lacks, is its text.
"""

import re
import shutil
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""page of the site -> file beside docs"""
ROOMS = ("photos", "tools", "formats", "evaluation", "report", "figures", "study", "training", "world", "data",
         "grounding", "models", "detection", "kernels", "structures", "values", "files")  # fmt: skip
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#]+)(#[^)]*)?\)")


def on_files(files, config):
    """Adds the pages that are no files of docs."""
    for page, source in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for room in ROOMS:
        files.append(File.generated(config, f"api/{room}.md", content=reference(room)))
    return files


def reference(room: str) -> str:
    """A page that mkdocstrings fills in: every module of a room."""
    folder = ROOT / "segsg" / room
    names = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    modules = [f"segsg.{room}.{name}" for name in names] if folder.is_dir() else [f"segsg.{room}"]
    return f"# {room}\n\n" + "\n".join(f"::: {module}\n" for module in modules)


def on_page_markdown(markdown: str, page, config, files) -> str:
    """Links from the checkout's folders to those of the site."""
    base = ROOT if page.file.src_uri in PAGES else ROOT / "docs"

    def changed(match: re.Match) -> str:
        picture, text, target, anchor = match.groups(default="")
        if re.match(r"\w+:", target):
            return match[0]
        path = (base / target).resolve()
        if not path.is_relative_to(ROOT):
            return text
        place = path.relative_to(ROOT)
        own = {source: name for name, source in PAGES.items()}
        up = "../" * page.file.src_uri.count("/")
        if place.as_posix() in own:
            return f"{picture}[{text}]({up}{own[place.as_posix()]}{anchor})"
        if place.parts[:1] == ("docs",) and path.suffix == ".md":
            return f"{picture}[{text}]({up}{place.name}{anchor})"
        if place.parts[:1] == ("reports",) and len(place.parts) > 1:
            if picture:
                return f"![{text}]({up}{place.as_posix()})"
            return f"[{text}]({up}reports/{place.parts[1]}/html/index.html)"
        return text

    while (new := LINK.sub(changed, markdown)) != markdown:
        markdown = new
    return markdown


def on_post_build(config) -> None:
    """Puts the reports beside the documents, with the notebooks that they hold."""
    site = Path(config["site_dir"])
    for report in sorted((ROOT / "reports").glob("*/html")):
        shutil.copytree(report, site / report.relative_to(ROOT), dirs_exist_ok=True)
        figures = report.parent / "figures"
        if figures.is_dir():
            shutil.copytree(figures, site / figures.relative_to(ROOT), dirs_exist_ok=True)
