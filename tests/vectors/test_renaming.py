"""Tags and prefixes of the words of a source, and the rule that removes them."""

import functools
import pickle
import re

import joblib
import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import load_facebook_vectors, save_facebook_model
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from tests.fake_encoders import FakeEncoder
from tests.vector_files import binary_rows, compress, text_rows, write

TAGGED = {
    "депутат_NOUN": [1, 2],
    "bank_NOUN": [3, 4],
    "bank_VERB": [5, 6],
    "new::york_PROPN": [7, 8],
    "untagged": [9, 9],
    "_NOUN": [9, 9],
}
EXPECTED = {"депутат": [1, 2], "bank": [3, 4], "new::york": [7, 8]}
ASKED = ["bank", "bank_VERB", "untagged", "депутат", "NOUN", "new::york", ""]


def without_tag(word):
    word, _, tag = word.rpartition("_")
    return word if tag else None


def source(kind, rows, path):
    if kind == "binary":
        return write(path, binary_rows(rows))
    if kind == "gzip":
        return compress(write(path, text_rows(rows)))
    if kind == "text":
        return write(path, text_rows(rows))
    if kind == "header":
        return write(path, f"{len(rows)} 2\n" + text_rows(rows))
    if kind == "dict":
        return rows
    if kind == "pair":
        return list(rows), list(rows.values())
    vectors = KeyedVectors(2)
    vectors.add_vectors(list(rows), list(rows.values()))
    if kind == "kv":
        vectors.save(str(path))
        return path
    return vectors


