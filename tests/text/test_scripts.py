"""The default tokenizer has the words of every script that separates them."""

import re
import unicodedata
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from sktextcnn import TextVectorizer
from sktextcnn._text import build_analyzer, describe_analyzer, token_finder, tokenize
from sktextcnn._text.analyzer import TOKEN_PATTERN
from sktextcnn._text.normalization import REPLACEMENTS, composed, normalized

PAGE = Path(__file__).parents[2] / "docs" / "vectorizer.md"

# Words and marks, separated by | here. Written for this test.
SENTENCES = {
    "English": "we|do|n't|like|it|;|it|'s|her|co|-|worker|'s|film|.",
    "French": "l|'|été|,|j|'|ai|aimé|le|cœur|de|ce|film|!",
    "German": "die|straße|ist|schön|.",
    "Spanish": "¿|qué|te|pareció|la|película|?",
    "Catalan": "una|col·lecció|excel·lent|.",
    "Polish": "żółta|książka|,|źle|napisana",
    "Czech": "příliš|žluťoučký|kůň",
    "Icelandic": "þetta|er|góð|bók",
    "Vietnamese": "tôi|rất|thích|quyển|sách|này|vì|nó|dễ|hiểu",
    "Yoruba": "mo|fé̩ràn|ìwé|yìí|gan|-|an",
    "Turkish": "istanbul|'|da|güzel|bir|gün|geçirdik",
    "Hawaiian": "he|puke|maikaʻi|kēia",
    "Greek": "μου|άρεσε|αυτό|το|βιβλίο|·|είναι|πολύ|καλό",
    "Russian": "мне|понравилась|эта|ёлка|,|й|й",
    "Ukrainian": "моє|здоров'я|й|сім'я|в|об'єкті",
    "Georgian": "ეს|წიგნი|ძალიან|მომეწონა",
    "Armenian": "ինչո՞ւ|չեկար|,|սա|լա՛վ|գիրք|է|։",
    "Arabic": "أَحْبَبْتُ|هٰذَا|الكِتَابَ|،|وَهُوَ|جَمِيلٌ|جِدًّا",
    "Persian": "این|کتاب\u200cها|را|می\u200cخواهم|؟",
    "Urdu": "مجھے|یہ|کتاب|پسند|ہے|۔",
    "Hebrew": "אָהַבְתִּי|את|הסרט|של|צה\"ל|,|צ'יפס|וגם|פרופ'|כהן",
    "Syriac": "ܫܠܳܡܳܐ|ܥܰܠܡܳܐ",
    "Thaana": "މިއީ|ރަނގަޅު|ފޮތެއް",
    "N'Ko": "ߊߟߎ߫|ߣߌ߫|ߛߐ߰ߡߊ߬",
    "Hindi": "मुझे|यह|हिन्दी|फ़िल्म|बहुत|अच्छी|लगी|।",
    "Marathi": "मला|हे|पुस्तक|खूप|आवडले",
    "Bengali": "আমার|বইটি|খুব|ভালো|লেগেছে|।|র\u200d্যাম|পড়া",
    "Punjabi": "ਮੈਨੂੰ|ਇਹ|ਕਿਤਾਬ|ਪਸੰਦ|ਹੈ",
    "Gujarati": "મને|આ|પુસ્તક|ગમ્યું",
    "Odia": "ମୋତେ|ଏହି|ବହି|ଭଲ|ଲାଗିଲା",
    "Tamil": "எனக்கு|இந்தப்|புத்தகம்|மிகவும்|பிடித்தது",
    "Telugu": "నాకు|ఈ|పుస్తకం|చాలా|నచ్చింది",
    "Kannada": "ನನಗೆ|ಈ|ಪುಸ್ತಕ|ಇಷ್ಟವಾಯಿತು",
    "Malayalam": "എനിക്ക്|ഈ|പുസ്തകം|അവന്\u200d|നല്കി",
    "Sinhala": "මට|මේ|පොත|ශ්\u200dරී|ලංකාව",
    "Amharic": "ይህ|መጽሐፍ|በጣም|ጥሩ|ነው|።",
    "Korean": "나는|이|책을|정말|좋아해요|.",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ|ᠨᠣᠮ",
    "Cherokee": "ꭳꮟᏺ|ꭷꮤ",
    "emoji": "👩‍👩‍👧|👍🏽|👍|🇩🇪|🇫🇷|1⃣|❤|!",
}


