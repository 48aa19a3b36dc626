"""Studies of Optuna: trials that are pruned by epoch, and a search in threads."""

import optuna
import pytest
from optuna_integration import OptunaSearchCV, SkorchPruningCallback
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

# OptunaSearchCV is experimental, and warns of what it uses of Optuna itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning"),
    pytest.mark.filterwarnings("ignore:.optuna.terminator:FutureWarning"),
]

TEXTS = ["a good film", "a bad film", "the warm and good one", "dull and bad of it"] * 6
LABELS = ["good", "bad", "good", "bad"] * 6
# The third cannot be better than the first two.
RATES = [1e-2, 2e-2, 1e-7]


def small_model(**parameters):
    return make_pipeline(
        TextVectorizer(min_df=1),
        TextCNNClassifier(max_epochs=3, num_filters=4, wide=False, random_state=0).set_params(
            **parameters
        ),
    )


@pytest.fixture(params=["memory", "database"])
def study(request, tmp_path):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = None if request.param == "memory" else f"sqlite:///{tmp_path / 'study.db'}"
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2)
    return optuna.create_study(direction="minimize", storage=storage, pruner=pruner)


def fitted(model):
    return model.fit(TEXTS, LABELS)[-1].net_.history[-1]["train_loss"]


@pytest.mark.parametrize("copied", [lambda model: model, clone], ids=["the model", "a clone"])
def test_a_trial_is_pruned_by_epoch(copied, study):
    def objective(trial):
        callback = SkorchPruningCallback(trial, "train_loss")
        model = small_model(learning_rate=RATES[trial.number], callbacks=[callback])
        return fitted(copied(model))

    study.optimize(objective, n_trials=3)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE", "PRUNED"]
    assert [len(trial.intermediate_values) for trial in study.trials] == [3, 3, 2]


def test_a_search_in_threads_has_the_scores_of_one_in_a_single_thread():
    def search(n_jobs):
        rates = {
            "textcnnclassifier__learning_rate": optuna.distributions.CategoricalDistribution(RATES)
        }
        sampler = optuna.samplers.GridSampler({"textcnnclassifier__learning_rate": RATES}, seed=0)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        return OptunaSearchCV(
            small_model(),
            rates,
            cv=2,
            n_trials=3,
            n_jobs=n_jobs,
            study=study,
            scoring="neg_log_loss",
            error_score="raise",
        ).fit(TEXTS, LABELS)

    def scores(search):
        return {
            trial.params["textcnnclassifier__learning_rate"]: trial.value
            for trial in search.trials_
        }

    assert scores(search(2)) == scores(search(1))
