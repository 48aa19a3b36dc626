"""A warning, once, if tokens are not words or have no vectors."""

import warnings

import numpy as np
import pytest

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from tests.fake_encoders import FakeEncoder

THAI = ["ฉันชอบหนังเรื่องนี้มาก", "หนังเรื่องนี้ยาวเกินไป", "ไม่สนุกเลยเสียเวลาจริงๆ"]
LAO = ["ຂ້ອຍມັກປຶ້ມຫົວນີ້ຫຼາຍ", "ປຶ້ມຫົວນີ້ຍາວເກີນໄປ"]
KHMER = ["ខ្ញុំចូលចិត្តសៀវភៅនេះណាស់", "សៀវភៅនេះវែងពេក"]
BURMESE = ["ကျွန်တော်ဒီစာအုပ်ကိုကြိုက်တယ်", "ဒီစာအုပ်ကရှည်လွန်းတယ်"]
CHINESE = ["我非常喜欢这本书的开头", "这本书对我来说太长了。"]
JAPANESE = ["この本はとても面白かったです", "その映画は長すぎると思う。"]


def warnings_of(texts, **params):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        TextVectorizer(random_state=0, **params).fit(texts)
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    ("texts", "language", "remedy"),
    [
        (THAI, "Thai", "pythainlp.word_tokenize"),
        (LAO, "Lao", "laonlp"),
        (KHMER, "Khmer", "khmernltk"),
        (BURMESE, "Burmese", "pyidaungsu"),
        (CHINESE, "Chinese", "jieba.lcut"),
        (JAPANESE, "Japanese", "fugashi or janome"),
    ],
)
def test_a_script_without_spaces_is_named_with_the_remedy(texts, language, remedy):
    for some in (texts, [*texts, "an English film"], texts * 50):
        (message,) = warnings_of(some)
        assert f"of the characters of words are {language}, which has no spaces" in message
        assert "Set analyzer='char', or set tokenizer" in message
        assert remedy in message
    assert not warnings_of(texts, analyzer="char")
    assert not warnings_of(texts, tokenizer=list)
    # A few words of it in another language.
    assert not warnings_of([*texts, "the film is about a book and a long road in the south " * 30])


def test_words_with_spaces_put_between_them_are_words():
    for text in (
        "我 非常 喜欢 这 本 书 的 开头 ， 但 太 长 了",
        "この 本 は とても 面白かっ た です",
        "ฉัน ชอบ หนัง เรื่อง นี้ มาก",
        "ខ្ញុំ\u200bចូលចិត្ត\u200bសៀវភៅ\u200bនេះ\u200bណាស់",
        "나는 이 책의 시작 부분을 정말 좋아해요",
        "བོད་ཡིག་གི་དེབ་འདི་ཡག་པོ་འདུག",
    ):
        assert not warnings_of([text])


def test_the_warning_shows_where_the_fit_was_called():
    with pytest.warns(UserWarning, match="are Thai") as caught:
        TextVectorizer().fit(THAI)
    assert caught[0].filename == __file__


def test_words_that_hardly_recur_are_told():
    rng = np.random.default_rng(0)
    ids = [f"{a:x} {b:x}" for a, b in rng.integers(2**40, size=(120, 2)).tolist()]
    (message,) = warnings_of(ids)
    assert message.startswith("100% of the 240 words of the texts occur only once ('")
    assert "set analyzer='char'" in message
    # Of few texts or words, nobody can tell.
    assert not warnings_of(ids[:90])
    assert not warnings_of([" ".join(ids)])
    assert not warnings_of([f"{text} the same words in each of them" for text in ids])
    assert not warnings_of(ids, analyzer="char")


def test_ordinary_texts_are_not_warned_of(corpus):
    texts, _ = corpus
    for n in (1, 2, 5, 10, 20, 50, 100, len(texts)):
        assert not warnings_of(texts[:n])
        assert not warnings_of(sorted(texts)[:n], lowercase=False)


def test_few_vectors_are_told_once_whatever_the_reason(tmp_path, corpus):
    path = tmp_path / "few.txt"
    rare = "".join(f"zz{i} {i} 1\n" for i in range(20))
    path.write_text(f"the 1 2\nof 2 1\nfilm 3 4\n{rare}", encoding="utf-8")
    texts, _ = corpus
    (message,) = warnings_of(texts, embeddings=path)
    assert message.startswith("Only ")
    assert "of the tokens have a vector in few.txt (words of the texts are '" in message
    assert "Check that the vectors are of the language of the texts" in message
    # In a few texts it may be meant, and other vectors beside them may have the words.
    assert not warnings_of(texts[:9], embeddings=path)
    assert not warnings_of(texts, embeddings=[path, FakeEncoder()])
    # One warning at most: if the case is the reason, or the script, it says that.
    path.write_text("the 1 2\nof 2 1\narray 3 4\na 1 1\n", encoding="utf-8")
    (message,) = warnings_of(
        [text.upper() for text in texts], embeddings=path, lowercase=False, vocabulary=["THE", "of"]
    )
    assert "set lowercase=True" in message
    path.write_text("。 1 2\n我 1 2\n", encoding="utf-8")
    (message,) = warnings_of(CHINESE * 60, embeddings=Embeddings(path))
    assert "are Chinese" in message


def test_a_model_of_ids_is_not_warned_of():
    rng = np.random.default_rng(0)
    X = rng.integers(2, 2_000, size=(40, 8))
    TextCNNClassifier(embedding_dim=5, max_epochs=1, random_state=0).fit(X, [0, 1] * 20)


def test_tokens_of_ones_own_need_not_be_words():
    assert not warnings_of(["a b", "c"], analyzer=lambda text: ["", *text.split()])