def analyze(text, **params):
    return tokenize(text, build_analyzer(**TextVectorizer(**params)._analysis()))


@pytest.mark.parametrize("language", SENTENCES)
def test_words_are_whole_in_every_form_of_their_spelling(language):
    words = composed(SENTENCES[language]).split("|")
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, " ".join(words))
        assert analyze(text) == words
        assert analyze(text.upper() if language == "German" else text, lowercase=False)
        # Where they were written, in the order of the text.
        spans = [(start, end) for _, start, end in token_finder(TextVectorizer()._analysis())(text)]
        assert [normalized(text[start:end]) for start, end in spans] == words


def test_marks_between_words_need_no_spaces():
    for language, joined in {
        "Amharic": "ይህ፡መጽሐፍ፡በጣም፡ጥሩ፡ነው።",
        "Hindi": "मुझे यह हिन्दी फ़िल्म बहुत अच्छी लगी।",
        "Hebrew": "אָהַבְתִּי את הסרט של צה״ל, צ׳יפס וגם פרופ׳ כהן",
        "Armenian": "Ինչո՞ւ չեկար, սա լա՛վ գիրք է։",
        "Turkish": "İstanbul’da güzel bir gün geçirdik",
        "Ukrainian": "Моє здоров’я й сімʼя в об'єкті",
        "English": "We don’t like it; it’s her co‐worker’s film.",
        "French": "L’été, j’ai aimé le cœur de ce film!",
        "emoji": "👩‍👩‍👧👍🏽👍🇩🇪🇫🇷 1️⃣ ❤️!",
    }.items():
        assert analyze(joined) == composed(SENTENCES[language]).split("|"), language
    assert analyze("བོད་ཡིག་ནི།") == ["བོད", "ཡིག", "ནི", "།"]
    assert analyze("ខ្ញុំ\u200bស្រឡាញ់\u200bសៀវភៅ") == ["ខ្ញុំ", "ស្រឡាញ់", "សៀវភៅ"]


@pytest.mark.parametrize("language", sorted(set(SENTENCES) - {"emoji", "English"}))
def test_words_are_those_of_unicode(language):
    """The rules of UAX 29, by the package regex."""
    text = " ".join(composed(SENTENCES[language]).split("|"))
    found = [piece for piece in regex.split(r"(?w)\b", text, flags=regex.V1) if piece.strip()]
    assert analyze(text) == [word for piece in found for word in piece.split()]


def test_apostrophes_cut_latin_words_alone():
    assert analyze("l'homme l’homme don't DON’T o'neil") == [
        *["l", "'", "homme", "l", "'", "homme", "do", "n't", "do", "n't", "o", "'", "neil"]
    ]
    assert analyze("‘a film’ dogs’ ’") == ["‘", "a", "film", "’", "dogs", "’", "’"]
    assert analyze("'הארץ' \"שלום\" 'п'ять'") == [
        *["'", "הארץ", "'", '"', "שלום", '"', "'", "п'ять", "'"]
    ]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("\ufeffco\xadoperate \u200fb\u200e \u2066c\u2069", ["cooperate", "b", "c"]),
        ("a\xa0b\u3000c\u202fd\u200be", ["a", "b", "c", "d", "e"]),
        ("\u200c a\u200c \u200db", ["a", "b"]),
        ("\u0301 \u0301\u0323a !\u0301", ["\u0301", "\u0323\u0301", "a", "!\u0301"]),
        ("İ I\u0307 i\u0307 ı I", ["i", "i", "i", "ı", "i"]),
        ("J\u030c \u01f0", ["\u01f0", "\u01f0"]),
        ("ＦＵＬＬ ﬁ", ["ｆｕｌｌ", "ﬁ"]),
        ("❤️❤ ☎︎", ["❤", "❤", "☎"]),
    ],
    ids=ascii,
)
def test_one_spelling_of_what_looks_alike(text, tokens):
    assert analyze(text) == tokens


