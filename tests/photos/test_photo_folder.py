import os

import pytest

from segsg.photos.input import MARK, find, has_index


@pytest.fixture
def folder(tmp_path):
    for name in ("b.jpg", "a.PNG", "deep/b.webp", "deep/c.txt", ".hidden/d.jpg", "._b.jpg", "out/b.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "in" / "out" / "b.json").write_text('{"format": "segsg-prediction"}')
    return tmp_path / "in"


def test_a_folder_is_all_that_is_below_it_except_hidden_files_and_results(folder):
    found = find([folder], folder / "out")
    assert [photo.path.relative_to(folder).as_posix() for photo in found] == ["a.PNG", "b.jpg", "deep/b.webp"]


def test_pictures_of_an_earlier_run_are_no_photos(folder):
    for name, content in (("b", '{"format": "segsg-prediction"}'), ("own", '{"format": "mine"}'), ("odd", "[")):
        (folder / "deep" / f"{name}.png").touch()
        (folder / "deep" / f"{name}.json").write_text(content)
    found = find([folder / "deep"], folder / "out")
    assert [photo.path.name for photo in found] == ["b.webp", "odd.png", "own.png"]
    assert [photo.path.name for photo in find([folder / "deep" / "b.png"], folder / "out")] == ["b.png"]


def test_no_result_replaces_a_photo(folder):
    (folder / "b.png").touch()
    for photos in (["b.png"], ["b.jpg"], ["b.jpg", "b.png"]):
        with pytest.raises(ValueError, match=r"in/b\.png: would be replaced, and is no result of segsg; name another"):
            find([folder / name for name in photos], folder)
    (folder / "b.json").write_text('{"format": "segsg-prediction"}')
    assert len(find([folder / "b.jpg"], folder)) == 1  # a second run replaces the results of the first


def test_no_index_replaces_a_page_of_the_user(folder):
    (folder / "out" / "index.html").write_text("mine")
    with pytest.raises(ValueError, match=r"index\.html: would be replaced"):
        find([folder], folder / "out")
    assert len(find([folder / "b.jpg"], folder / "out2")) == 1 and not has_index(folder / "out")
    (folder / "out" / "index.html").write_text(f"<p>{MARK}")
    assert len(find([folder], folder / "out")) == 3 and has_index(folder / "out")


def test_equal_names_get_numbers_and_no_photo_becomes_the_index(folder):
    for name in ("B.JPG", "b-2.jpg", "index.jpg"):
        (folder / name).touch()
    names = [photo.name for photo in find([folder], folder / "out")]
    assert len({name.casefold() for name in names}) == len(names) == 6
    assert "index" not in names
    assert {"b-2", "index-2", "a"} <= set(names)


def test_a_photo_given_twice_counts_once_where_it_was_first(folder):
    found = find([folder / "b.jpg", folder, folder / "b.jpg"], folder / "out")
    assert [photo.path.name for photo in found] == ["b.jpg", "a.PNG", "b.webp"]


def test_a_named_file_is_a_photo_whatever_it_is_called(folder):
    assert [photo.name for photo in find([folder / "deep" / "c.txt"], folder / "out")] == ["c"]


def test_nothing_to_do_is_an_error_that_says_what_would_do(folder, tmp_path):
    with pytest.raises(ValueError, match=r"nowhere: no such photo or folder; correct the path"):
        find([tmp_path / "nowhere"], tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty: no photo in it; give files or folders with \.jpg"):
        find([tmp_path / "empty"], tmp_path / "out")


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_text_is_shown_with_a_question_mark(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).touch()
    (photo,) = find([tmp_path], tmp_path / "out")
    assert (photo.name, photo.file) == ("caf?", "caf?.jpg")
