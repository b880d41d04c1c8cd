"""Whatever lies in a file of vectors or ids, the answer is vectors or an error of our own."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from laws import examples

from recsys.config.imports import FileImport
from recsys.errors import RecsysError
from recsys.features.published.files import read_file, read_ids

text = st.text(st.sampled_from('0123456789.,-"\n\r\t eE;naif\u00e9\x00'), max_size=60)
torn = text.map(str.encode) | st.binary(max_size=200)
headed = text.map(lambda body: f"id,a,b\n1,2,3\n{body}".encode())


@examples(300)
@given(torn | headed, st.sampled_from([".csv", ".parquet", ".npy", ".textemb"]))
@example(b'id,a\n1,"2\n3,4\n', ".csv")
@example(b"\x93NUMPY\x01\x00\xff\xff{", ".npy")
def test_vectors_or_an_error_of_our_own(tmp_path_factory, content, suffix):
    folder = tmp_path_factory.mktemp("torn")
    (folder / "ids.txt").write_text("1\n2\n")
    path = folder / f"x{suffix}"
    path.write_bytes(content)
    ids = folder / "ids.txt" if suffix == ".npy" else None
    try:
        found, card = read_file(FileImport(path=path, ids=ids))
    except RecsysError:
        return
    assert found.vectors.shape == (len(found.ids), card.dim)
    assert found.vectors.dtype == np.float32
    assert len(np.unique(found.places)) == len(found.ids)


@examples(300)
@given(torn, st.sampled_from([".txt", ".csv", ".json", ".parquet"]))
@example(b'{"a": {}}', ".json")
@example(b"[[1]]", ".json")
@example(b"x\n", ".csv")
@example(b"\x1c", ".csv")
def test_ids_or_an_error_of_our_own(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("torn") / f"ids{suffix}"
    path.write_bytes(content)
    try:
        ids = read_ids(path)
    except RecsysError:
        return
    assert all(isinstance(id_, str) for id_ in ids)
