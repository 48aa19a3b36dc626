"""What was read from files is remembered for the process, also in threads."""

import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import joblib
import numpy as np
import pytest
from gensim.models import KeyedVectors
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktextcnn import Embeddings, TextVectorizer
from sktextcnn._vectors import file_cache
from tests.embeddings import assert_rows, write_vectors


def test_a_second_lookup_does_not_read_the_file_again(glove, reads):
    rows = write_vectors(glove)
    for _ in range(3):
        assert_rows(Embeddings(glove).lookup(["of", "the"]), {w: rows[w] for w in ("of", "the")})
    assert reads == [("glove.txt", ["of", "the"])]


def test_only_words_that_are_new_are_read(glove, reads):
    rows = write_vectors(glove)
    handle = Embeddings(glove)
    handle.lookup(["of", "the"])
    expected = {word: rows[word] for word in ("the", "cat")}
    assert_rows(handle.lookup(["the", "cat", "nosuchword"]), expected)
    assert_rows(handle.lookup(["nosuchword", "the"]), {"the": rows["the"]})
    assert reads == [("glove.txt", ["of", "the"]), ("glove.txt", ["cat", "nosuchword"])]


def test_words_may_come_twice_and_from_a_generator(glove):
    rows = write_vectors(glove)
    found = Embeddings(glove).lookup(word for word in ["the", "of", "the"])
    assert_rows(found, {word: rows[word] for word in ("the", "of")})
    assert Embeddings(glove).lookup([]) == {}


def test_handles_of_every_spelling_of_a_path_share_what_was_read(glove, reads, monkeypatch):
    monkeypatch.chdir(glove.parent)
    link = glove.with_name("link.txt")
    link.symlink_to(glove)
    folder = glove.parent.name
    for path in (glove, "glove.txt", "./glove.txt", f"../{folder}/glove.txt", link):
        assert list(Embeddings(path).lookup(["the"])) == ["the"]
    assert len(reads) == 1


def test_a_pickled_handle_shares_what_was_read(glove, reads):
    handle = Embeddings(glove)
    handle.lookup(["the"])
    pickle.loads(pickle.dumps(handle)).lookup(["the"])
    assert len(reads) == 1


