"""Samplers and meta-estimators of scikit-learn and imbalanced-learn beside our steps."""

from operator import itemgetter

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE, SMOTEN, RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sktextcnn import TextCNNClassifier, TextVectorizer

FROM_FILE = {"docstrings.txt"}


@pytest.fixture
def vectorizer(vectors_file):
    return TextVectorizer(embeddings=vectors_file, max_length=20, random_state=0)


@pytest.fixture
def classifier():
    return TextCNNClassifier(
        num_filters=8,
        kernel_sizes=(2,),
        max_epochs=15,
        learning_rate=0.03,
        wide=False,
        random_state=0,
    )


@pytest.fixture(scope="module")
def rare(corpus):
    """Texts of two frequent classes and of a rare one."""
    texts, labels = corpus
    rows = []
    for label, most in zip(sorted(set(labels)), (40, 12, 40), strict=False):
        rows += [row for row, other in enumerate(labels) if other == label][:most]
    return [texts[row] for row in rows], np.array(labels)[rows]


@pytest.mark.parametrize("sampler", [RandomOverSampler(), RandomUnderSampler()], ids=str)
def test_a_sampler_that_chooses_rows_keeps_the_vectors(vectorizer, classifier, rare, sampler):
    texts, labels = rare
    model = make_imblearn_pipeline(vectorizer, sampler.set_params(random_state=0), classifier)
    model.fit(texts, labels)
    assert model[-1].embedding_source_ in FROM_FILE
    chosen, balanced = clone(sampler).fit_resample(vectorizer.transform(texts), labels)
    expected = clone(classifier).fit(chosen, balanced)
    np.testing.assert_array_equal(
        model.predict_proba(texts), expected.predict_proba(vectorizer.transform(texts))
    )


@pytest.mark.parametrize("sampler", [SMOTE(k_neighbors=2), SMOTEN(k_neighbors=2)], ids=str)
def test_a_sampler_that_invents_rows_is_refused(vectorizer, classifier, rare, sampler):
    model = make_imblearn_pipeline(vectorizer, sampler, classifier)
    with pytest.raises(ValueError, match=r"rows of X are not as TextVectorizer .*RandomOverSampl"):
        model.fit(*rare)


WRAPPERS = {
    "one vs one": OneVsOneClassifier,
    "one vs rest": OneVsRestClassifier,
    "bagging": lambda learner: BaggingClassifier(learner, n_estimators=2, random_state=0),
    "boosting": lambda learner: AdaBoostClassifier(learner, n_estimators=2, random_state=0),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_as_the_last_step_has_the_vectors(vectorizer, classifier, rare, name):
    texts, labels = rare
    model = make_pipeline(vectorizer, WRAPPERS[name](classifier)).fit(texts, labels)
    assert {member.embedding_source_ for member in model[-1].estimators_} == FROM_FILE
    # The most frequent class has 44 % of the texts.
    assert (model.predict(texts) == labels).mean() > 0.5


def test_self_training_learns_from_texts_without_labels(vectorizer, classifier, rare):
    texts, labels = rare
    numbers = np.unique(labels, return_inverse=True)[1]
    known = np.where(np.arange(len(texts)) % 2, numbers, -1)
    model = make_pipeline(vectorizer, SelfTrainingClassifier(classifier, threshold=0.4))
    model.fit(texts, known)
    assert model[-1].estimator_.embedding_source_ in FROM_FILE
    assert model[-1].labeled_iter_.max() > 0
    assert set(model.predict(texts)) <= {0, 1, 2}


def test_several_labels_by_one_classifier_for_each_but_not_by_a_chain(vectorizer, classifier, rare):
    texts, labels = rare
    targets = np.stack([labels == label for label in np.unique(labels)], axis=1).astype(int)
    several = make_pipeline(vectorizer, MultiOutputClassifier(classifier)).fit(texts, targets)
    assert {member.embedding_source_ for member in several[-1].estimators_} == FROM_FILE
    chain = make_pipeline(vectorizer, ClassifierChain(classifier))
    with pytest.raises(ValueError, match=r"ClassifierChain add columns.*indicator matrix as y"):
        chain.fit(texts, targets)


def test_numbers_beside_texts_are_stacked(vectorizer, classifier, rare):
    texts, labels = rare
    frame = pd.DataFrame({"text": texts, "year": 1990 + np.arange(len(texts)) % 30})
    frame["price"] = (np.unique(labels, return_inverse=True)[1] == 1) * 3.0
    of_text = make_pipeline(FunctionTransformer(itemgetter("text")), vectorizer, classifier)
    of_numbers = make_pipeline(
        FunctionTransformer(itemgetter(["year", "price"])), StandardScaler(), LogisticRegression()
    )
    stacking = StackingClassifier([("text", of_text), ("numbers", of_numbers)], cv=2)
    stacking.fit(frame, labels)
    assert stacking.estimators_[0][-1].embedding_source_ in FROM_FILE
    assert stacking.score(frame, labels) > 0.6
    columns = ColumnTransformer(
        [("text", vectorizer, "text"), ("numbers", "passthrough", ["year"])]
    )
    with pytest.raises(ValueError, match=r"X has 1 columns beside .*use StackingClassifier"):
        make_pipeline(columns, classifier).fit(frame, labels)
