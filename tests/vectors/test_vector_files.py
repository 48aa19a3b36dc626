"""Files of word vectors: every format as gensim's own loaders read it, and errors that help."""

import bz2
import gzip
import io
import lzma
import pickle
import re
import struct
import tracemalloc
import zipfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors, Word2Vec
from gensim.models.fasttext import load_facebook_vectors, save_facebook_model
from gensim.test.utils import datapath

from sktextcnn import Embeddings
from sktextcnn._vectors import file_cache, formats, records, text_format, word2vec_format

SENTENCES = [
    ["the", "cat", "sat", "on", "the", "mat"],
    ["кошка", "сидит", "on", "naïve", "マット", "mat"],
    ["graph", "minors", "trees", "the", "trees", "1.5"],
] * 5
UNKNOWN = ["catlike", "graphs", "кошки", "テスト", "🚑🚒", "zzz", "sits on"]


def assert_bits(rows, words, truth):
    """The rows are those of the words that the truth has, bit by bit."""
    expected = {word: np.asarray(truth[word], dtype=np.float32) for word in words if word in truth}
    assert list(rows) == list(expected)
    for word, row in rows.items():
        assert row.dtype == np.float32
        assert row.shape == expected[word].shape
        assert row.tobytes() == expected[word].tobytes(), word


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def compress(path):
    """Compress a file in place, whatever its name says."""
    path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def binary_rows(rows, newline=b"", header=None):
    """The bytes of a word2vec binary file; word2vec.c ends rows with a newline, gensim does not."""
    size = len(next(iter(rows.values())))
    content = header or f"{len(rows)} {size}\n".encode()
    for word, row in rows.items():
        word = word if isinstance(word, bytes) else word.encode()
        content += word + b" " + np.asarray(row, dtype="<f4").tobytes() + newline
    return content


def random_vectors(n_words, size, seed):
    """Words of many alphabets, and float32 vectors of any finite bits."""
    rng = np.random.default_rng(seed)
    alphabets = [(33, 127), (0xA0, 0x250), (0x400, 0x460), (0xE01, 0xE30), (0x4E00, 0x9000)]
    alphabets += [(0x2000, 0x2070), (0x1F300, 0x1F600)]
    words = {"2010", "1.5", "-", "nan", "</s>", "a\xa0b", "x" * 300}
    while len(words) < n_words:
        low, high = alphabets[rng.integers(len(alphabets))]
        words.add("".join(map(chr, rng.integers(low, high, size=rng.integers(1, 9)))))
    bits = rng.integers(0, 2**32, size=(n_words, size), dtype=np.uint32).view(np.float32)
    bits = np.where(np.isfinite(bits), bits, np.float32(-0.0))
    bits[:2, 0] = np.finfo(np.float32).smallest_subnormal, np.finfo(np.float32).max
    vectors = KeyedVectors(size, dtype=np.float32)
    vectors.add_vectors(sorted(words), bits)
    return vectors


@pytest.fixture(scope="module")
def fasttext_model():
    return FastText(SENTENCES, vector_size=6, min_count=1, bucket=40, epochs=2, workers=1, seed=1)


@pytest.fixture(scope="module")
def fasttext_file(fasttext_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("fasttext") / "model.bin"
    save_facebook_model(fasttext_model, str(path))
    return path


# What gensim ships, as gensim reads it ------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "EN.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt",
        "crime-and-punishment.vec",
        "high_precision.kv.txt",
        "lee_fasttext.vec",
        "pang_lee_polarity_fasttext.vec",
        "toy-model.vec",
        "word2vec_pre_kv_c",
    ],
)
def test_word2vec_text_that_gensim_ships_is_read_as_gensim_reads_it(name):
    truth = KeyedVectors.load_word2vec_format(datapath(name), unicode_errors="replace")
    words = [word for word in truth.index_to_key if "\ufffd" not in word]
    assert len(words) >= 2
    words.append("nosuchword")
    assert_bits(Embeddings(datapath(name)).lookup(words), words, truth)


@pytest.mark.parametrize(
    "name", ["euclidean_vectors.bin", "high_precision.kv.bin", "poincare_vectors.bin"]
)
def test_word2vec_binary_that_gensim_ships_is_read_as_gensim_reads_it(name):
    truth = KeyedVectors.load_word2vec_format(datapath(name), binary=True)
    words = [*truth.index_to_key, "nosuchword"]
    assert_bits(Embeddings(datapath(name)).lookup(words), words, truth)


# gensim leaves the file open that it reads twice.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_glove_text_that_gensim_ships_is_read_as_gensim_reads_it():
    path = datapath("test_glove.txt")
    truth = KeyedVectors.load_word2vec_format(path, no_header=True)
    words = [*truth.index_to_key, "nosuchword"]
    assert_bits(Embeddings(path).lookup(words), words, truth)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("cp852_fasttext.bin", "cp852"),
        ("crime-and-punishment.bin", "utf-8"),
        ("lee_fasttext.bin", "utf-8"),
        ("lee_fasttext_new.bin", "utf-8"),
        ("non_ascii_fasttext.bin", "utf-8"),
        ("toy-model-pretrained.bin", "utf-8"),
        ("toy-model.bin", "utf-8"),
    ],
)
def test_fasttext_binary_that_gensim_ships_is_read_with_subwords_as_gensim_reads_it(name, encoding):
    truth = load_facebook_vectors(datapath(name), encoding=encoding)
    # Words of bytes that are no text get another name in gensim.
    words = [word for word in truth.index_to_key if "\\x" not in word]
    if encoding != "utf-8":
        words += ["the", "catlike"]
    else:
        words += UNKNOWN
    expected = {word: truth.get_vector(word) for word in words}
    assert_bits(Embeddings(datapath(name), encoding=encoding).lookup(words), words, expected)


@pytest.mark.parametrize(
    "name",
    [
        "model-from-gensim-3.8.0.w2v",
        "old_keyedvectors_320.dat",
        "old_w2v_models/w2v_3.4.0.mdl",
        "word2vec_3.3",
        "word2vec_old",
    ],
)
def test_older_files_of_gensims_own_are_read_as_gensim_reads_them(name):
    loaded = KeyedVectors.load(datapath(name))
    truth = getattr(loaded, "wv", loaded)
    words = [*truth.index_to_key, "nosuchword"]
    assert_bits(Embeddings(datapath(name)).lookup(words), words, truth)


# What gensim writes comes back bit by bit ---------------------------------------------


def save_text(vectors, path):
    vectors.save_word2vec_format(path)


def save_glove(vectors, path):
    vectors.save_word2vec_format(path, write_header=False)


def save_binary(vectors, path):
    vectors.save_word2vec_format(path, binary=True)


def save_binary_as_word2vec_c(vectors, path):
    rows = {word: vectors[word] for word in vectors.index_to_key}
    Path(path).write_bytes(binary_rows(rows, newline=b"\n"))


def save_own(vectors, path):
    vectors.save(path)


def save_own_apart(vectors, path):
    vectors.save(path, sep_limit=0)


STREAMED = [save_text, save_glove, save_binary, save_binary_as_word2vec_c]


@pytest.mark.parametrize("save", [*STREAMED, save_own, save_own_apart])
@pytest.mark.parametrize("seed", range(4))
def test_random_words_and_bits_come_back_from_every_format(save, seed, tmp_path):
    vectors = random_vectors(n_words=60, size=1 + 5 * seed, seed=seed)
    path = str(tmp_path / "vectors")
    save(vectors, path)
    words = vectors.index_to_key
    assert_bits(Embeddings(path).lookup(words), words, vectors)
    assert_bits(Embeddings(path).lookup([words[7], "nosuchword"]), [words[7]], vectors)


@pytest.mark.parametrize("name", ["vectors.gz", "vectors.txt", "vectors.bin", "vectors"])
@pytest.mark.parametrize("save", STREAMED)
def test_gzip_is_recognised_from_the_content_whatever_the_suffix(save, name, tmp_path):
    vectors = random_vectors(n_words=40, size=5, seed=5)
    path = tmp_path / name
    save(vectors, str(tmp_path / "plain"))
    path.write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
    words = vectors.index_to_key
    assert_bits(Embeddings(path).lookup(words), words, vectors)


