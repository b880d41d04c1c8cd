"""MMTF-14K's archive, small but laid out as it was published, in a folder and in a zip."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from recsys.config.imports import ImportConfig
from recsys.errors import AlignmentError, ConfigError, DataError
from recsys.features.alignment import import_modality
from recsys.features.published.mmtf14k import CsvArchive, Mmtf14k, key_of, read_titles

TITLES = [f"Film number {n}" for n in range(12)]
FILMS = tuple(str(500 + n) for n in range(12))
BLF = "Audio/Block level features/Component6/BLF_{}feat.csv"
ALEXNET = "Visual/AlexNet features/{}/AlexNetFeatures - {} - fc7.csv"
AESTHETIC = "Visual/Aesthetic features/{}/AestheticFeatures - {} - All.csv"


def table(ids, width, *, first=0.0, header="v"):
    lines = [",".join(["movieId", *(f"{header}{n}" for n in range(width))])]
    for row, id_ in enumerate(ids):
        lines.append(",".join([id_, *(f"{first + row + n / 1000:g}" for n in range(width))]))
    return "\n".join(lines) + "\n"


def files():
    ids = [*FILMS, "9999"]
    return {
        "Audio/ivector features/IVec_splitItem_fold_2_gmm_16_tvDim_10.csv": table(ids, 10),
        "Audio/IVectorFeatures - GMM_tvDim_fold - 32_20_4.csv": table(ids, 20, first=50),
        BLF.format("SPECTRAL"): table(ids, 4),
        BLF.format("DELTASPECTRAL"): table(ids[::-1], 3, first=100),
        "BlockLevelFeatures - All - Correlation.csv": table(ids, 5, first=7),
        AESTHETIC.format("Avg", "AVG"): table(ids, 107).replace("0.001,", "inf,", 1),
        AESTHETIC.format("MedMad", "MEDMAD"): table(ids, 214),
        ALEXNET.format("Avg", "AVG"): table(ids, 4096),
        ALEXNET.format("AvgVar", "AVGVAR"): table(ids[:2], 8192),
        "Data/movie_description.csv": "movieId,title,YTId\n"
        + "".join(f'{i},"{t} (1995)",x\n' for i, t in zip(FILMS, TITLES, strict=True))
        + "9999,Amélie,x\n",
        "Metadata/GenreFeatures.csv": "movieId,Drama,Film-Noir\n500,1,0\n501,1,1\n502,0,0\n",
        "Metadata/YearOfProd.csv": "movieId,year\n9999,2001\n500,1900\n",
    }


def write_folder(root, content):
    for name, text in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="latin-1")
    return root


def write_zip(path, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, text in content.items():
            whole.writestr(f"outer/Final_MMTF14K_Web/{name}", text.encode("latin-1"))
            folder, _, file = name.rpartition("/")
            whole.writestr(f"__MACOSX/{folder}/._{file}", b"\x00\x05")
    return path


@pytest.fixture(scope="module", params=["folder", "nested folder", "zip"])
def archive(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("mmtf")
    if request.param == "zip":
        return write_zip(root / "MMTF14K.zip", files())
    write_folder(root / "deep" / "er" if request.param == "nested folder" else root, files())
    return root


@pytest.fixture
def movies(make_catalogue):
    return replace(make_catalogue(TITLES), film_ids=FILMS)


def section(path, **options):
    return TypeAdapter(ImportConfig).validate_python(
        {"source": "mmtf-14k", "path": path, **options}
    )


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a/IVec_splitItem_fold_3_gmm_128_tvDim_40.csv", ("ivector", "3", "128", "40")),
        ("IVectorFeatures - GMM_tvDim_fold - 16_10_1.csv", ("ivector", "1", "16", "10")),
        ("b/Component6/BLF_SPECTRALCONTRASTfeat.csv", ("blf", "component6", "spectralcontrast")),
        ("All/BLF_SPECTRALfeat.csv", ("blf", "all", "spectral")),
        ("BlockLevelFeatures - Component6 - Spectral.csv", ("blf", "component6", "spectral")),
        ("AestheticFeatures - AVGVAR - Feat26HSV.csv", ("aesthetic", "avgvar", "feat26hsv")),
        ("x/AlexNetFeatures - MEDMAD - fc7.csv", ("alexnet", "medmad")),
        ("Metadata/GenreFeatures.csv", None),
        ("Metadata/TagFeatures.csv", None),
        ("BLF_SPECTRALfeat.csv", None),
    ],
)
def test_tables_are_known_by_either_spelling_of_their_names(name, key):
    assert key_of(name) == key


@pytest.mark.parametrize(
    ("options", "dim", "first"),
    [
        ({"table": "ivector", "fold": 2, "gmm": 16, "tv_dim": 10}, 10, 0),
        ({"table": "ivector", "fold": 4, "gmm": 32, "tv_dim": 20}, 20, 50),
        ({"table": "blf", "component": "Spectral"}, 4, 0),
        ({"table": "blf", "component": "delta_spectral"}, 3, 112),
        ({"table": "blf", "part": "All"}, 5, 7),
        ({"table": "aesthetic", "aggregation": "MedMad"}, 214, 0),
        ({"table": "alexnet"}, 4096, 0),
    ],
)
def test_every_table_is_read_and_aligned_by_film(archive, movies, options, dim, first):
    modality, report = import_modality("audio", section(archive, **options), movies)
    assert (modality.card.dim, report.key) == (dim, "film")
    assert (report.rows, report.used, report.present) == (13, 12, 12)
    assert modality.vectors[0, 0] == first
    assert modality.vectors[0, 1] == pytest.approx(first + 0.001)
    card = modality.card
    assert card.name.startswith("MMTF-14K")
    assert "1225406" in card.revision
    assert "Deldjoo" in card.paper


def test_wide_tables_are_read(archive, movies):
    modality, report = import_modality(
        "video", section(archive, table="alexnet", aggregation="AvgVar"), movies
    )
    assert (modality.card.dim, report.present) == (8192, 2)


def test_the_parts_of_block_level_features_are_joined_by_id_and_not_by_row(archive, movies):
    modality, _ = import_modality("audio", section(archive, table="blf"), movies)
    assert modality.card.dim == 7
    # The parts come in the order of their names, the first of them with its rows reversed.
    np.testing.assert_allclose(modality.vectors[:, 0], 112.0 - np.arange(12))
    np.testing.assert_allclose(modality.vectors[:, 3], np.arange(12.0))
    assert "deltaspectral, spectral" in modality.card.name


def test_infinite_values_are_masked_or_filled_or_refused(archive, movies):
    options = {"table": "aesthetic", "aggregation": "Avg"}
    _, report = import_modality("video", section(archive, **options), movies)
    assert (report.present, report.findings[1].fault.value) == (11, "infinite")
    assert report.findings[1].examples[0].startswith("line 2, id '500', number 2")
    filled = section(archive, **options, policy={"on_nonfinite": "median"})
    assert import_modality("video", filled, movies)[1].present == 12
    strict = section(archive, **options, policy={"on_nonfinite": "error"})
    with pytest.raises(DataError, match="infinite: 1"):
        import_modality("video", strict, movies)


def test_what_the_archive_lacks_is_refused_with_what_it_holds(archive, movies):
    with pytest.raises(ConfigError, match="no table ivector 1 256 100") as caught:
        import_modality("audio", section(archive, table="ivector"), movies)
    assert "ivector 2 16 10; ivector 4 32 20" in str(caught.value)


def test_ids_of_another_list_are_refused_by_their_titles(archive, movies, make_catalogue):
    """ML-100K's own ids, 1 to 1682, are MovieLens movie ids as well, of other films."""
    config = section(archive, table="alexnet")
    strangers = replace(make_catalogue([f"Other {n}" for n in range(12)]), film_ids=FILMS)
    with pytest.raises(AlignmentError, match="12 of 12 ids mean other films"):
        import_modality("video", config, strangers)


