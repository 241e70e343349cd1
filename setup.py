"""What pyproject.toml cannot say: the files of data/facts go into the wheel, as segsg/facts."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FACTS = Path("data/facts")


class WithFacts(build_py):
    """Copies the facts beside the modules; an editable installation reads them where they are."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "segsg" / "facts"
        for path in sorted(FACTS.iterdir()):
            self.mkpath(str(target))
            self.copy_file(str(path), str(target / path.name))


setup(cmdclass={"build_py": WithFacts})