@pytest.mark.parametrize("name", ["vectors.gz", "vectors.zip", "vectors.kv", "vectors.npy"])
@pytest.mark.parametrize("save", STREAMED)
def test_the_suffix_of_a_plain_file_may_say_anything(save, name, tmp_path):
    vectors = random_vectors(n_words=40, size=5, seed=6)
    save(vectors, str(tmp_path / "plain"))
    path = (tmp_path / "plain").rename(tmp_path / name)
    words = vectors.index_to_key
    assert_bits(Embeddings(path).lookup(words), words, vectors)


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_rows_may_lie_across_the_chunks_that_are_read(chunk, packed, fasttext_file, tmp_path):
    vectors = random_vectors(n_words=30, size=5, seed=7)
    word2vec, fasttext = tmp_path / "word2vec.bin", tmp_path / "fasttext.bin"
    save_binary_as_word2vec_c(vectors, word2vec)
    fasttext.write_bytes(fasttext_file.read_bytes())
    truth = load_facebook_vectors(str(fasttext))
    for path in (word2vec, fasttext) if packed else ():
        compress(path)
    words = vectors.index_to_key
    subworded = [*truth.index_to_key, *UNKNOWN]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "CHUNK", chunk)
        assert_bits(Embeddings(word2vec).lookup(words), words, vectors)
        rows = Embeddings(fasttext).lookup(subworded)
    assert_bits(rows, subworded, {word: truth.get_vector(word) for word in subworded})


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_fasttext_binary_that_gensim_writes_comes_back_with_subwords(
    packed, fasttext_model, fasttext_file, tmp_path
):
    path = write(tmp_path / "model.bin", fasttext_file.read_bytes())
    if packed:
        compress(path)
    words = [*fasttext_model.wv.index_to_key, *UNKNOWN]
    expected = {word: fasttext_model.wv.get_vector(word) for word in words}
    from_gensim = load_facebook_vectors(str(fasttext_file))
    rows = Embeddings(path).lookup(words)
    assert_bits(rows, words, {word: from_gensim.get_vector(word) for word in words})
    assert_bits(rows, words, expected)


def test_fasttext_without_subwords_gives_unknown_words_no_vector(tmp_path):
    model = FastText(SENTENCES, vector_size=6, min_count=1, max_n=0, epochs=1, workers=1, seed=1)
    path = tmp_path / "model.bin"
    save_facebook_model(model, str(path))
    words = [*model.wv.index_to_key, *UNKNOWN]
    assert_bits(Embeddings(path).lookup(words), words, {w: model.wv[w] for w in words[:-7]})


def test_a_word_too_short_for_any_subword_has_no_vector(tmp_path):
    model = FastText(SENTENCES, vector_size=6, min_count=1, min_n=5, bucket=40, epochs=1, workers=1)
    path = tmp_path / "model.bin"
    save_facebook_model(model, str(path))
    assert list(Embeddings(path).lookup(["q", "", "on", "quiver"])) == ["on", "quiver"]


# The first words -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("crime-and-punishment.vec", {}),
        ("word2vec_pre_kv_c", {}),
        ("euclidean_vectors.bin", {"binary": True}),
        ("test_glove.txt", {"no_header": True}),
    ],
)
# gensim leaves the file open that it reads twice.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_the_first_words_are_those_of_gensim(name, load):
    truth = KeyedVectors.load_word2vec_format(datapath(name), **load).index_to_key
    for n in (3, 0, len(truth) + 5):
        assert Embeddings(datapath(name)).words(n) == truth[:n]


def test_the_first_words_of_fasttext_files_and_of_objects(fasttext_model, fasttext_file):
    truth = fasttext_model.wv.index_to_key
    for source in (fasttext_file, fasttext_model, fasttext_model.wv):
        for n in (1, 4, 1000):
            assert Embeddings(source).words(n) == truth[:n]


def test_the_first_words_of_compressed_files_and_of_gensims_own(tmp_path):
    vectors = random_vectors(300, 3, seed=5)
    vectors.save(str(tmp_path / "own.kv"))
    vectors.save_word2vec_format(tmp_path / "text.gz")
    vectors.save_word2vec_format(tmp_path / "binary", binary=True)
    compress(tmp_path / "binary")
    for name in ("own.kv", "text.gz", "binary"):
        handle = Embeddings(tmp_path / name)
        assert handle.words(250) == vectors.index_to_key[:250]
        assert handle.words(20) == vectors.index_to_key[:20]


def test_first_words_come_once_and_without_what_is_no_text(tmp_path):
    path = write(
        tmp_path / "odd.txt", b"\xef\xbb\xbfa 1 2\n\xff 1 2\n\na 3 4\nnew york 5 6\nb 7 8\n"
    )
    handle = Embeddings(path)
    assert handle.words(2) == ["a", "new york"]
    assert handle.words(9) == ["a", "new york", "b"]
    assert handle.words(2) == ["a", "new york"]
    with pytest.raises(ValueError, match="n must be 0 or more; got -1"):
        handle.words(-1)
    latin = Embeddings(
        write(tmp_path / "latin.txt", "é 1 2\n".encode("latin-1")), encoding="latin-1"
    )
    assert latin.words(1) == ["é"]


def test_keys_that_are_no_words_are_no_first_words():
    vectors = KeyedVectors(2)
    vectors.add_vectors([0, "a", 1], np.eye(3, 2))
    assert Embeddings(vectors).words(3) == Embeddings(vectors).words(1) == ["a"]


def test_trouble_before_the_last_of_the_first_words_is_told(tmp_path, fasttext_file):
    lines = "".join(f"w{i} 1 2\n" for i in range(200)) + "broken 1\n"
    text = write(tmp_path / "text", lines)
    assert len(Embeddings(text).words(200)) == 200
    with pytest.raises(ValueError, match="text, line 201: expected a word and 2 numbers, got 1"):
        Embeddings(text).words(201)
    binary = write(tmp_path / "binary", binary_rows({"a": [1, 2], "b": [3, 4]})[:-1])
    assert Embeddings(binary).words(1) == ["a"]
    with pytest.raises(ValueError, match=r"binary is truncated .* of row 2 of 2"):
        Embeddings(binary).words(2)
    cut = write(tmp_path / "cut.bin", fasttext_file.read_bytes()[:150])
    with pytest.raises(ValueError, match=r"cut\.bin is truncated .* of fastText's dictionary"):
        Embeddings(cut).words(1000)
    packed = compress(write(tmp_path / "packed", lines.removesuffix("broken 1\n") * 99))
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(ValueError, match="packed: the gzip stream is damaged or truncated"):
        Embeddings(packed).words(10**6)


# gensim's own files -------------------------------------------------------------------


@pytest.fixture
def loaded_by_gensim(monkeypatch):
    """The objects that gensim loads, in order."""
    loaded = []
    load = file_cache.load_gensim

    def spy(path):
        loaded.append(load(path))
        return loaded[-1]

    monkeypatch.setattr(file_cache, "load_gensim", spy)
    return loaded


def test_kv_with_arrays_in_files_of_their_own_is_mapped_not_read(tmp_path, loaded_by_gensim):
    vectors = random_vectors(n_words=30, size=5, seed=8)
    save_own_apart(vectors, str(tmp_path / "vectors.kv"))
    words = vectors.index_to_key
    rows = Embeddings(tmp_path / "vectors.kv").lookup(words)
    assert isinstance(loaded_by_gensim[0].vectors, np.memmap)
    assert_bits(rows, words, vectors)
    assert not any(isinstance(row, np.memmap) for row in rows.values())


def test_model_of_word2vec_is_mapped_not_read(tmp_path, loaded_by_gensim):
    model = Word2Vec(SENTENCES, vector_size=6, min_count=1, epochs=1, workers=1, seed=1)
    model.save(str(tmp_path / "word2vec.model"), sep_limit=0)
    words = [*model.wv.index_to_key, "nosuchword"]
    rows = Embeddings(tmp_path / "word2vec.model").lookup(words)
    assert isinstance(loaded_by_gensim[0].vectors, np.memmap)
    assert_bits(rows, words, model.wv)


