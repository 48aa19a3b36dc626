"""Which library is this docstring from? Train, compare, search, save and deploy.

    python examples/classify_docstrings.py
    python examples/classify_docstrings.py "Fit a linear model." "Move the tensor to CUDA."

The texts are summaries of docstrings of installed libraries, so nothing is downloaded.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn.datasets import load_docstrings

SENTENCES = [
    "Fit a linear model with coordinate descent.",
    "Returns a tensor on the CUDA device, filled with zeros.",
    "Solve an initial value problem for a system of ODEs.",
    "Train word vectors on a corpus of sentences.",
    "Broadcast an array to a new shape.",
]

# What a process that serves the model needs to run.
SERVE = """
import sys, joblib
model = joblib.load(sys.argv[1])
for text, scores in zip(sys.argv[2:], model.predict_proba(sys.argv[2:])):
    print(f"  {model.classes_[scores.argmax()]:12}  {scores.max():4.0%}   {text}")
"""


def main(sentences: list[str]) -> None:
    """Run the whole of it."""
    texts, libraries = load_docstrings()
    train, test, y_train, y_test = train_test_split(
        texts, libraries, test_size=0.2, random_state=0, stratify=libraries
    )
    print(f"{len(texts):,} texts of {len(set(libraries))} libraries, {len(test):,} to test on.")
    print(f"  e.g. {texts[0]!r} is from {libraries[0]}")

    print("\nWhat most people use: TF-IDF and logistic regression")
    tfidf = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    print(f"  test accuracy {tfidf.fit(train, y_train).score(test, y_test):.3f}")

    print("\nTextCNN, first with frozen Word2Vec vectors, which gensim trains on the texts")
    model = make_pipeline(
        # A corpus as small as this one wants many passes.
        TextVectorizer(embeddings="word2vec", embeddings_params={"epochs": 50}, random_state=0),
        TextCNNClassifier(
            finetune=False, learning_rate=2e-3, max_epochs=5, random_state=0, verbose=1
        ),
    )
    start = time.perf_counter()
    model.fit(train, y_train)
    print(f"  test accuracy {model.score(test, y_test):.3f}")

    print(
        "\nThen training continues from these weights, with tuned vectors and a smaller "
        "learning rate"
    )
    model.set_params(
        textcnnclassifier__warm_start=True,
        textcnnclassifier__finetune=True,
        textcnnclassifier__learning_rate=1e-3,
        textcnnclassifier__max_epochs=15,
    )
    model.fit(train, y_train)
    seconds = time.perf_counter() - start
    print(f"  test accuracy {model.score(test, y_test):.3f}, both stages in {seconds:.0f} s")

    print("\nA grid search over the vectorizer and the classifier, on two processes")
    search = GridSearchCV(
        make_pipeline(TextVectorizer(), TextCNNClassifier(max_epochs=15, random_state=0)),
        {
            "textvectorizer__min_df": [1, 2],
            "textcnnclassifier__kernel_sizes": [(1, 2, 3), (3, 4, 5)],
        },
        cv=3,
        n_jobs=2,
    )
    search.fit(train, y_train)
    for params, score in zip(
        search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
    ):
        print(f"  {score:.3f}  {params}")
    print(f"  the best one: test accuracy {search.score(test, y_test):.3f}")

    print("\nSaved, loaded by a fresh process, and asked")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.joblib"
        joblib.dump(model, path)
        print(f"  {path.name} has {path.stat().st_size / 1e6:.1f} MB")
        sys.stdout.flush()
        subprocess.run([sys.executable, "-c", SERVE, str(path), *sentences], check=True)


if __name__ == "__main__":
    main(sys.argv[1:] or SENTENCES)