KINDS = ["text", "header", "gzip", "binary", "dict", "pair", "gensim", "kv"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("word", ["(.+)_[A-Z]+", without_tag], ids=["pattern", "function"])
def test_tags_are_removed_and_the_first_of_several_words_counts(word, kind, tmp_path):
    handle = Embeddings(source(kind, TAGGED, tmp_path / "vectors"), word=word)
    for _ in range(2):
        found = handle.lookup(ASKED)
        expected = [each for each in ASKED if each in EXPECTED]
        assert {each: row.tolist() for each, row in found.items()} == EXPECTED
        assert list(found) == expected
    # One by one, by the index.
    for each in ASKED:
        assert list(handle.lookup([each])) == ([each] if each in EXPECTED else [])
    assert handle.words(2) == ["депутат", "bank"]
    assert handle.words(9) == ["депутат", "bank", "new::york"]
    # A handle without it reads the same file as it is.
    plain = Embeddings(source(kind, TAGGED, tmp_path / "vectors"))
    assert list(plain.lookup(ASKED)) == ["bank_VERB", "untagged"]
    assert plain.words(9) == list(TAGGED)


@pytest.mark.parametrize(
    ("word", "of_source", "ours"),
    [
        ("/c/en/(.+)", ["/c/de/king", "/c/en/king", "/c/en/new_york"], ["king", "new_york"]),
        (r"(.+)\|.*", ["king|NOUN", "of|ADP"], ["king", "of"]),
        ("en:(.+)", ["en:king", "de:König"], ["king"]),
        ("▁(.+)", ["▁king", "ing"], ["king"]),
        (r"(.+?)\.[nv]\.\d+", ["king.n.01", "go.v.02"], ["king", "go"]),
        (str.lower, ["KING", "King", "Of"], ["king", "of"]),
        (str.strip, [" king", "of "], ["king", "of"]),
        (functools.partial(re.sub, r"\W", ""), ["#king", "of"], ["king", "of"]),
        ({"rex": "king"}.get, ["rex", "le"], ["king"]),
    ],
)
def test_rules_of_many_kinds(word, of_source, ours):
    handle = Embeddings({key: [1.0] for key in of_source}, word=word)
    assert handle.words(9) == ours
    assert set(handle.lookup([*of_source, *ours])) == set(ours)


def test_rows_in_blocks_are_renamed_as_those_read_line_by_line(tmp_path):
    rows = {f"w{i}_{'NV'[i % 2]}": [i, -i] for i in range(500)}
    path = write(tmp_path / "vectors.txt", text_rows(rows))
    handle = Embeddings(path, word="(.+)_N")
    words = [f"w{i}" for i in range(500)]
    assert {word: row[0] for word, row in handle.lookup(words).items()} == {
        f"w{i}": i for i in range(0, 500, 2)
    }


def test_fasttext_has_the_vector_of_the_tagged_word_with_its_subwords(tmp_path):
    sentences = [["king_NOUN", "rules_VERB", "king_NOUN"]] * 5
    model = FastText(sentences, vector_size=4, min_count=1, bucket=50, workers=1, seed=1)
    path = tmp_path / "model.bin"
    save_facebook_model(model, str(path))
    truth = load_facebook_vectors(str(path))
    for each, expected in ((path, truth), (model, model.wv)):
        rows = Embeddings(each, word="(.+)_[A-Z]+").lookup(["king", "queen"])
        np.testing.assert_array_equal(rows["king"], expected["king_NOUN"])
        np.testing.assert_array_equal(rows["queen"], expected["queen"])
        assert Embeddings(each, word="(.+)_[A-Z]+").words(2) == ["king", "rules"]


@pytest.mark.parametrize(
    ("word", "error", "message"),
    [
        (
            "/c/en/",
            ValueError,
            r"must have one group.* 0. For a prefix, write '/c/en/\(\.\+\)'",
        ),
        ("_NOUN", ValueError, r"for a suffix, '\(\.\+\)_NOUN'"),
        ("(.)(.+)", ValueError, "must have one group.* it has 2"),
        ("(.+", ValueError, r"word='\(\.\+' is not a valid regular expression"),
        (5, TypeError, "word must be a regular expression .* got 5 of type int"),
        (b"(.+)", TypeError, "got b'.*' of type bytes"),
    ],
)
def test_what_is_no_rule_is_refused_at_once(word, error, message):
    with pytest.raises(error, match=message):
        Embeddings({"a": [1]}, word=word)


def test_what_a_function_returns_is_checked(tmp_path):
    path = write(tmp_path / "vectors.txt", text_rows({"king": [1, 2], "of": [3, 4]}))
    for each in (path, {"king": [1, 2]}):
        with pytest.raises(TypeError, match=r"word=len must return a str.*'king' it returned 4"):
            Embeddings(each, word=len).lookup(["king"])


def test_an_object_that_cannot_be_a_key_is_refused():
    class Rule:
        __hash__ = None

        def __call__(self, word):
            return word

    with pytest.raises(TypeError, match=r"word must be hashable.* type Rule"):
        Embeddings({"a": [1]}, word=Rule())


def test_an_encoder_takes_no_rule():
    with pytest.raises(ValueError, match="word has no effect on FakeEncoder"):
        Embeddings(FakeEncoder(), word="(.+)_N")


def test_a_handle_of_a_handle_keeps_the_rule_or_takes_another():
    handle = Embeddings(TAGGED, word="(.+)_NOUN")
    assert Embeddings(handle).words(9) == ["депутат", "bank"]
    assert Embeddings(handle, word="(.+)_VERB").words(9) == ["bank"]
    assert repr(Embeddings(handle)) == "Embeddings('dict of 6 words', word='(.+)_NOUN')"
    assert repr(Embeddings(TAGGED, word=without_tag)).endswith("word=without_tag)")


@pytest.mark.parametrize("word", ["(.+)_[A-Z]+", without_tag, str.lower])
@pytest.mark.parametrize("kind", ["text", "dict"])
def test_rules_are_kept_by_pickles_clones_and_searches(word, kind, tmp_path):
    rows = {"Gem_NOUN": [1, 2], "dull_ADJ": [3, 4]} if word is not str.lower else {"GEM": [1, 2]}
    handle = Embeddings(source(kind, rows, tmp_path / "vectors.txt"), word=word)
    lowercase = word is str.lower
    assert pickle.loads(pickle.dumps(handle)).words(9) == handle.words(9)
    vectorizer = TextVectorizer(embeddings=handle, lowercase=lowercase, random_state=0)
    model = make_pipeline(vectorizer, DummyClassifier())
    grid = GridSearchCV(model, {"textvectorizer__max_length": [1, 2]}, cv=2)
    grid.fit(["Gem dull"] * 4, [0, 1] * 2)
    joblib.dump(grid, tmp_path / "grid")
    fitted = clone(joblib.load(tmp_path / "grid").best_estimator_).fit(["Gem dull"], [0])[0]
    assert fitted.coverage_.tokens == (0.5 if lowercase else 1)


def test_a_rule_is_part_of_what_caches_know(tmp_path):
    path = source("text", TAGGED, tmp_path / "vectors.txt")
    handles = [Embeddings(path, word=word) for word in (None, "(.+)_NOUN", "(.+)_VERB")]
    assert len({joblib.hash(handle) for handle in handles}) == 3
    assert [handle.lookup(["bank"]).get("bank", [0])[0] for handle in handles] == [0, 3, 5]


def test_a_function_without_a_name_cannot_be_pickled():
    def local(word):
        return word

    for word, name in ((lambda word: word, "<lambda>"), (local, "<locals>")):
        handle = Embeddings(TAGGED, word=word)
        assert handle.words(1) == ["депутат_NOUN"]
        assert clone(TextVectorizer(embeddings=handle)).embeddings is handle
        with pytest.raises(TypeError, match=rf"word=.*{name}.* cannot be pickled.*top level"):
            pickle.dumps(handle)


def test_a_model_file_keeps_a_pattern_and_refuses_a_function(tmp_path):
    path = source("text", TAGGED, tmp_path / "vectors.txt")
    classifier = TextCNNClassifier(num_filters=2, max_epochs=1, random_state=0)
    texts, labels = ["bank", "депутат"] * 2, [0, 1] * 2
    for word in ("(.+)_[A-Z]+", without_tag):
        vectorizer = TextVectorizer(embeddings=Embeddings(path, word=word), random_state=0)
        model = make_pipeline(vectorizer, classifier).fit(texts, labels)
        file = tmp_path / f"model-{callable(word)}"
        if callable(word):
            with pytest.raises(TypeError, match=r"word=without_tag.* omit="):
                sktextcnn.save(model, file)
        else:
            sktextcnn.save(model, file)
            loaded = sktextcnn.load(file)
            assert repr(loaded[0].embeddings) == repr(vectorizer.embeddings)
            assert clone(loaded).fit(texts, labels)[0].coverage_.tokens == 1