@pytest.mark.parametrize("what", ["model", "kv"])
def test_own_file_of_fasttext_is_mapped_and_gives_subwords(
    what, fasttext_model, tmp_path, loaded_by_gensim
):
    path = tmp_path / f"fasttext.{what}"
    (fasttext_model if what == "model" else fasttext_model.wv).save(str(path), sep_limit=0)
    words = [*fasttext_model.wv.index_to_key, *UNKNOWN]
    rows = Embeddings(path).lookup(words)
    assert isinstance(loaded_by_gensim[0].vectors_ngrams, np.memmap)
    assert_bits(rows, words, {word: fasttext_model.wv.get_vector(word) for word in words})


def test_own_file_that_gensim_compressed_is_read(tmp_path):
    vectors = random_vectors(n_words=30, size=5, seed=9)
    vectors.save(str(tmp_path / "vectors.kv.gz"))
    words = vectors.index_to_key
    assert_bits(Embeddings(tmp_path / "vectors.kv.gz").lookup(words), words, vectors)


@pytest.mark.parametrize(
    ("compressed", "name", "expected"),
    [(True, "own.kv", "must end in .gz"), (False, "own.gz", "must not end in .gz")],
)
def test_own_file_whose_name_and_content_disagree_is_to_be_renamed(
    compressed, name, expected, tmp_path
):
    vectors = random_vectors(n_words=30, size=5, seed=9)
    vectors.save(str(tmp_path / "vectors.kv"))
    path = tmp_path / "vectors.kv"
    path = (compress(path) if compressed else path).rename(tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name}: .*{expected}.*Rename the file"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({"the": [0.1, 0.2]}),
        pickle.dumps(np.zeros((2, 3))),
        pickle.dumps(KeyedVectors(3))[:60],
        b"\x80",
        b"\x80\x04\xff\xff",
    ],
    ids=["dict", "array", "cut off", "one byte", "damaged"],
)
def test_a_pickle_that_is_no_vectors_is_refused_by_its_name(content, tmp_path):
    path = write(tmp_path / "vectors.kv", content)
    with pytest.raises(
        ValueError, match=r"vectors\.kv looks like a file in gensim's own format, but"
    ):
        Embeddings(path).lookup(["the"])


def test_own_file_without_the_file_of_its_array_names_the_file_that_is_missing(tmp_path):
    save_own_apart(random_vectors(n_words=30, size=5, seed=9), str(tmp_path / "vectors.kv"))
    (tmp_path / "vectors.kv.vectors.npy").unlink()
    with pytest.raises(ValueError, match=r"vectors\.kv looks like.*vectors\.kv\.vectors\.npy"):
        Embeddings(tmp_path / "vectors.kv").lookup(["the"])


@pytest.mark.parametrize("name", ["lda_3_0_1_model", "phraser-3.6.0.model", "tfidf_model.tst"])
def test_own_file_of_another_model_of_gensim_is_refused(name):
    with pytest.raises(
        ValueError, match=rf"{name} looks like a file in gensim's own format, but contains"
    ):
        Embeddings(datapath(name)).lookup(["the"])


# Unclean files that are read nevertheless ---------------------------------------------

THE, OF, NY = [0.5, -0.25, 1.0], [0.125, 2.0, -8.0], [3.0, 0.75, 0.0625]
ROWS = {"the": THE, "of": OF, "New York": NY}


def text_rows(rows, separator=" ", end="\n"):
    return "".join(
        separator.join([word, *(str(value) for value in row)]) + end for word, row in rows.items()
    )