def test_a_file_of_another_size_is_read_again(glove, reads):
    handle = Embeddings(glove)
    handle.lookup(["the"])
    times = os.stat(glove)
    rows = write_vectors(glove, size=7, seed=1)
    os.utime(glove, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert_rows(handle.lookup(["the"]), {"the": rows["the"]})
    assert len(reads) == 2


def test_a_file_of_another_time_is_read_again(glove, reads):
    glove.write_text("the 1 2\n")
    handle = Embeddings(glove)
    handle.lookup(["the"])
    times = os.stat(glove)
    glove.write_text("the 3 4\n")
    os.utime(glove, ns=(times.st_atime_ns, times.st_mtime_ns + 1_000))
    assert_rows(handle.lookup(["the"]), {"the": np.array([3, 4], dtype=np.float32)})
    assert len(reads) == 2


def test_a_gensim_file_that_changed_is_loaded_again(tmp_path):
    path = tmp_path / "vectors.kv"
    for value in (1.0, 2.0):
        vectors = KeyedVectors(2)
        vectors.add_vectors(["the"], np.full((1, 2), value, dtype=np.float32))
        vectors.save(str(path))
        os.utime(path, (value, value))
        assert_rows(Embeddings(path).lookup(["the"]), {"the": vectors["the"]})


def test_each_encoding_of_a_file_is_remembered_apart(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes("café 1 2\nthe 3 4\n".encode("latin-1"))
    assert list(Embeddings(path).lookup(["café", "the"])) == ["the"]
    assert list(Embeddings(path, encoding="latin-1").lookup(["café", "the"])) == ["café", "the"]


def test_the_four_files_that_were_used_last_are_remembered(tmp_path, reads):
    handles = []
    for i in range(5):
        write_vectors(tmp_path / f"{i}.txt", seed=i)
        handles.append(Embeddings(tmp_path / f"{i}.txt"))
    for i in (0, 1, 2, 3):
        handles[i].lookup(["the"])
    handles[0].lookup(["the"])
    handles[4].lookup(["the"])
    assert [name for name, _ in reads] == ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt"]
    for i in (0, 2, 3, 4):
        handles[i].lookup(["the"])
    assert len(reads) == 5
    handles[1].lookup(["the"])
    assert [name for name, _ in reads[5:]] == ["1.txt"]


def test_a_word_whose_row_is_broken_raises_each_time_that_it_is_asked_for(glove):
    glove.write_text("the 1 2\nof 3 x\n")
    handle = Embeddings(glove)
    for _ in range(2):
        with pytest.raises(ValueError, match="line 2: expected 2 numbers for 'of'"):
            handle.lookup(["the", "of"])
    assert_rows(handle.lookup(["the"]), {"the": np.array([1, 2], dtype=np.float32)})


def test_who_writes_into_the_rows_does_not_change_those_of_the_next(glove):
    rows = write_vectors(glove)
    with suppress(ValueError):
        Embeddings(glove).lookup(["the"])["the"][:] = 0
    assert_rows(Embeddings(glove).lookup(["the"]), {"the": rows["the"]})


def test_who_changes_the_dict_does_not_change_that_of_the_next(glove):
    Embeddings(glove).lookup(["the", "of"]).clear()
    assert list(Embeddings(glove).lookup(["the", "of"])) == ["the", "of"]


def in_threads(function, n_threads=8):
    """What the function returns for 0, 1, ..., from threads that start at once."""
    barrier = threading.Barrier(n_threads)

    def work(i):
        barrier.wait()
        return function(i)

    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(work, range(n_threads)))


def test_lookups_in_threads_give_the_right_rows_and_read_no_word_twice(tmp_path, reads):
    path = tmp_path / "glove.txt"
    words = [f"word{i}" for i in range(300)]
    rows = write_vectors(path, words)
    wanted = [words[30 * i : 30 * i + 80] for i in range(8)]
    found = in_threads(lambda i: Embeddings(path).lookup(wanted[i]))
    for i in range(8):
        assert_rows(found[i], {word: rows[word] for word in wanted[i]})
    read = [word for _, asked in reads for word in asked]
    assert len(read) == len(set(read)) == len(set().union(*wanted))


def test_a_gensim_file_is_loaded_once_for_all_threads(tmp_path, large_vectors, monkeypatch):
    path = tmp_path / "vectors.kv"
    large_vectors.save(str(path), sep_limit=0)
    loads = []
    load = file_cache.load_gensim
    monkeypatch.setattr(file_cache, "load_gensim", lambda path: loads.append(path) or load(path))
    for found in in_threads(lambda i: Embeddings(path).lookup(["the", f"word{i}"])):
        np.testing.assert_array_equal(found["the"], large_vectors["the"])
    assert len(loads) == 1


def test_threads_on_more_files_than_are_remembered_give_the_right_rows(tmp_path):
    rows = [write_vectors(tmp_path / f"{i}.txt", seed=i) for i in range(8)]
    found = in_threads(
        lambda i: [Embeddings(tmp_path / f"{(i + j) % 8}.txt").lookup(["the"]) for j in range(8)]
    )
    for i in range(8):
        for j in range(8):
            assert_rows(found[i][j], {"the": rows[(i + j) % 8]["the"]})


def test_the_hash_of_a_handle_changes_with_its_file(glove):
    handle = Embeddings(glove)
    before = joblib.hash(handle)
    assert joblib.hash(Embeddings(glove)) == before
    write_vectors(glove, size=7)
    assert joblib.hash(handle) != before
    changed = joblib.hash(handle)
    times = os.stat(glove)
    os.utime(glove, ns=(times.st_atime_ns, times.st_mtime_ns + 1_000))
    assert joblib.hash(handle) != changed


def test_handles_on_different_vectors_have_different_hashes(glove, large_vectors):
    write_vectors(glove.with_name("other.txt"), seed=1)
    handles = [
        Embeddings(glove),
        Embeddings(glove, encoding="latin-1"),
        Embeddings(glove.with_name("other.txt")),
        Embeddings(large_vectors),
        Embeddings("glove-wiki-gigaword-100"),
    ]
    assert len({joblib.hash(handle) for handle in handles}) == len(handles)


def test_a_pipeline_with_memory_fits_anew_where_the_file_changed(glove, tmp_path):
    model = make_pipeline(
        TextVectorizer(embeddings=Embeddings(glove)),
        FunctionTransformer(),
        memory=str(tmp_path / "cache"),
    )
    texts = ["the cat", "the mat"]
    widths = []
    for size in (4, 7):
        write_vectors(glove, size=size)
        widths.append(clone(model).fit(texts)[0].embedding_matrix_.shape[1])
    assert widths == [4, 7]
