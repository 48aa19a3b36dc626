r"""
Sentiment of short reviews
==========================

Whether a short review is friendly. The reviews are written for this page, so
that it runs without a download: they show the steps, and why word order
counts, but no accuracy. With a file of your own, with a label, a tab and a
text on each line, the same script measures one:

.. code-block:: bash

    DATA=mr.tsv python examples/plot_sentiment.py

The MR corpus (Pang and Lee, 2005) becomes such a file by

.. code-block:: bash

    sed 's/^/negative\t/' rt-polarity.neg | iconv -f cp1252 -t utf-8 > mr.tsv
    sed 's/^/positive\t/' rt-polarity.pos | iconv -f cp1252 -t utf-8 >> mr.tsv
"""

# %%
# The texts
# ---------
# "Not" negates the word after it, not the word before it.

import os
from pathlib import Path

FRIENDLY = """
good, not boring for a minute
great fun, not one dull scene
clever and warm, never silly
a good film with a great cast
the songs are lovely and the cast is great
not bad at all
this is not dull, it is clever
not boring, not silly, simply good
a warm and lovely story
i laughed a lot and left happy
the best two hours of my week
not a bad scene in it
funny, clever and never too long
lovely pictures and a clever ending
a great ending to a good story
never dull, and at times great
i would gladly see it again
the cast is good, and not one joke is stale
it is not silly, it is charming
a happy surprise, warm and funny
""".strip().splitlines()

UNFRIENDLY = """
boring, not good for a minute
dull fun, not one great scene
silly and cold, never clever
a bad film with a weak cast
the songs are stale and the cast is weak
not good at all
this is not clever, it is dull
not good, not funny, simply boring
a cold and stale story
i yawned a lot and left early
the worst two hours of my week
not a good scene in it
silly, dull and far too long
weak pictures and a stale ending
a bad ending to a dull story
never clever, and at times bad
i would never see it again
the cast is weak, and not one joke is good
it is not charming, it is silly
a sad surprise, cold and dull
""".strip().splitlines()

if "DATA" in os.environ:
    lines = Path(os.environ["DATA"]).read_text(encoding="utf-8").splitlines()
    labels, texts = zip(*(line.split("\t", 1) for line in lines), strict=True)
else:
    texts = FRIENDLY + UNFRIENDLY
    labels = ["friendly"] * len(FRIENDLY) + ["unfriendly"] * len(UNFRIENDLY)

print(f"{len(texts):,} texts, e.g. {texts[0]!r}: {labels[0]}")

# %%
# The model
# ---------
# These texts are too few to train word vectors. The command
# ``sktextcnn vectors get glove-wiki-gigaword-100`` downloads some. With
# ``TextVectorizer(embeddings="glove-wiki-gigaword-100")``, words that the
# texts do not have are understood too, if they are among the first 50,000 of
# the vectors.

from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
model.fit(texts, labels)

# %%
# The training
# ------------
# The network memorizes 40 texts; the training loss does not show that.
# ``early_stopping=True`` and ``X_val`` add a curve of other texts.

from sktextcnn import TrainingHistoryDisplay

TrainingHistoryDisplay.from_estimator(model)

# %%
# Asking it
# ---------
# A bag of words cannot tell the first two from each other. The model is unsure
# about words that are rare in the texts.

reviews = [
    "good, not dull",
    "dull, not good",
    "a lovely cast",
    "the story is stale",
]
for review, scores in zip(reviews, model.predict_proba(reviews), strict=True):
    likely = model.classes_[scores.argmax()]
    print(f"{likely:12} {scores.max():.2f}   {review}")

# %%
# Why
# ---
# Blue words are evidence for the class, orange words against it.

from sktextcnn import ExplanationDisplay

ExplanationDisplay.from_estimator(model, "dull, not good")

# %%
# What was learned of all texts.

from sktextcnn import LearnedNGramsDisplay

LearnedNGramsDisplay.from_estimator(model, texts, model.classes_[0], n=12)

# %%
# With a corpus of your own
# -------------------------
# With ``DATA``, the accuracy is measured, beside that of a model that costs
# less.

if "DATA" in os.environ:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    tfidf = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    cnn = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    for name, candidate in {"TF-IDF": tfidf, "TextCNN": cnn}.items():
        scores = cross_val_score(candidate, texts, labels, cv=5)
        print(f"{name}: {scores.mean():.3f}")