@pytest.mark.parametrize(
    "content",
    [
        text_rows(ROWS),
        "3 3\n" + text_rows(ROWS),
        text_rows(ROWS, end="\r\n"),
        "3 3\r\n" + text_rows(ROWS, end="\r\n"),
        "\ufeff" + text_rows(ROWS),
        "\ufeff3 3\n" + text_rows(ROWS),
        "\ufeff3 3\r\n" + text_rows(ROWS, end="\r\n"),
        text_rows(ROWS, separator="\t"),
        "3\t3\n" + text_rows(ROWS, separator="\t"),
        text_rows(ROWS, end=" \n"),
        text_rows(ROWS, end=" \t \r\n"),
        text_rows(ROWS, separator="  "),
        text_rows(ROWS).rstrip("\n"),
        text_rows(ROWS) + "\n",
        text_rows(ROWS) + "   \n\r\n\n",
        text_rows(ROWS, end="\n\n"),
        "3 3 \n" + text_rows(ROWS),
    ],
    ids=[
        "glove",
        "header",
        "crlf",
        "header crlf",
        "byte order mark",
        "byte order mark before header",
        "byte order mark header crlf",
        "tabs",
        "header tabs",
        "trailing space",
        "trailing blanks crlf",
        "two spaces",
        "no newline at the end",
        "blank last line",
        "blank last lines",
        "blank lines between",
        "header with trailing space",
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_unclean_text_is_read(content, packed, tmp_path):
    path = write(tmp_path / "vectors.txt", content)
    if packed:
        compress(path)
    words = ["New York", "of", "the", "New", "York"]
    assert_bits(Embeddings(path).lookup(words), words, ROWS)


@pytest.mark.parametrize("header", ["", "6 3\n"], ids=["glove", "header"])
def test_words_with_spaces_are_split_from_the_right_as_those_of_glove_840b(header, tmp_path):
    rows = {
        "the": THE,
        ". . .": NY,
        "at name@domain.com": OF,
        "1 1/2": THE,
        "a\xa0b": NY,
        "New York City": OF,
    }
    path = write(tmp_path / "glove.840B.txt", header + text_rows(rows))
    words = [*rows, ".", "at", "New", "1"]
    assert_bits(Embeddings(path).lookup(words), words, rows)


def test_a_first_row_whose_word_has_spaces_does_not_set_the_width(tmp_path):
    rows = {". . .": NY, "the": THE, "of": OF}
    path = write(tmp_path / "glove.txt", text_rows(rows))
    assert_bits(Embeddings(path).lookup(list(rows)), list(rows), rows)


@pytest.mark.parametrize("save", ["text", "glove", "binary"])
def test_the_first_of_rows_of_the_same_word_counts(save, tmp_path):
    rows = {"the": THE, "of": OF}
    again = {"the": NY, "and": NY}
    if save == "binary":
        content = binary_rows(rows, header=b"4 3\n") + binary_rows(again, header=b"\n")
    else:
        content = ("4 3\n" if save == "text" else "") + text_rows(rows) + text_rows(again)
    path = write(tmp_path / "vectors", content)
    words = ["and", "of", "the"]
    assert_bits(Embeddings(path).lookup(words), words, {**rows, "and": NY})


@pytest.mark.parametrize("word", ["2010", "1.5", "-3", "1e5", "nan", "#", "<unk>", '"', "\\n"])
def test_words_that_look_like_numbers_or_marks_are_words(word, tmp_path):
    rows = {word: THE, "of": OF, "and": NY}
    for name, header in (("glove.txt", ""), ("word2vec.txt", "3 3\n")):
        path = write(tmp_path / name, header + text_rows(rows))
        assert_bits(Embeddings(path).lookup(list(rows)), list(rows), rows)


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_words_that_are_no_utf_8_do_no_harm_to_the_others(binary, tmp_path):
    broken = "привет".encode()[:-1]
    if binary:
        content = binary_rows({"the": THE, broken: NY, "of": OF})
    else:
        content = b"3 3\nthe 0.5 -0.25 1.0\n" + broken + b" 1 2 3\nof 0.125 2.0 -8.0\n"
    path = write(tmp_path / "vectors", content)
    words = ["of", "the", "привет", "приве"]
    assert_bits(Embeddings(path).lookup(words), words, ROWS)


def test_text_that_gensim_ships_with_words_cut_within_a_letter_is_read():
    path = datapath("w2v_keyedvectors_load_test.modeldata")
    assert Embeddings(path).lookup(["ありがとう", "どういたしまして"]) == {}


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_encoding_says_how_the_file_writes_its_words(binary, tmp_path):
    cafe = "café".encode("latin-1")
    if binary:
        content = binary_rows({"the": THE, cafe: NY})
    else:
        content = b"the 0.5 -0.25 1.0\n" + cafe + b" 3.0 0.75 0.0625\n"
    path = write(tmp_path / "vectors", content)
    words = ["café", "the", "кафе", "\ud800"]
    rows = Embeddings(path, encoding="latin-1").lookup(words)
    assert_bits(rows, words, {"the": THE, "café": NY})
    assert_bits(Embeddings(path).lookup(words), words, {"the": THE})


def test_numbers_in_any_notation_are_read_as_numpy_reads_them(tmp_path):
    written = ["1e-3", "+.5", "-0", "1E+2", "0.1000000014901161", "3.4028235e38", "1e-50"]
    numbers = {f"w{i}": number for i, number in enumerate(written)}
    rows = "".join(f"{word} {number}\n" for word, number in numbers.items())
    path = write(tmp_path / "vectors.txt", f"{len(written)} 1\n{rows}")
    expected = {word: np.array([float(n)]).astype(np.float32) for word, n in numbers.items()}
    assert_bits(Embeddings(path).lookup(list(numbers)), list(numbers), expected)


def test_more_rows_than_the_header_says_are_read_as_well(tmp_path):
    path = write(tmp_path / "vectors.txt", "1 3\n" + text_rows(ROWS))
    assert_bits(Embeddings(path).lookup(list(ROWS)), list(ROWS), ROWS)


def test_rows_of_words_that_are_not_asked_for_are_not_parsed(tmp_path):
    text = write(tmp_path / "text", text_rows(ROWS) + "a 1 x 2\nb nan inf 1\n")
    binary = write(tmp_path / "binary", binary_rows({**ROWS, "b": [np.nan] * 3}))
    for path in (text, binary):
        assert_bits(Embeddings(path).lookup(["the"]), ["the"], ROWS)


@pytest.mark.parametrize("value", [0.3, 0.7])
@pytest.mark.parametrize("n_words", [1, 2])
def test_binary_rows_that_happen_to_hold_no_control_byte_are_binary_still(value, n_words, tmp_path):
    rows = {word: [value, value] for word in ("the", "of")[:n_words]}
    path = write(tmp_path / "vectors.bin", binary_rows(rows))
    truth = KeyedVectors.load_word2vec_format(str(path), binary=True)
    assert_bits(Embeddings(path).lookup(list(rows)), list(rows), truth)


@pytest.mark.parametrize("header", ["", "3 3\n"], ids=["glove", "header"])
def test_a_word_that_is_a_control_character_does_not_make_text_binary(header, tmp_path):
    path = write(tmp_path / "vectors.txt", header + text_rows({"the": THE, "\x10": NY, "of": OF}))
    assert_bits(Embeddings(path).lookup(["the", "of"]), ["the", "of"], ROWS)


# Errors in text -----------------------------------------------------------------------

GLOVE = text_rows({"the": THE, "of": OF, "and": NY})


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("in 1 2", "expected a word and 3 numbers, got 2 numbers after 'in'"),
        ("in", "expected a word and 3 numbers, got 0 numbers after 'in'"),
        ("in 1 2 3 4", "expected a word and 3 numbers, got 4 numbers after 'in'"),
        ("in 1 2 3 4 5 6", "expected a word and 3 numbers, got 6 numbers after 'in'"),
        ("in 1 x 3", "expected 3 numbers for 'in', but 'x' is not a number"),
        ("in 1 2,5 3", "expected 3 numbers for 'in', but '2,5' is not a number"),
        ("in 1  3", "expected .*3 numbers .*'in'.* got 2"),
        ("in nan 2 3", "the vector of 'in' has the value nan; expected finite numbers"),
        ("in 1 inf 3", "the vector of 'in' has the value inf; expected finite numbers"),
        ("in 1 2 -inf", "the vector of 'in' has the value -inf; expected finite numbers"),
    ],
)
@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("header", ["", "4 3\n"], ids=["glove", "header"])
def test_a_broken_row_is_named_by_file_line_and_word(row, expected, place, header, tmp_path):
    rows = row + "\n" + GLOVE if place == "first" else GLOVE + row + "\n"
    line = (1 if place == "first" else 4) + bool(header)
    path = write(tmp_path / "vectors.txt", header + rows)
    with pytest.raises(ValueError, match=rf"vectors\.txt, line {line}: {expected}"):
        Embeddings(path).lookup(["the", "in"])


def test_a_number_beyond_float32_is_refused_as_not_finite(tmp_path):
    path = write(tmp_path / "vectors.txt", GLOVE + "in 1 1e39 3\n")
    with pytest.raises(ValueError, match=r"vectors\.txt, line 4: the vector of 'in' .*finite"):
        Embeddings(path).lookup(["in"])


def test_the_line_of_a_broken_row_counts_blank_lines_too(tmp_path):
    path = write(tmp_path / "vectors.txt", GLOVE + "\n\nin 1 2 x\n")
    with pytest.raises(ValueError, match="line 6: expected 3 numbers for 'in'"):
        Embeddings(path).lookup(["in"])


def test_a_broken_row_far_down_a_compressed_file_is_named_by_its_line(tmp_path):
    rows = "".join(f"w{i} 1 2 3\n" for i in range(5000))
    path = compress(write(tmp_path / "vectors.txt.gz", rows + "in 1 2\n"))
    with pytest.raises(ValueError, match=r"vectors\.txt\.gz, line 5001: .*got 2 numbers"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize(
    ("content", "line", "says", "there"),
    [
        ("4 3\n" + GLOVE, 4, "4", "3"),
        ("2000000 3\n" + GLOVE + "\n", 5, "2,000,000", "3"),
        ("4 3\n" + GLOVE.rstrip("\n"), 4, "4", "3"),
        (Path(datapath("pretrained.vec")).read_bytes(), 2, "3", "1"),
    ],
    ids=["one less", "many less", "no newline", "gensim's pretrained.vec"],
)
def test_fewer_rows_than_the_header_says_are_refused(content, line, says, there, tmp_path):
    path = write(tmp_path / "vectors.txt", content)
    expected = f"truncated after line {line}: its header says {says} rows, but there are {there}"
    with pytest.raises(ValueError, match=rf"vectors\.txt is {expected}. Download the file again"):
        Embeddings(path).lookup(["the"])


def test_a_header_with_no_rows_behind_it_is_refused_as_cut_off(tmp_path):
    path = write(tmp_path / "vectors.txt", "400000 300\n")
    with pytest.raises(ValueError, match=r"vectors\.txt is truncated"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("3 0", "line 1: expected a word and its numbers, or a header with the number of rows"),
        ("3 99999999999", "line 1: expected a word and its numbers, or a header"),
        ("3 4", "line 2: expected a word and 4 numbers, got 3"),
        ("3 2", "line 2: expected a word and 2 numbers, got 3"),
        ("-3 3", "line 1: expected a word and 3 numbers, got 1"),
        ("3 3.0", "line 1: expected a word and 3 numbers, got 1"),
        ("3", "line 1: expected a word and 3 numbers, got 0"),
        ("3 3 3", "line 1: expected a word and 3 numbers, got 2"),
        ("99999999999999 3", "truncated after line 4: its header says 99,999,999,999,999 rows"),
    ],
)
def test_an_invalid_header_is_named_by_its_line(header, expected, tmp_path):
    path = write(tmp_path / "vectors.txt", header + "\n" + GLOVE)
    with pytest.raises(ValueError, match=rf"vectors\.txt.*{expected}"):
        Embeddings(path).lookup(["the"])


# Blocks of text -----------------------------------------------------------------------


