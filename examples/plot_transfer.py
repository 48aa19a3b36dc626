"""
Few labels, and another corpus of the same question
===================================================

You have labels for a hundred texts, and a colleague has a model that answers
the same question for texts of another kind. ``pretrained`` starts from this
model. The texts are the docstrings that come with the package. The question is
which library one is from; the colleague's model knows it of long sentences,
and here it is asked of short ones.
"""

# %%
# The texts
# ---------

import numpy as np
from sklearn.model_selection import train_test_split

from sktextcnn.datasets import load_docstrings

texts, libraries = map(np.array, load_docstrings())
n_words = np.array([len(text.split()) for text in texts])
is_long, is_short = n_words >= 10, n_words <= 7
pool, test, y_pool, y_test = train_test_split(
    texts[is_short],
    libraries[is_short],
    test_size=0.5,
    stratify=libraries[is_short],
    random_state=0,
)
print(f"{is_long.sum():,} long sentences, e.g. {str(texts[is_long][0])!r}")
print(f"{is_short.sum():,} short ones, {len(test):,} of them to test on")

# %%
# The other model
# ---------------
# It answers the question for long sentences. This is its accuracy on short
# ones. The most frequent library has a quarter of them.

from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

source = make_pipeline(
    TextVectorizer(
        embeddings="word2vec",
        embeddings_params={"epochs": 30},
        random_state=0,
    ),
    TextCNNClassifier(max_epochs=10, random_state=0),
).fit(texts[is_long], libraries[is_long])
of_source = source.score(test, y_test)
print(f"{of_source:.3f}")

# %%
# With few labels
# ---------------
# Both models have the vectorizer of the other one, with its words and vectors.
# One starts with new convolutions. The other one starts with all that the
# other model has learned. Third, what one would do without a network: TF-IDF
# with logistic regression, on the texts of both corpora together. It needs the
# other texts, not only a model of them.

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

SIZES = (50, 100, 200)
accuracies = {"alone": [], "pretrained": [], "TF-IDF, both corpora": []}
for size in SIZES:
    few, _, y, _ = train_test_split(
        pool,
        y_pool,
        train_size=size,
        stratify=y_pool,
        random_state=0,
    )
    for name, pretrained in {
        "alone": None,
        "pretrained": FrozenEstimator(source),
    }.items():
        model = make_pipeline(
            FrozenEstimator(source[0]),
            TextCNNClassifier(
                pretrained=pretrained,
                max_epochs=30,
                random_state=0,
            ),
        )
        accuracies[name].append(model.fit(few, y).score(test, y_test))
    tfidf = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    tfidf.fit(np.append(texts[is_long], few), np.append(libraries[is_long], y))
    accuracies["TF-IDF, both corpora"].append(tfidf.score(test, y_test))

for name, of_sizes in accuracies.items():
    print(f"{name:22}", *(f"{accuracy:.3f}" for accuracy in of_sizes))

# %%
# More labels would close the gap, but 200 are far from enough.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, of_sizes in accuracies.items():
    ax.plot(SIZES, of_sizes, marker="o", label=name)
as_it_is = {"color": "grey", "linestyle": ":"}
ax.axhline(of_source, label="the other model, as it is", **as_it_is)
ax.set(xlabel="labels", ylabel="accuracy", xticks=SIZES)
figure.legend(loc="outside lower center", ncols=2)

# %%
# When it helps
# -------------
# The classes must be the same ones. The output layer and the linear part of
# the other model are taken only if they predict the new texts better than
# chance. A model of another question is of little use, and can be worse than
# none: measure it, as here, on texts that are not trained on.
