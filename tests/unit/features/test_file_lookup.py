import pytest

from recsys.errors import DataError
from recsys.features.jobs import FileJob, file_jobs, find_files


@pytest.fixture
def folder(tmp_path):
    names = [
        "1.jpg",
        "2.JPG",
        "3.png",
        "3.jpg",
        "4.txt",
        "05.jpg",
        "tt.6.jpg",
        ".jpg",
        "7.jpg.part",
    ]
    for name in names:
        (tmp_path / name).write_text("")
    (tmp_path / "8.jpg").mkdir()
    return tmp_path


def names(paths):
    return [path and path.name for path in paths]


def test_files_are_found_by_the_whole_of_their_name(folder):
    ids = ["1", "2", "4", "5", "05", "tt.6", "", "7", "8", "9"]
    found = names(find_files(folder, ids, [".jpg"]))
    assert found == ["1.jpg", "2.JPG", None, None, "05.jpg", "tt.6.jpg", None, None, "8.jpg", None]


def test_the_earlier_suffix_wins(folder):
    assert names(find_files(folder, "3", [".jpg", ".png"])) == ["3.jpg"]
    assert names(find_files(folder, "3", [".PNG", ".jpg"])) == ["3.png"]


def test_the_folder_must_be_one(folder):
    for wrong in (folder / "nowhere", folder / "1.jpg"):
        with pytest.raises(DataError, match=wrong.name):
            find_files(wrong, ["1"], [".jpg"])


def test_jobs_carry_the_movie_s_id_and_row_and_the_file_of_any_name(folder, make_catalogue):
    catalogue = make_catalogue("abc")
    assert file_jobs(catalogue, folder, [".jpg"]) == [
        FileJob("1", 0, folder / "1.jpg"),
        FileJob("2", 1, folder / "2.JPG"),
        FileJob("3", 2, folder / "3.jpg"),
    ]
    renamed = file_jobs(catalogue, folder, [".jpg"], ["05", "", "1"])
    assert names(job.path for job in renamed) == ["05.jpg", None, "1.jpg"]
    assert [job.item_id for job in renamed] == ["1", "2", "3"]
    with pytest.raises(DataError, match="2 names of files for 3 movies"):
        file_jobs(catalogue, folder, [".jpg"], ["05", ""])
