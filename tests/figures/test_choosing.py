from ipywidgets import IntSlider

from segsg.figures import choosing


def test_without_a_reader_the_first_choice_is_shown_once(monkeypatch):
    monkeypatch.setenv(choosing.UNATTENDED, "1")
    seen = []
    choosing.choose(lambda name, top: seen.append((name, top)), name=["a", "b"], top=IntSlider(3, 1, 5))
    assert seen == [("a", 3)]


def test_with_a_reader_there_are_lists(monkeypatch):
    monkeypatch.delenv(choosing.UNATTENDED, raising=False)
    seen, asked = [], {}
    monkeypatch.setattr(choosing, "interact", lambda show, **choices: asked.update(choices) or seen.append(show))
    choosing.choose(print, name=["a"])
    assert seen == [print] and asked == {"name": ["a"]}