def naive_text(content):
    """The rows of a text, each line taken from the right and each number by float()."""
    lines = content.decode().removeprefix("\ufeff").split("\n")
    if len(lines[0].split()) == 2:
        del lines[0]
    rows = {}
    for line in filter(str.strip, lines):
        word, *values = line.rstrip(" \t\r").rsplit(None, 3)
        rows.setdefault(word, np.array([float(value) for value in values]).astype(np.float32))
    return rows


def many_rows(n_rows=300, seed=0):
    """The text of many rows of three numbers, of words of which some come again."""
    rng = np.random.default_rng(seed)
    words = [f"{'wéя'[i % 3]}{i}" for i in rng.integers(n_rows, size=n_rows)]
    values = rng.normal(size=(n_rows, 3))
    return "".join(
        f"{word} {' '.join(map(repr, row.tolist()))}\n"
        for word, row in zip(words, values, strict=True)
    )


def some_lines(text, change, every=17):
    """The text with every so manieth line changed."""
    lines = text.splitlines(keepends=True)
    return "".join(change(line) if i % every == every - 1 else line for i, line in enumerate(lines))


MANY = many_rows()
SPACED = MANY.replace("\n", " \n")
MESSY = {
    "clean": MANY,
    "header": "300 3\n" + MANY,
    "byte order mark": "\ufeff" + MANY,
    "byte order mark before header": "\ufeff300 3\n" + MANY,
    "crlf": MANY.replace("\n", "\r\n"),
    "header crlf": "300 3\r\n" + MANY.replace("\n", "\r\n"),
    "trailing space": SPACED,
    "header trailing space": "300 3\n" + SPACED,
    "tabs": MANY.replace(" ", "\t"),
    "two spaces": MANY.replace(" ", "  "),
    "no newline at the end": MANY.rstrip("\n"),
    "blank lines between": MANY.replace("\n", "\n\n"),
    "blank lines at the end": MANY + "\n \n\r\n",
    "some crlf": some_lines(MANY, lambda line: line.replace("\n", "\r\n")),
    "some trailing space": some_lines(MANY, lambda line: line.replace("\n", " \n")),
    "some trailing spaces": some_lines(MANY, lambda line: line.replace("\n", "  \n")),
    "some without trailing space": some_lines(SPACED, lambda line: line.rstrip() + "\n"),
    "some tabs": some_lines(MANY, lambda line: line.replace(" ", "\t")),
    "some blank lines": some_lines(MANY, lambda line: line + "\n"),
    "some words with spaces": some_lines(MANY, lambda line: "at the " + line),
    "some words with spaces, trailing space": some_lines(SPACED, lambda line: "at " + line),
    "some words with spaces, without trailing space": some_lines(
        SPACED, lambda line: "at " + line.rstrip() + "\n"
    ),
    "some words with control characters": some_lines(MANY, lambda line: "\x10\0" + line),
    "some words with other blanks": some_lines(MANY, lambda line: "a\xa0b\u2003" + line),
    "some in other notation": some_lines(MANY, lambda line: f"{line.split()[0]} 1_0 +.5 -1E-3\n"),
}


@pytest.fixture(params=[7, 500, records.CHUNK])
def small_chunks(request, monkeypatch):
    """Blocks that begin at the third line, of one line or more."""
    monkeypatch.setattr(records, "CHUNK", request.param)
    monkeypatch.setattr(text_format, "_SAMPLE", 1)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("kind", MESSY)
@pytest.mark.usefixtures("small_chunks")
def test_text_in_blocks_of_any_size_is_read_as_line_by_line(kind, packed, tmp_path):
    path = write(tmp_path / "vectors.txt", MESSY[kind])
    truth = naive_text(path.read_bytes())
    assert len(truth) > 150
    if packed:
        compress(path)
    words = list(truth)
    assert_bits(Embeddings(path).lookup(words), words, truth)
    rows = formats.read_vectors(str(path), words[::2])
    assert_bits(rows.vectors, words[::2], truth)
    # What is left is found without another pass.
    assert_bits(formats.read_vectors(str(path), words, reader=rows.reader).vectors, words, truth)


BROKEN_WIDTHS = {
    "in 1 2": "expected a word and 3 numbers, got 2 numbers after 'in'",
    "in 1 2 ": "expected a word and 3 numbers, got 2 numbers after 'in'",
    "in 1 2 3 4": "expected a word and 3 numbers, got 4 numbers after 'in'",
    "in 1 2 3 4\nof 1 2": "expected a word and 3 numbers, got 4 numbers after 'in'",
}
BROKEN_NUMBERS = {
    "in 1  3": "expected 3 numbers for 'in', got 2",
    "in 1 2 3,5": "expected 3 numbers for 'in', but '3,5' is not a number",
    "in 1 2 \xa03": "expected 3 numbers for 'in', but '3' is not a number",
    "in 1 2 \x1c3": "expected 3 numbers for 'in', but '3' is not a number",
    "in 1 2 0x3": "expected 3 numbers for 'in', but '0x3' is not a number",
    'in 1 2 "3"': "expected 3 numbers for 'in', but '\"3\"' is not a number",
    "in 1 2 3#4": "expected 3 numbers for 'in', but '3#4' is not a number",
    "in 1 nan 3": "the vector of 'in' has the value nan; expected finite numbers",
    "in 1 1e39 3": "the vector of 'in' has the value inf; expected finite numbers",
}
BROKEN = {**BROKEN_WIDTHS, **BROKEN_NUMBERS}


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"], ids=["newline", "crlf", "space"])
@pytest.mark.parametrize("row", BROKEN)
@pytest.mark.usefixtures("small_chunks")
def test_a_broken_row_far_down_is_named_by_line_and_word(row, end, tmp_path):
    content = (MANY + row + "\n" + MANY).replace("\n", end)
    path = write(tmp_path / "vectors.txt", content)
    match = rf"vectors\.txt, line 301: {BROKEN[row]}"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["in", "w3"])
    # The width of every row is checked, the numbers only of those that are wanted.
    with pytest.raises(ValueError, match=match) if row in BROKEN_WIDTHS else nullcontext():
        Embeddings(path).lookup(["w3"])


@pytest.mark.parametrize("row", BROKEN_NUMBERS)
@pytest.mark.usefixtures("small_chunks")
def test_a_row_whose_numbers_are_broken_is_named_whenever_its_word_is_asked_for(row, tmp_path):
    path = write(tmp_path / "vectors.txt", "600 3\n" + MANY + "\n" + row + "\n" + MANY)
    truth = naive_text(MANY.encode())
    for _ in range(2):
        assert_bits(Embeddings(path).lookup(list(truth)), list(truth), truth)
        with pytest.raises(ValueError, match=rf"vectors\.txt, line 303: {BROKEN_NUMBERS[row]}"):
            Embeddings(path).lookup(["in"])


@pytest.mark.usefixtures("small_chunks")
def test_the_first_row_has_to_be_of_numbers_whatever_blank_lines_are_before_it(tmp_path):
    path = write(tmp_path / "vectors.txt", "3 3\n" + "\n" * 9 + "this is no row\n" * 3)
    with pytest.raises(ValueError, match=r"line 11: expected 3 numbers for 'this', but 'is' is"):
        Embeddings(path).lookup(["the"])


def test_the_first_of_several_broken_rows_is_named(tmp_path):
    path = write(tmp_path / "vectors.txt", MANY + "in 1 x 3\n" + MANY + "of 1 2\n" + MANY)
    with pytest.raises(ValueError, match=r"line 301: expected 3 numbers for 'in', but 'x'"):
        Embeddings(path).lookup(["of", "in"])
    with pytest.raises(ValueError, match=r"line 602: expected a word and 3 numbers, got 2"):
        Embeddings(path).lookup(["of"])


def outcome(path, words):
    """The bits of the rows, or the error."""
    try:
        return {
            word: row.tobytes()
            for word, row in formats.read_vectors(str(path), words).vectors.items()
        }
    except ValueError as error:
        return str(error)