def test_genres_are_not_a_modality(archive, movies):
    with pytest.raises(ConfigError, match="names genres"):
        import_modality("genres", section(archive, table="alexnet"), movies)


def test_films_have_titles(archive):
    found = read_titles(CsvArchive(archive))
    assert (found["500"], found["9999"]) == ("Film number 0", "Amélie")


def test_a_table_of_another_width_is_refused(tmp_path, movies):
    name = "IVec_splitItem_fold_1_gmm_256_tvDim_100.csv"
    write_folder(tmp_path, {name: table(FILMS, 99)})
    with pytest.raises(DataError, match="99 columns after the id, this table has 100"):
        import_modality("audio", section(tmp_path, table="ivector"), movies)


def test_parts_with_repeated_ids_are_not_joined_by_guess(tmp_path, movies):
    content = {BLF.format("A"): table(["500", "500"], 2), BLF.format("B"): table(["500"], 2)}
    with pytest.raises(DataError, match="1 ids are repeated"):
        import_modality("audio", section(write_folder(tmp_path, content), table="blf"), movies)


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 broken off")
    (tmp_path / "empty").mkdir()
    for path, says in (("x.zip", "neither"), ("nowhere", "neither"), ("empty", "none of MMTF")):
        with pytest.raises(DataError, match=says):
            Mmtf14k(tmp_path / path)


def test_a_damaged_file_in_a_zip_is_named(tmp_path, movies):
    path = write_zip(tmp_path / "x.zip", files())
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as whole:
        info = next(i for i in whole.infolist() if "fc7" in i.filename and "AVG -" in i.filename)
    start = info.header_offset + 30 + len(info.filename) + 200
    raw[start : start + 400] = bytes(400)
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"AlexNetFeatures - AVG - fc7\.csv is damaged"):
        import_modality("video", section(path, table="alexnet"), movies)
