"""
Topics: which library is a docstring from?
==========================================

The corpus that comes with the package: first sentences of docstrings of five
libraries that are installed with it. They are real texts, so accuracies mean
something here, if only for texts like these, and for the versions that are
installed. With a folder that has a folder of text files for each topic, the
script takes these instead:

.. code-block:: bash

    DATA=20news-bydate-train python examples/plot_topics.py

The 20 newsgroups corpus is unpacked to such folders.
"""

# %%
# The texts
# ---------

import os

from sklearn.datasets import load_files
from sklearn.model_selection import train_test_split

from sktextcnn.datasets import load_docstrings

if "DATA" in os.environ:
    folder = load_files(os.environ["DATA"], encoding="latin-1")
    texts = folder.data
    topics = [folder.target_names[i] for i in folder.target]
else:
    texts, topics = load_docstrings()
train, test, y_train, y_test = train_test_split(
    texts, topics, test_size=0.2, stratify=topics, random_state=0
)
n_topics = len(set(topics))
print(f"{len(train):,} texts of {n_topics} topics, {len(test):,} to test on")

# %%
# Two models
# ----------
# Single words tell much of a topic, so TF-IDF with logistic regression is hard
# to beat, and fits in less time. Always try it first. The network gets word
# vectors that gensim trains on the same texts; vectors from a file know more.

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

tfidf = make_pipeline(
    TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
    LogisticRegression(C=10, max_iter=1000),
)
cnn = make_pipeline(
    # A corpus as small as this one wants many passes.
    TextVectorizer(
        embeddings="word2vec",
        embeddings_params={"epochs": 30},
        random_state=0,
    ),
    TextCNNClassifier(random_state=0),
)
for name, model in {"TF-IDF": tfidf, "TextCNN": cnn}.items():
    print(f"{name:8} {model.fit(train, y_train).score(test, y_test):.3f}")

# %%
# What is taken for what
# ----------------------

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

figure, ax = plt.subplots(figsize=(6, 5), layout="constrained")
ConfusionMatrixDisplay.from_estimator(
    cnn, test, y_test, ax=ax, xticks_rotation=45, cmap="Blues", colorbar=False
)

# %%
# What a topic is told by
# -----------------------
# The n-grams that add most to each class, over the texts that were not trained
# on; ``<s>`` and ``</s>`` stand for the beginning and the end of a text.

from sktextcnn import top_ngrams

for topic, ngrams in top_ngrams(cnn, test, n=4).items():
    print(f"{topic:13} {', '.join(repr(ngram.text) for ngram in ngrams)}")

# %%
# The same for one class, drawn; in brackets, in how many texts the n-gram
# activated a filter.

from sktextcnn import LearnedNGramsDisplay

LearnedNGramsDisplay.from_estimator(cnn, test, cnn.classes_[-1], n=12)

# %%
# What tuning did to the vectors
# ------------------------------
# The neighbours of a word before and after, as in Table 3 of Kim (2014).

from sktextcnn import nearest_words

known = cnn[0].vocabulary_
words = [word for word in ("matrix", "gradient", "word") if word in known]
for word, (before, after) in nearest_words(cnn, words, n=4).items():
    print(f"{word}:", *(w for w, _ in before), " ->  ", *(w for w, _ in after))