def test_damaged_text_has_the_same_rows_or_error_in_blocks_as_line_by_line(tmp_path, monkeypatch):
    monkeypatch.setattr(text_format, "_SAMPLE", 5)
    monkeypatch.setattr(records, "CHUNK", 500)
    rng = np.random.default_rng(0)
    words = list(naive_text(MANY.encode()))
    outcomes = []
    for i in range(300):
        content = bytearray(MANY.replace("\n", ["\n", " \n", "\r\n"][i % 3]).encode())
        for place in rng.integers(len(content), size=3):
            content[place] = rng.choice(list(b" \t\n\r\v\f\x1c\0.0e-_x\xa0\x85"))
        path = write(tmp_path / "vectors.txt", bytes(content))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text_format._TextScan, "read_uniform", lambda text, block: False)
            outcomes.append(outcome(path, words))
        assert outcome(path, words) == outcomes[-1]
    assert 30 < sum(isinstance(found, str) for found in outcomes) < 270


# A reader of an earlier call ----------------------------------------------------------


@pytest.fixture
def one_pass(monkeypatch):
    """Fails what passes over a file more than once."""
    detect_format = formats._detect_format
    passed = set()

    def once(file, path):
        assert path not in passed
        passed.add(path)
        return detect_format(file, path)

    monkeypatch.setattr(formats, "_detect_format", once)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("save", STREAMED)
@pytest.mark.usefixtures("one_pass")
def test_all_words_of_a_file_are_found_in_one_pass(save, packed, tmp_path):
    vectors = random_vectors(n_words=400, size=4, seed=11)
    path = str(tmp_path / "vectors")
    save(vectors, path)
    if packed:
        compress(tmp_path / "vectors")
    words, reader = [*vectors.index_to_key, "nosuchword", "\ud800"], None
    for part in (words[:1], words[1:50], words[50:], words, [], ["nosuchword"], ["\ud800"]):
        size, rows, reader = formats.read_vectors(path, part, reader=reader)
        assert size == 4
        assert_bits(rows, part, vectors)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.usefixtures("one_pass")
def test_all_words_and_subwords_of_a_fasttext_file_are_found_in_one_pass(
    packed, fasttext_file, tmp_path
):
    truth = load_facebook_vectors(str(fasttext_file))
    path = write(tmp_path / "model.bin", fasttext_file.read_bytes())
    if packed:
        compress(path)
    words, reader = [*truth.index_to_key, *UNKNOWN], None
    for part in (words[:1], words[1:8], words[8:], words, []):
        _, rows, reader = formats.read_vectors(str(path), part, reader=reader)
        assert_bits(rows, part, {word: truth.get_vector(word) for word in part})


@pytest.mark.parametrize("save", STREAMED)
def test_words_whose_hashes_are_the_same_are_told_apart(save, tmp_path, monkeypatch):
    for module in (records, text_format, word2vec_format):
        monkeypatch.setattr(module, "hash", lambda word: len(word) % 2, raising=False)
    vectors = random_vectors(n_words=200, size=4, seed=12)
    path = str(tmp_path / "vectors")
    save(vectors, path)
    words = vectors.index_to_key
    reader = formats.read_vectors(path, ["nosuchword"]).reader
    for part in (words[:1], words[1:50], [*words, "nosuchword"], ["nosuchword"]):
        assert_bits(formats.read_vectors(path, part, reader=reader).vectors, part, vectors)


@pytest.mark.parametrize("save", ["text", "binary"])
def test_a_reader_takes_the_first_of_rows_of_the_same_word(save, tmp_path):
    first, second = {"the": THE, "of": OF}, {"the": NY, "and": NY}
    if save == "binary":
        content = binary_rows(first, header=b"4 3\n") + binary_rows(second, header=b"\n")
    else:
        content = text_rows(first) + "\n" + text_rows(second)
    path = str(write(tmp_path / "vectors", content))
    reader = formats.read_vectors(path, ["of"]).reader
    words = ["and", "of", "the"]
    rows = formats.read_vectors(path, words, reader=reader).vectors
    assert {word: rows[word].tolist() for word in words} == {"and": NY, "of": OF, "the": THE}


# Errors in word2vec binary ------------------------------------------------------------

BINARY = binary_rows({"the": THE, "of": OF})
# "2 3\n", "the ", 12 bytes, "of ", 12 bytes.
SECOND_WORD, SECOND_VECTOR, END = 20, 23, 35


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (END - 1, "3 float32 numbers of row 2 of 2"),
        (SECOND_VECTOR + 1, "3 float32 numbers of row 2 of 2"),
        (SECOND_VECTOR, "3 float32 numbers of row 2 of 2"),
        (SECOND_VECTOR - 1, "row 2 of 2"),
        (SECOND_WORD + 1, "row 2 of 2"),
        (SECOND_WORD, "row 2 of 2"),
        (SECOND_WORD - 1, "3 float32 numbers of row 1 of 2"),
    ],
)
def test_a_truncated_binary_file_names_the_byte_and_what_was_expected(
    length, expected, packed, tmp_path
):
    assert len(BINARY) == END
    path = write(tmp_path / "vectors.bin", BINARY[:length])
    if packed:
        compress(path)
    match = rf"vectors\.bin is truncated at byte {length}: expected {expected}\. Download the"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_binary_vector_that_is_not_finite_is_named_by_word_and_byte(value, tmp_path):
    path = write(tmp_path / "vectors.bin", binary_rows({"the": THE, "of": [1.0, value, 2.0]}))
    match = rf"vectors\.bin, byte {SECOND_VECTOR}: the vector of 'of' has the value {value}"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["of"])
    assert_bits(Embeddings(path).lookup(["the"]), ["the"], ROWS)


def test_a_binary_vector_that_is_not_finite_is_named_by_its_byte_to_a_reader_too(tmp_path):
    path = str(write(tmp_path / "vectors.bin", binary_rows({"the": THE, "of": [1.0, np.inf, 2.0]})))
    reader = formats.read_vectors(path, ["the"]).reader
    match = rf"vectors\.bin, byte {SECOND_VECTOR}: the vector of 'of' has the value inf"
    with pytest.raises(ValueError, match=match):
        formats.read_vectors(path, ["of"], reader=reader)


@pytest.mark.parametrize("size", ["0", "99999999999"])
def test_an_invalid_width_in_a_binary_header_is_refused(size, tmp_path):
    path = write(tmp_path / "vectors.bin", f"2 {size}\n".encode() + BINARY[4:])
    with pytest.raises(
        ValueError,
        match=rf"vectors\.bin, line 1: expected vectors of 1 to 1,048,576 numbers, got {size} in",
    ):
        Embeddings(path).lookup(["the"])


def test_a_binary_file_with_no_end_of_a_word_is_refused_without_reading_it_all(tmp_path):
    path = write(tmp_path / "vectors.bin", b"2 3\n" + b"\x01" * 200_000)
    with pytest.raises(ValueError, match=r"vectors\.bin, byte 4: expected a word, row 1 of 2"):
        Embeddings(path).lookup(["the"])


def test_a_binary_header_that_says_too_many_rows_is_refused(tmp_path):
    path = write(tmp_path / "vectors.bin", b"1000000000000 3\n" + BINARY[4:])
    with pytest.raises(
        ValueError, match=r"is truncated at byte 47: expected row 3 of 1,000,000,000"
    ):
        Embeddings(path).lookup(["the"])


# Errors in fastText's binary ----------------------------------------------------------

# Magic number, version, twelve ints and a double; three ints and two longs.
ARGUMENTS, DICTIONARY = 8 + 12 * 4 + 8, 8 + 12 * 4 + 8 + 3 * 4 + 2 * 8