def test_normalize_none_leaves_texts_as_they_are():
    text = "cafe\u0301 don’t so\xadft"
    assert analyze(text, normalize=None) == [*["cafe\u0301", "don", "’", "t", "so", "\xad", "ft"]]
    assert analyze(text, preprocessor=str.upper)[0] == "CAFE\u0301"
    with pytest.raises(ValueError, match="The 'normalize' parameter of TextVectorizer must be"):
        TextVectorizer(normalize="nfc").fit(["a"])


def test_other_analyzers_get_normalized_texts():
    assert analyze("cafe\u0301 x\xady", analyzer="char") == [*"café xy"]
    assert analyze("cafe\u0301 x\xady", tokenizer=str.split) == ["café", "xy"]
    assert analyze("한국어 é", strip_accents="unicode") == ["한국어", "e"]
    assert analyze("don’t stop", stop_words=["n’t"]) == ["do", "stop"]


def test_marks_in_a_pattern_of_ones_own():
    text = "हिन्दी, ok [x]"
    assert analyze(text, token_pattern=r"[\w\p{M}]+") == ["हिन्दी", "ok", "x"]
    assert analyze(text, token_pattern=r"\w\p{M}") == ["हि", "न्", "दी"]
    assert analyze(text, token_pattern=r"[^\W\p{M}]\p{M}|[\]\p{M}\[]") == [
        *["हि", "न्", "दी", "[", "]"]
    ]
    with pytest.raises(ValueError, match=r"token_pattern='\[\\\\p\{M\}' is not a valid regular"):
        analyze(text, token_pattern=r"[\p{M}")


def test_the_pattern_lists_all_marks_of_this_python():
    word = re.compile(build_pattern())
    for code in range(0x110000):
        if unicodedata.category(chr(code)) in ("Mn", "Mc", "Me"):
            assert word.fullmatch(f"a{chr(code)}"), hex(code)


def build_pattern():
    return describe_analyzer(**TextVectorizer()._analysis())["token_pattern"]


def test_a_pattern_without_what_makes_it_fast_finds_the_same():
    plain = build_pattern().replace("++", "+").replace("*+", "*")
    plain = plain.replace("(?ui)", "", 1).split("(?!')|", 1)[1]
    for text in (*map(composed, SENTENCES.values()), "don't 'n't' צה\"ל פרופ' it's об'єкт's"):
        text = text.replace("|", " ")
        assert re.findall(f"(?ui){plain}", text) == re.findall(build_pattern(), text)
    assert r"\p{M}" in TOKEN_PATTERN


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_forms_of_one_text_have_the_same_tokens(text):
    expected = analyze(text)
    for form in ("NFC", "NFD"):
        assert analyze(unicodedata.normalize(form, text)) == expected


@given(st.text(st.characters(categories=["Mn", "Lo", "Ll"]), max_size=250))
def test_composition_is_that_of_unicode(text):
    assert composed(text) == unicodedata.normalize("NFC", text)
    assert composed(f"{text} {'x' * 300} {text}") == unicodedata.normalize(
        "NFC", f"{text} {'x' * 300} {text}"
    )


def test_each_replacement_begins_with_its_characters():
    for pattern, new in REPLACEMENTS:
        assert re.fullmatch(r"\[[^\[\]]+\].*", pattern), pattern
        assert len(new) <= 1
        assert normalized("a" + pattern[1]) == "a" + pattern[1]


def rows_of_the_page():
    rows = re.findall(
        r"^\| (.+?) \| (.+?) \| (\S.*?) \| `(.+?)` \|$", PAGE.read_text("utf-8"), re.M
    )
    return [row for row in rows if " ~ " in row[3]]


@pytest.mark.filterwarnings("ignore")
def test_the_table_of_the_documentation_has_the_tokens():
    rows = rows_of_the_page()
    assert len(rows) > 12
    for _, setting, text, tokens in rows:
        params = eval(f"dict({setting.split('`')[1]})") if setting.startswith("`") else {}
        assert " ~ ".join(analyze(text, **params)) == tokens
