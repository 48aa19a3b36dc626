"""
Prune trials with Optuna
========================

Optuna searches over parameters and stops a training whose loss is worse than
that of others at the same epoch. This needs the extra ``optuna``:
``pip install 'sktextcnn[optuna]'``.
"""

# %%
# The texts
# ---------
# Docstrings of the installed libraries. A fifth of them validates each epoch.

from sklearn.model_selection import train_test_split

from sktextcnn.datasets import load_docstrings

texts, libraries = load_docstrings()
train, held_out, y_train, y_held_out = train_test_split(
    texts[::20],
    libraries[::20],
    test_size=0.2,
    stratify=libraries[::20],
    random_state=0,
)

# %%
# A trial
# -------
# The callback reports the loss on the validation texts after each epoch, and
# ends the training if Optuna says so. A trial fits once. In a cross-validation
# Optuna would hear of the first fold only, as each epoch has one loss.

from optuna_integration import SkorchPruningCallback
from sklearn.pipeline import Pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer


def objective(trial):
    """Return the validation loss of a training."""
    rate = trial.suggest_float("learning_rate", 1e-5, 1e-2, log=True)
    classifier = TextCNNClassifier(
        learning_rate=rate,
        dropout=trial.suggest_float("dropout", 0.2, 0.6),
        max_epochs=6,
        num_filters=20,
        wide=False,
        random_state=0,
        callbacks=[SkorchPruningCallback(trial, "valid_loss")],
    )
    model = Pipeline(
        [("vectorize", TextVectorizer()), ("classify", classifier)],
        transform_input=["X_val"],
    )
    model.fit(train, y_train, X_val=held_out, y_val=y_held_out)
    return model[-1].net_.history[-1]["valid_loss"]


# %%
# The study
# ---------
# The storage is the memory of this process. With the address of a database,
# such as ``storage="sqlite:///study.db"``, several processes work on one
# study: start the same script in each of them.

import optuna
import sklearn

optuna.logging.set_verbosity(optuna.logging.WARNING)

study = optuna.create_study(
    study_name="docstrings",
    storage=None,
    load_if_exists=True,
    direction="minimize",
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
)
with sklearn.config_context(enable_metadata_routing=True):
    study.optimize(objective, n_trials=10)

for trial in study.trials:
    epochs = len(trial.intermediate_values)
    rate = trial.params["learning_rate"]
    print(f"{trial.state.name:9} {epochs} epochs, learning rate {rate:.5f}")
print(f"The best loss is {study.best_value:.3f}, of {study.best_params}")

# %%
# Losses by epoch
# ---------------
# The curves of pruned trials end early.

import matplotlib.pyplot as plt

fig, axes = plt.subplots()
for trial in study.trials:
    losses = trial.intermediate_values
    pruned = trial.state == optuna.trial.TrialState.PRUNED
    axes.plot(
        [epoch + 1 for epoch in losses],
        list(losses.values()),
        marker="o",
        linestyle=":" if pruned else "-",
        color="tab:orange" if pruned else "tab:blue",
    )
axes.set_xlabel("Epoch")
axes.set_ylabel("Validation loss")
_ = axes.set_title("Dotted and orange: pruned")