def matrix_start(content):
    """Where fastText's matrix begins: with a flag, two longs, and then the numbers."""
    (n_entries,) = struct.unpack_from("<i", content, ARGUMENTS)
    offset = DICTIONARY
    for _ in range(n_entries):
        offset = content.index(b"\0", offset) + 1 + 9
    return offset


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("magic number", "fastText's arguments"),
        ("arguments", "fastText's arguments"),
        ("sizes of the dictionary", "fastText's dictionary"),
        ("first word", "entry 1 of 13 of fastText's dictionary"),
        ("count of the last word", "entry 13 of 13 of fastText's dictionary"),
        ("flag", "fastText's vectors"),
        ("sizes of the matrix", "fastText's vectors"),
        ("matrix", r"(53 vectors of 6 float32 numbers|vectors 1 to 53 of 53)"),
    ],
)
def test_a_truncated_fasttext_file_names_the_byte_and_what_was_expected(
    part, expected, packed, fasttext_file, tmp_path
):
    content = fasttext_file.read_bytes()
    start = matrix_start(content)
    length = {
        "magic number": 4,
        "arguments": ARGUMENTS - 3,
        "sizes of the dictionary": DICTIONARY - 1,
        "first word": DICTIONARY + 1,
        "count of the last word": start - 4,
        "flag": start,
        "sizes of the matrix": start + 5,
        "matrix": start + 17 + 4 * 6 * 53 - 1,
    }[part]
    path = write(tmp_path / "model.bin", content[:length])
    if packed:
        compress(path)
    match = rf"model\.bin is truncated at byte {length:,}: expected {expected}.*Download the"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["the", "catlike"])


def test_a_quantized_fasttext_file_is_refused_with_the_remedy(fasttext_file, tmp_path):
    content = bytearray(fasttext_file.read_bytes())
    content[matrix_start(content)] = 1
    path = write(tmp_path / "model.ftz", bytes(content))
    with pytest.raises(ValueError, match=r"model\.ftz is a quantized .*expected the full .*\.bin"):
        Embeddings(path).lookup(["the"])


def test_a_supervised_fasttext_file_is_refused_with_the_remedy():
    path = datapath("pang_lee_polarity_fasttext.bin")
    with pytest.raises(ValueError, match=r"fasttext\.bin is a supervised .*'fasttext skipgram'"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize("field", [0, 1])
def test_a_fasttext_matrix_of_another_shape_is_refused(field, fasttext_file, tmp_path):
    content = bytearray(fasttext_file.read_bytes())
    start = matrix_start(content) + 1
    struct.pack_into("<q", content, start + 8 * field, 7)
    path = write(tmp_path / "model.bin", bytes(content))
    shape = ["7 x 6", "53 x 7"][field]
    match = rf"model\.bin, byte {start}: expected a matrix of 53 x 6 vectors, got {shape}"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["the"])


def test_a_fasttext_vector_that_is_not_finite_is_named_by_its_word(fasttext_file, tmp_path):
    content = bytearray(fasttext_file.read_bytes())
    struct.pack_into("<f", content, matrix_start(content) + 17, np.nan)
    path = write(tmp_path / "model.bin", bytes(content))
    first = load_facebook_vectors(str(fasttext_file)).index_to_key[0]
    with pytest.raises(ValueError, match=rf"model\.bin.*the vector of '{first}' has the value nan"):
        Embeddings(path).lookup([first])


# Files that are something else --------------------------------------------------------


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("glove.6B.100d.txt", content)
    return file.getvalue()


def array_file(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


PAGE = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\n<body></body></html>\n"
STRANGERS = {
    "empty": (b"", "is empty; expected a file of word vectors"),
    "blanks": (b"\n  \r\n\t\n", "is empty; expected a file of word vectors"),
    "zip": (zipped(GLOVE), "is a zip archive; unzip it and give the path of the file inside"),
    "hdf5": (b"\x89HDF\r\n\x1a\n\0\0\0\0", "is an HDF5 file; export the vectors as word2vec or G"),
    "npy": (array_file(np.zeros((2, 3))), "is a NumPy array, which has no words"),
    "page": (PAGE.encode(), "is a web page, not a file of word vectors. Download"),
    "html": (PAGE[16:].encode(), "is a web page, not a file of word vectors. Download"),
    "utf-16": (GLOVE.encode("utf-16"), "is UTF-16 text; convert it to UTF-8"),
    "utf-16-be": (b"\xfe\xff" + GLOVE.encode("utf-16-be"), "is UTF-16 text; convert it to UTF-8"),
    "utf-16 without mark": (GLOVE.encode("utf-16-le"), "this binary format is not known"),
    "bz2": (bz2.compress(GLOVE.encode()), "is compressed with bzip2; decompress it or use gzip"),
    "xz": (lzma.compress(GLOVE.encode()), "is compressed with xz; decompress it or use gzip"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(64), "this binary format is not known"),
    "sqlite": (b"SQLite format 3\0" + bytes(64), "not known. Expected word2vec, fastText .bin, g"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("what", STRANGERS)
def test_a_file_that_is_no_file_of_vectors_is_named_for_what_it_is(what, packed, tmp_path):
    content, expected = STRANGERS[what]
    path = write(tmp_path / "vectors.txt", content)
    if packed:
        compress(path)
    with pytest.raises(ValueError, match=rf"vectors\.txt.*{re.escape(expected)}"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize(
    "page",
    [PAGE.lower(), PAGE[16:].upper(), "\n\n" + PAGE, "<!doctype html><html lang=en><p>404</html>"],
    ids=["lower case", "upper case", "blank lines before", "one line"],
)
def test_a_web_page_is_named_in_whatever_letters_it_is_written(page, tmp_path):
    path = write(tmp_path / "vectors.txt", page)
    with pytest.raises(ValueError, match=r"vectors\.txt is a web page"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize(
    "content",
    [
        "It was a bright cold day\n",
        "word count\n" * 5,
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
        '{"the": [0.1, 0.2], "of": [0.3, 0.4]}\n',
        "%%MatrixMarket matrix coordinate\n",
    ],
    ids=["prose", "words", "git lfs pointer", "json", "matrix market"],
)
def test_text_without_any_numbers_is_refused_whichever_words_are_wanted(content, tmp_path):
    path = write(tmp_path / "vectors.txt", content)
    with pytest.raises(ValueError, match=r"vectors\.txt.*line 1.*(number|word vectors)"):
        Embeddings(path).lookup(["the"])


# Damaged gzip -------------------------------------------------------------------------


def gzipped(kind, fasttext_file):
    vectors = {f"w{i}": np.random.default_rng(i).normal(size=20) for i in range(2000)}
    content = {
        "text": lambda: text_rows(vectors).encode(),
        "binary": lambda: binary_rows(vectors),
        "fasttext": fasttext_file.read_bytes,
    }[kind]()
    return gzip.compress(content)


@pytest.mark.parametrize("kind", ["text", "binary", "fasttext"])
def test_a_truncated_gzip_file_is_named(kind, fasttext_file, tmp_path):
    content = gzipped(kind, fasttext_file)
    path = write(tmp_path / "vectors.gz", content[: len(content) // 3])
    match = r"vectors\.gz: the gzip stream is damaged or truncated.*Download the file again"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["w0"])


@pytest.mark.parametrize("length", [2, 9, 11, 20])
def test_a_gzip_file_of_which_only_the_beginning_came_is_named(length, fasttext_file, tmp_path):
    path = write(tmp_path / "vectors.gz", gzipped("text", fasttext_file)[:length])
    with pytest.raises(ValueError, match=r"vectors\.gz: the gzip stream is damaged or truncated"):
        Embeddings(path).lookup(["w0"])


@pytest.mark.parametrize(
    "where",
    [pytest.param(12, id="beginning"), pytest.param(-6, id="checksum")],
)
def test_a_gzip_file_with_damaged_bytes_is_named(where, fasttext_file, tmp_path):
    content = bytearray(gzipped("text", fasttext_file))
    content[where : where + 4] = bytes(255 - byte for byte in content[where : where + 4])
    path = write(tmp_path / "vectors.gz", bytes(content))
    with pytest.raises(ValueError, match=r"vectors\.gz: the gzip stream is damaged or truncated"):
        Embeddings(path).lookup(["w1999"])


# Any damage ---------------------------------------------------------------------------


def damaged(content, rng, first):
    """Up to three bytes changed, half of the time among the first ones, and maybe the end lost."""
    content = bytearray(content)
    last = min(len(content), first + 100) if rng.random() < 0.5 else len(content)
    for _ in range(rng.integers(1, 4)):
        content[rng.integers(first, last)] = rng.integers(256)
    if rng.random() < 0.3:
        del content[rng.integers(first, len(content)) :]
    return bytes(content)


# What overflows is the subject of a test above.
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize(
    "packed",
    [
        False,
        pytest.param(True),
    ],
    ids=["plain", "gzip"],
)
@pytest.mark.parametrize("kind", ["text", "glove", "binary", "fasttext"])
def test_any_damage_is_read_over_or_a_value_error_that_names_the_file(
    kind, packed, fasttext_file, tmp_path
):
    save = {"text": save_text, "glove": save_glove, "binary": save_binary}
    vectors = random_vectors(n_words=30, size=5, seed=10)
    words = [*vectors.index_to_key, *load_facebook_vectors(str(fasttext_file)).index_to_key]
    path = tmp_path / "plain"
    if kind == "fasttext":
        content, first = fasttext_file.read_bytes(), ARGUMENTS
    else:
        save[kind](vectors, str(path))
        content, first = path.read_bytes(), 0
    if packed:
        content, first = gzip.compress(content), 2
    rng = np.random.default_rng(0)
    refused = {}
    for i in range(200):
        path = write(tmp_path / f"damaged{i}", damaged(content, rng, first))
        try:
            Embeddings(path).lookup(words)
        except ValueError as error:
            refused[path.name] = str(error)
    assert len(refused) > 20
    assert [name for name, message in refused.items() if name not in message] == []


@pytest.mark.parametrize("field", ["minn", "maxn"])
def test_a_negative_length_of_subwords_in_a_fasttext_file_is_refused(
    field, fasttext_file, tmp_path
):
    content = bytearray(fasttext_file.read_bytes())
    struct.pack_into("<i", content, 8 + 4 * (9 if field == "minn" else 10), -1)
    path = write(tmp_path / "model.bin", bytes(content))
    with pytest.raises(ValueError, match=r"model\.bin"):
        Embeddings(path).lookup(["the"])


# Files that are made to cost memory or time -------------------------------------------


def fasttext_with(content, field, value):
    """A fastText file with another number among its arguments, and a matrix that agrees."""
    content = bytearray(content)
    start = matrix_start(content) + 1
    offsets = {"size": 8, "bucket": 40, "maxn": 48, "n_words": ARGUMENTS + 4}
    struct.pack_into("<i", content, offsets[field], value)
    size, bucket, n_words = (
        struct.unpack_from("<i", content, offsets[name])[0]
        for name in ("size", "bucket", "n_words")
    )
    struct.pack_into("<2q", content, start, n_words + bucket, size)
    return bytes(content)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("size", 0, "vectors of 1 to 1,048,576 numbers, got 0"),
        ("size", -1, "vectors of 1 to 1,048,576 numbers, got -1"),
        ("size", 2**31 - 1, "vectors of 1 to 1,048,576 numbers, got 2147483647"),
        ("bucket", -5, "0 or more rows for subwords; got 13 words and -5 rows"),
        (
            "n_words",
            -1,
            "0 to 13 words among the 13 entries .* got -1 words and 40 rows",
        ),
        (
            "n_words",
            14,
            "0 to 13 words among the 13 entries .* got 14 words and 40 rows",
        ),
        ("maxn", 2**31 - 1, "subwords of 0 to 100 letters, got 3 to 2147483647"),
    ],
)
def test_numbers_of_a_fasttext_file_that_cannot_be_are_refused(
    field, value, message, packed, fasttext_file, tmp_path
):
    content = fasttext_with(fasttext_file.read_bytes(), field, value)
    path = write(tmp_path / "model.bin", content)
    if packed:
        compress(path)
    with pytest.raises(ValueError, match=rf"model\.bin: expected .*{message}\. The file is dam"):
        Embeddings(path).lookup(["the", "x" * 5_000])


def test_labels_of_a_fasttext_file_are_no_words(fasttext_file, tmp_path):
    names = load_facebook_vectors(str(fasttext_file)).index_to_key
    # Two words fewer, so the last two entries are what fastText has labels for.
    content = fasttext_with(fasttext_file.read_bytes(), "n_words", len(names) - 2)
    content = fasttext_with(content, "bucket", 0)
    path = write(tmp_path / "model.bin", content)
    assert list(Embeddings(path).lookup(names)) == names[:-2]


def test_what_is_too_long_for_a_word_has_no_subwords(fasttext_model, fasttext_file):
    words = ["a" * 4_096, "a" * 4_097]
    for source in (fasttext_file, fasttext_model):
        assert list(Embeddings(source).lookup(words)) == words[:1]


@pytest.mark.parametrize("n_digits", [18, 19, 5_000])
def test_a_header_of_many_digits_names_the_file(n_digits, tmp_path):
    path = write(tmp_path / "vectors.txt", "9" * n_digits + " 3\nthe 1 2 3\n")
    with pytest.raises(ValueError, match=r"vectors\.txt"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize("start", ["", "the 1 2 3\n", "the 1 2 3\n" * 50_000], ids=len)
def test_a_line_without_end_is_refused_without_reading_it_all(start, tmp_path):
    path = write(tmp_path / "vectors.txt", start + "of" + " 1" * 5_000_000)
    number = start.count("\n") + 1
    match = rf"vectors\.txt, line {number}: .* does not end within 4,194,304 bytes"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["the"])


def test_blank_lines_beyond_the_number_of_rows_are_refused(tmp_path):
    path = write(tmp_path / "vectors.txt", "the 1 2 3\n" * 500 + "\n" * 1_500)
    assert list(Embeddings(path).lookup(["the"])) == ["the"]
    path = write(tmp_path / "other.txt", "the 1 2 3\n" * 500 + "\n" * 1_501)
    with pytest.raises(ValueError, match=r"other\.txt, line 2001: .*more blank lines than rows"):
        Embeddings(path).lookup(["the"])


BOMBS = {
    "text": b"the 1 2 3\n" + b"a 0 0 0\n" * 600_000,
    "line": b"the" + b" 0" * 2_000_000,
    "blank lines": b"the 1 2 3\n" + b"\n" * 4_000_000,
    "binary": b"4000000 1\nthe \x01\0\0\0" + b" \0\0\0\0" * 800_000,
    "word": b"9 1\nthe \x01\0\0\0" + b"x" * 4_000_000,
}


@pytest.mark.parametrize("kind", [*BOMBS, "fasttext", "dictionary"])
def test_what_grows_without_measure_when_decompressed_is_refused(
    kind, fasttext_file, tmp_path, monkeypatch
):
    monkeypatch.setattr(formats, "_ALWAYS_DECOMPRESSED", 1 << 19)
    content = fasttext_file.read_bytes()
    if kind == "fasttext":
        content = fasttext_with(content, "bucket", 200_000)[:-1_000] + bytes(4_800_000)
    elif kind == "dictionary":
        content = content[: matrix_start(content)] + bytes(4_000_000)
        content = content[:ARGUMENTS] + struct.pack("<i", 2**31 - 1) + content[ARGUMENTS + 4 :]
    else:
        content = BOMBS[kind]
    path = write(tmp_path / "vectors.gz", gzip.compress(content, 9))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"vectors\.gz"):
            Embeddings(path).lookup(["the", "catlike"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 15_000_000


def test_what_grows_too_much_says_how_to_read_it_all_the_same(tmp_path):
    packed = write(tmp_path / "vectors.gz", gzip.compress(BOMBS["text"]))
    with pytest.raises(ValueError, match=r"vectors\.gz decompresses to more than 100 times its .*"):
        Embeddings(packed).lookup(["the"])
    plain = write(tmp_path / "vectors.txt", BOMBS["text"])
    assert Embeddings(plain).lookup(["the"])["the"].tolist() == [1, 2, 3]
    # A few megabytes may be as alike as they like.
    small = write(tmp_path / "small.gz", gzip.compress(BOMBS["text"][:4_000_010]))
    assert Embeddings(small).lookup(["the"])["the"].tolist() == [1, 2, 3]
