"""TextCNNClassifier: the convolutional text classifier as a scikit-learn estimator."""

import copy
import numbers
import warnings
from typing import Any

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state, compute_sample_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
)
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from sktextcnn._network import ACTIVATIONS, ARCHITECTURES
from sktextcnn._token_ids import UNKNOWN_ID, TokenIds, TokenTable, lost_table
from sktextcnn._training import (
    OPTIMIZERS,
    Rows,
    TextNet,
    accepted_params,
    build_net,
    logits,
    make_early_stopping,
    output_layer,
    release_training_data,
    seeded,
)
from sktextcnn._transfer import copy_weights, find_pretrained

_RANDOM_DIM = 100
_RANDOM_BOUND = 0.25


class TextCNNClassifier(ClassifierMixin, BaseEstimator):
    """Convolutional neural network for text classification.

    Convolutions over word vectors with max-over-time pooling (Kim, 2014), trained with
    torch through skorch. Takes what :class:`TextVectorizer` returns, from which it has the
    word vectors; a plain matrix of token ids gets random ones.

    Parameters
    ----------
    architecture : {"kim", "stacked"} or subclass of torch.nn.Module, default="kim"
        "kim": parallel convolutions, each with a maximum over time. "stacked": two
        convolutions of width 5 with pooling between them, a maximum over time, and a dense
        layer. A class is called with those of the parameters of this section that its
        constructor names, and `num_embeddings`, `embedding_dim`, `num_outputs` and
        `multichannel`; it must have an ``nn.Embedding`` at `embedding` and its last layers,
        which end in an ``nn.Linear``, at `head`, and map ids of shape (n_texts, n_tokens)
        to logits of shape (n_texts, num_outputs).
    kernel_sizes : sequence of int or None, default=None
        Widths of the convolutions' windows, in words. None: those of the architecture,
        (3, 4, 5) for "kim" and (5, 5), one after the other, for "stacked".
    num_filters : int or None, default=None
        Filters of each convolution. None: 100 for "kim", 128 for "stacked".
    hidden_units : int or None, default=None
        Width of a dense layer before the output, 0 for none. None: 0 for "kim", 128 for
        "stacked".
    activation : {"relu", "tanh", "gelu", "elu", "leaky_relu", "sigmoid", "identity"}, \
            default="relu"
        Behind convolutions and the dense layer.
    dropout : float in [0, 1), default=0.5
        Share of the features dropped before a dense layer while training.
    token_dropout : float in [0, 1), default=0.0
        Share of tokens replaced by the unknown word while training.
    max_norm : float or None, default=None
        Bound of the Euclidean norm of each output's weights, kept after every step. Kim
        (2014) had 3.
    embedding_dim : int or None, default=None
        Width of random word vectors; None: 100. Vectors that are given have their own.
    finetune : bool, int, "gradual" or "multichannel", default=True
        How word vectors are trained: False, not at all (CNN-static); True, from the first
        epoch (CNN-non-static); an int k, from epoch k + 1 on, at `finetune_lr`;
        "gradual", one group an epoch, first the head, then the convolutions, then the
        vectors, at rates that fall to `finetune_lr`; "multichannel", a frozen and a trained
        copy side by side. Without vectors True is CNN-rand.
    warm_start : bool, default=False
        Whether `fit` goes on from the present weights, with a new optimizer. Rows of the
        embedding are matched by word, so the vectorizer may have been refitted.
    pretrained : str, path-like, FrozenEstimator or None, default=None
        Start from the word vectors (matched by word) and the convolutions of another model,
        with a new head: the path of a model saved with joblib (a pickle, so only from those
        you trust), or a fitted one in ``sklearn.frozen.FrozenEstimator``.
    optimizer : str or subclass of torch.optim.Optimizer, default="adam"
        One of "adam", "adamw", "adadelta", "adagrad", "rmsprop", "sgd", or a class.
    learning_rate : float, default=1e-3
        Step size of the optimizer.
    finetune_lr : float or None, default=None
        Step size for the word vectors. None: `learning_rate` where they are trained from
        the first epoch, a tenth of it where they are first frozen (int and "gradual").
    weight_decay : float, default=0.0
        Handed to the optimizer.
    batch_size : int, default=50
        Texts in a step.
    max_epochs : int, default=10
        Epochs of training, fewer with `early_stopping`.
    shuffle : bool, default=True
        Whether every epoch has the texts in a new order.
    early_stopping : bool, default=False
        Stop when the loss on a validation part has not fallen for `n_iter_no_change`
        epochs, and return to the best epoch's weights.
    validation_fraction : float in (0, 1), default=0.1
        Share of the training texts that `early_stopping` keeps for validation, in
        proportion to the classes, if `fit` gets no `X_val`.
    n_iter_no_change : int, default=3
        Patience of `early_stopping`, in epochs.
    tol : float, default=1e-4
        Fall of the loss that counts as one.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes as in scikit-learn; multiplied into `sample_weight`.
    random_state : int, RandomState or None, default=None
        An int gives the same bits every time. The global generators stay untouched.
    verbose : int, default=0
        1: a progress bar over epochs.
    device : str, default="auto"
        "cpu", "cuda", or "auto" for CUDA where there is one.
    callbacks : list of skorch callbacks or None, default=None
        Called as skorch does; copied first, so that an estimator can be fitted again.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels; the numbers of the outputs for multilabel targets.
    net_ : skorch.NeuralNetClassifier
        The fitted net; its torch module is ``net_.module_``.
    history_ : skorch.history.History
        Losses, scores and seconds of every epoch; ``history_[:, "train_loss"]``.
    n_iter_ : int
        Number of epochs that were run.
    words_ : tuple of str or None
        The word of each id; None for ids without words.
    embedding_source_ : str
        Where the word vectors came from: the name of their file, "pretrained", or "random".
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of str
        Names of the columns, if X was a data frame.

    References
    ----------
    Kim (2014), Convolutional Neural Networks for Sentence Classification, EMNLP.

    Howard and Ruder (2018), Universal Language Model Fine-tuning for Text Classification,
    ACL, for gradual unfreezing.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> model.fit(texts, labels).predict(["what a gem", "dull as ever"])
    array(['good', 'bad'], dtype='<U4')
    """

    _parameter_constraints = {
        "architecture": [StrOptions(set(ARCHITECTURES)), type],
        "kernel_sizes": ["array-like", None],
        "num_filters": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "hidden_units": [Interval(numbers.Integral, 0, None, closed="left"), None],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(numbers.Real, 0, 1, closed="left")],
        "token_dropout": [Interval(numbers.Real, 0, 1, closed="left")],
        "max_norm": [Interval(numbers.Real, 0, None, closed="neither"), None],
        "embedding_dim": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "finetune": [
            "boolean",
            Interval(numbers.Integral, 1, None, closed="left"),
            StrOptions({"gradual", "multichannel"}),
        ],
        "warm_start": ["boolean"],
        "pretrained": "no_validation",
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "learning_rate": [Interval(numbers.Real, 0, None, closed="neither")],
        "finetune_lr": [Interval(numbers.Real, 0, None, closed="neither"), None],
        "weight_decay": [Interval(numbers.Real, 0, None, closed="left")],
        "batch_size": [Interval(numbers.Integral, 1, None, closed="left")],
        "max_epochs": [Interval(numbers.Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(numbers.Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(numbers.Integral, 1, None, closed="left")],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "device": [str],
        "callbacks": [list, tuple, None],
    }

    # In Pipeline(transform_input=["X_val"]) the validation data needs no further request.
    __metadata_request__fit = {"X_val": True, "y_val": True}

    def __init__(
        self,
        *,
        architecture: str | type[torch.nn.Module] = "kim",
        kernel_sizes: Any = None,
        num_filters: int | None = None,
        hidden_units: int | None = None,
        activation: str = "relu",
        dropout: float = 0.5,
        token_dropout: float = 0.0,
        max_norm: float | None = None,
        embedding_dim: int | None = None,
        finetune: bool | int | str = True,
        warm_start: bool = False,
        pretrained: Any = None,
        optimizer: str | type[torch.optim.Optimizer] = "adam",
        learning_rate: float = 1e-3,
        finetune_lr: float | None = None,
        weight_decay: float = 0.0,
        batch_size: int = 50,
        max_epochs: int = 10,
        shuffle: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 3,
        tol: float = 1e-4,
        class_weight: Any = None,
        random_state: Any = None,
        verbose: int = 0,
        device: str = "auto",
        callbacks: Any = None,
    ) -> None:
        self.architecture = architecture
        self.kernel_sizes = kernel_sizes
        self.num_filters = num_filters
        self.hidden_units = hidden_units
        self.activation = activation
        self.dropout = dropout
        self.token_dropout = token_dropout
        self.max_norm = max_norm
        self.embedding_dim = embedding_dim
        self.finetune = finetune
        self.warm_start = warm_start
        self.pretrained = pretrained
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.finetune_lr = finetune_lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
        self.callbacks = callbacks

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None
    ) -> "TextCNNClassifier":
        """Train the network.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            What ``TextVectorizer.transform`` returns, or other token ids, in which 0 is
            padding and 1 the unknown word.
        y : array-like of shape (n_texts,) or (n_texts, n_labels)
            Labels of any type, or an indicator matrix for multilabel targets.
        sample_weight : array-like of shape (n_texts,) or None
            A text of weight 2 counts as if it were there twice, one of weight 0 not at all.
        X_val, y_val : array-like or None
            Validation data, vectorized by the same vectorizer. Their loss and accuracy are
            recorded in `history_`, and `early_stopping` watches them.

        Returns
        -------
        self : TextCNNClassifier
            On an error, and when interrupted, the estimator is left as it was before.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described; names what and the remedy.
        """
        self._validate_params()
        device = self._check_device()
        ids, table = self._check_ids(X)
        target, classes, multilabel = _encode(y, len(ids))
        weight = self._weights(ids, y, sample_weight)
        validation = self._check_validation(ids, table, classes, multilabel, X_val, y_val)
        if validation is None and self.early_stopping:
            ids, target, weight, validation = self._split(ids, target, weight, multilabel)
        if weight is not None:
            kept = weight > 0
            ids, target, weight = ids[kept], target[kept], weight[kept]
            # Mean 1, so that only the proportions count.
            weight = (weight / weight.mean()).astype(np.float32)
        pretrained = None if self.pretrained is None else find_pretrained(self.pretrained)
        previous = self if self.warm_start and hasattr(self, "net_") else None
        if previous is not None and not np.array_equal(previous.classes_, classes):
            raise ValueError(
                f"warm_start=True goes on with the same classes; previously got "
                f"{previous.classes_}, now {classes}. Set warm_start=False to start anew."
            )

        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with seeded(seed, device):
            net, source = self._new_net(
                ids, table, classes, multilabel, validation, device, seed, previous, pretrained
            )
            net.partial_fit(Rows(ids, target, weight), None)
        release_training_data(net)
        self._set_fitted(X, net, table, classes, source, seed)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> "TextCNNClassifier":
        """Train one epoch on some of the data, with the optimizer of the calls before.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            Token ids. All calls must have the same vocabulary; for ids without words, the
            first call sets the largest id, and larger ones count as unknown.
        y : array-like of shape (n_texts,) or (n_texts, n_labels)
            Labels or an indicator matrix.
        classes : array-like of shape (n_classes,) or None
            All labels that will ever occur; needed in the first call unless `y` is an
            indicator matrix.
        sample_weight : array-like of shape (n_texts,) or None
            Weights of the texts, relative to the others of this call.

        Returns
        -------
        self : TextCNNClassifier

        Raises
        ------
        ValueError
            If `classes` is missing in the first call or differs from the first call's.
        """
        self._validate_params()
        first = not hasattr(self, "net_")
        ids, table = self._check_ids(X, reset=first)
        multilabel = _is_multilabel(y, len(ids))
        if multilabel:
            classes = np.arange(np.shape(y)[1])
        elif first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is None:
            classes = self.classes_
        classes = np.unique(classes)
        if not first and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{self.classes_!r}"
            )
        target, classes, multilabel = _encode(y, len(ids), classes)
        weight = self._weights(ids, y, sample_weight)
        if weight is not None:
            weight = (weight / weight.mean()).astype(np.float32)
        if first:
            device = self._check_device()
            pretrained = None if self.pretrained is None else find_pretrained(self.pretrained)
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
            with seeded(seed, device):
                net, source = self._new_net(
                    ids, table, classes, multilabel, None, device, seed, None, pretrained
                )
        else:
            net, source, seed = self._placed_net(), self.embedding_source_, self._seed
            if net.optimizer_ is None:
                net._initialize_optimizer()
        with seeded(seed + 1 + len(net.history), net.device):
            net.max_epochs = 1
            net.partial_fit(Rows(ids, target, weight), None)
        if first:
            self._set_fitted(X, net, table, classes, source, seed)
        self.n_iter_ = len(net.history)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the labels.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            Token ids.

        Returns
        -------
        y : ndarray of shape (n_texts,) or (n_texts, n_labels)
            Labels, or an indicator matrix if the classifier was trained on one.
        """
        outputs = self._logits(X)
        if self.net_.multilabel:
            return (outputs > 0).astype(int)
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict probabilities.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            Token ids.

        Returns
        -------
        proba : ndarray of shape (n_texts, n_classes), float64
            In the order of `classes_`; rows sum to 1. For multilabel targets, the
            probability of each label.
        """
        outputs = self._logits(X)
        return expit(outputs) if self.net_.multilabel else softmax(outputs, axis=1)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the logits.

        Parameters
        ----------
        X : TokenIds or array-like of int, shape (n_texts, n_tokens)
            Token ids.

        Returns
        -------
        scores : ndarray of shape (n_texts,) or (n_texts, n_classes), float64
            For two classes the log-odds of the second; else one logit for each class.
        """
        outputs = self._logits(X)
        if len(self.classes_) == 2 and not self.net_.multilabel:
            return outputs[:, 1] - outputs[:, 0]
        return outputs

    @property
    def history_(self) -> Any:
        """Losses, scores and seconds of every epoch."""
        check_is_fitted(self, "net_")
        return self.net_.history

    # Data -----------------------------------------------------------------------------

    def _check_ids(self, X: Any, reset: bool = True) -> tuple[np.ndarray, TokenTable | None]:
        """Return the ids as int32, and the table that they refer to."""
        table = X.table if isinstance(X, TokenIds) else None
        _refuse_what_is_not_ids(X)
        lost = None if table is not None else lost_table(X)
        if reset:
            if lost is not None and lost[1]:
                raise ValueError(
                    f"X has lost the {lost[1]}-d word vectors that TextVectorizer gave it: "
                    f"np.asarray, data frames, FeatureUnion, ColumnTransformer and "
                    f"meta-estimators that convert X drop them. Put TextCNNClassifier right "
                    f"behind TextVectorizer in a Pipeline and let the meta-estimator wrap "
                    f"the Pipeline, use set_output(transform='default'), or set "
                    f"embeddings=None for random vectors."
                )
            ids = check_array(X, estimator=self, input_name="X")
        else:
            check_is_fitted(self, "net_")
            ids = validate_data(self, X, reset=False)
        ids = _as_ids(ids)
        if reset or not len(ids):
            return ids, table
        words = self.words_
        if table is not None and words is not None:
            if table.words is not words and table.words != words:
                raise ValueError(
                    "X comes from another vocabulary than the one this classifier was "
                    "fitted with, so its ids mean other words. Transform the texts with the "
                    "vectorizer that was fitted with it; a Pipeline does."
                )
        n_ids = self.net_.module_.embedding.num_embeddings
        if ids.max() >= n_ids:
            if words is not None:
                raise ValueError(
                    f"X has ids up to {ids.max()}, but the vocabulary of this classifier "
                    f"ends at {n_ids - 1}. Transform the texts with the vectorizer that was "
                    f"fitted with it."
                )
            ids = np.where(ids < n_ids, ids, UNKNOWN_ID).astype(np.int32)
        return ids, table

    def _weights(self, ids: np.ndarray, y: Any, sample_weight: Any) -> np.ndarray | None:
        if sample_weight is None and self.class_weight is None:
            return None
        weight = _check_sample_weight(sample_weight, ids, ensure_non_negative=True)
        if self.class_weight is not None:
            weight = weight * compute_sample_weight(self.class_weight, y)
        if not weight.sum() > 0:
            raise ValueError("sample_weight must have at least one weight above 0.")
        return weight

    def _check_validation(
        self,
        ids: np.ndarray,
        table: TokenTable | None,
        classes: np.ndarray,
        multilabel: bool,
        X_val: Any,
        y_val: Any,
    ) -> Rows | None:
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val go together; give both or none.")
        if X_val is None:
            return None
        val_table = X_val.table if isinstance(X_val, TokenIds) else None
        _refuse_what_is_not_ids(X_val, "X_val")
        val_ids = _as_ids(check_array(X_val, estimator=self, input_name="X_val"), "X_val")
        if val_ids.shape[1] != ids.shape[1] or (
            table is not None and val_table is not None and val_table.words != table.words
        ):
            raise ValueError(
                "X_val must come from the same fitted vectorizer as X. Call its transform, or "
                "use Pipeline(..., transform_input=['X_val'])."
            )
        n_ids = len(table) if table is not None else int(ids.max()) + 1
        val_ids = np.where(val_ids < n_ids, val_ids, UNKNOWN_ID).astype(np.int32)
        target, _, _ = _encode(
            y_val, len(val_ids), None if multilabel else classes, names=("X_val", "y_val")
        )
        return Rows(val_ids, target)

    def _split(
        self, ids: np.ndarray, target: np.ndarray, weight: np.ndarray | None, multilabel: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, Rows]:
        try:
            train, valid = train_test_split(
                np.arange(len(ids)),
                test_size=self.validation_fraction,
                random_state=check_random_state(self.random_state).randint(2**31 - 1),
                stratify=None if multilabel else target,
            )
        except ValueError as error:
            raise ValueError(
                f"early_stopping=True cannot keep validation_fraction="
                f"{self.validation_fraction} of the texts in proportion to the classes: "
                f"{error} Give X_val and y_val, or more texts of each class."
            ) from error
        validation = Rows(
            ids[valid], target[valid], None if weight is None else _float32(weight[valid])
        )
        return ids[train], target[train], None if weight is None else weight[train], validation

    # Network --------------------------------------------------------------------------

    def _new_net(
        self,
        ids: np.ndarray,
        table: TokenTable | None,
        classes: np.ndarray,
        multilabel: bool,
        validation: Rows | None,
        device: str,
        seed: int,
        previous: "TextCNNClassifier | None",
        pretrained: "TextCNNClassifier | None",
    ) -> tuple[TextNet, str]:
        """Make the net with all its starting weights, and say where its vectors are from."""
        vectors = None if table is None else table.vectors
        other = previous or pretrained
        self._warn_of_finetune(vectors is None and other is None, table)
        n_ids = len(table) if table is not None else max(UNKNOWN_ID, int(ids.max())) + 1
        if vectors is not None:
            dim = vectors.shape[1]
        elif self.embedding_dim is None and other is not None:
            dim = other.net_.module_.embedding.embedding_dim
        else:
            dim = self.embedding_dim or _RANDOM_DIM
        module, params = self._module(n_ids, dim, len(classes))
        staged = self.finetune == "gradual" or (
            self.finetune is not True
            and self.finetune is not False
            and self.finetune != "multichannel"
        )
        default_lr = self.learning_rate / 10 if staged else self.learning_rate
        net = build_net(
            module,
            params,
            finetune=bool(self.finetune) if isinstance(self.finetune, np.bool_) else self.finetune,
            multilabel=multilabel,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            finetune_lr=self.finetune_lr or default_lr,
            weight_decay=self.weight_decay,
            max_norm=self.max_norm,
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            shuffle=self.shuffle,
            validation=validation,
            early_stopping=(
                make_early_stopping(self.n_iter_no_change, self.tol)
                if self.early_stopping
                else None
            ),
            callbacks=self.callbacks,
            verbose=int(self.verbose),
            device=device,
        )
        _check_module(net.module_, n_ids, dim)
        _fill(net.module_.embedding, vectors, seed)
        words = None if table is None else table.words
        source = "random" if vectors is None else table.source or "vectors"  # type: ignore[union-attr]
        if pretrained is not None:
            copy_weights(
                pretrained.net_.module_,
                pretrained.words_,
                net.module_,
                words,
                with_head=False,
                purpose="pretrained",
            )
            source = "pretrained"
        if previous is not None:
            copy_weights(
                previous.net_.module_,
                previous.words_,
                net.module_,
                words,
                with_head=True,
                purpose="warm_start",
            )
            source = previous.embedding_source_
        return net, source

    def _module(
        self, n_ids: int, dim: int, n_outputs: int
    ) -> tuple[type[torch.nn.Module], dict[str, Any]]:
        """The class of the network and the parameters to call it with."""
        module = self.architecture
        if isinstance(module, str):
            module = ARCHITECTURES[module]
        elif not issubclass(module, torch.nn.Module):
            raise ValueError(
                f"architecture must be 'kim', 'stacked' or a subclass of torch.nn.Module; got "
                f"{module!r}."
            )
        chosen = {
            "kernel_sizes": self._check_kernel_sizes(),
            "num_filters": self.num_filters,
            "hidden_units": self.hidden_units,
            "multichannel": True if self.finetune == "multichannel" else None,
        }
        chosen = {name: value for name, value in chosen.items() if value is not None}
        params = {
            **chosen,
            "num_embeddings": n_ids,
            "embedding_dim": dim,
            "num_outputs": n_outputs,
            "activation": self.activation,
            "dropout": self.dropout,
            "token_dropout": self.token_dropout,
        }
        accepted = accepted_params(module, params)
        if refused := sorted(chosen.keys() - accepted.keys()):
            raise ValueError(
                f"architecture {module.__name__} does not take {', '.join(refused)}. Leave "
                f"them at their defaults, or name them in its __init__."
            )
        return module, accepted

    def _check_kernel_sizes(self) -> tuple[int, ...] | None:
        if self.kernel_sizes is None:
            return None
        sizes = tuple(self.kernel_sizes)
        if not sizes or not all(isinstance(k, numbers.Integral) and k >= 1 for k in sizes):
            raise ValueError(
                f"kernel_sizes must be a sequence of at least one int from 1; got "
                f"{self.kernel_sizes!r}."
            )
        return tuple(int(k) for k in sizes)

    def _check_device(self) -> str:
        if self.device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        try:
            kind = torch.device(self.device).type
        except RuntimeError as error:
            raise ValueError(f"device={self.device!r} is no device of torch: {error}") from error
        if kind == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"device={self.device!r}, but torch finds no CUDA device here. Use "
                f"device='auto' or 'cpu'."
            )
        return self.device

    def _warn_of_finetune(self, random: bool, table: TokenTable | None) -> None:
        if random and not (self.finetune is True or self.finetune == "gradual"):
            remedy = (
                "Give TextVectorizer its embeddings"
                if table is not None
                else "Give what TextVectorizer(embeddings=...) returns, as it is,"
            )
            warnings.warn(
                f"finetune={self.finetune!r} is for word vectors that are given, but X has "
                f"none, so random ones are kept frozen. {remedy} or set finetune=True.",
                UserWarning,
                stacklevel=4,
            )
        if (
            not isinstance(self.finetune, bool | np.bool_ | str)
            and self.finetune >= self.max_epochs
        ):
            warnings.warn(
                f"finetune={self.finetune} keeps the word vectors frozen for all of "
                f"max_epochs={self.max_epochs} epochs.",
                UserWarning,
                stacklevel=4,
            )

    def _set_fitted(
        self,
        X: Any,
        net: TextNet,
        table: TokenTable | None,
        classes: np.ndarray,
        source: str,
        seed: int,
    ) -> None:
        validate_data(self, X, skip_check_array=True)
        self.classes_ = classes
        self.net_ = net
        self.words_ = None if table is None else table.words
        self.embedding_source_ = source
        self.n_iter_ = len(net.history)
        self._seed = seed

    def _logits(self, X: Any) -> np.ndarray:
        """Outputs of the network; (n_texts, n_outputs), float64."""
        check_is_fitted(self, "net_")
        ids, _ = self._check_ids(X, reset=False)
        return logits(self._placed_net(), ids).astype(np.float64)

    def _placed_net(self) -> TextNet:
        """The net on the device that is asked for, or on the CPU where there is none."""
        net = self.net_
        device = self.device
        if device == "auto" or (device.startswith("cuda") and not torch.cuda.is_available()):
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if net.device != device:
            net.module_.to(device)
            net.device = device
        return net

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if "net_" in state:
            state["net_"] = _for_storage(state["net_"])
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.positive_only = True
        tags.input_tags.categorical = True
        tags.non_deterministic = self.random_state is None
        return tags


def _float32(weight: np.ndarray) -> np.ndarray:
    return (weight / max(weight.mean(), np.finfo(float).tiny)).astype(np.float32)


def _refuse_what_is_not_ids(X: Any, name: str = "X") -> None:
    remedy = (
        "Put TextVectorizer before the classifier: "
        "make_pipeline(TextVectorizer(), TextCNNClassifier())."
    )
    if hasattr(X, "tocsr"):
        raise TypeError(
            f"{name} is a sparse matrix, but TextCNNClassifier takes token ids, not counts or "
            f"TF-IDF. {remedy}"
        )
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    first = X[0] if isinstance(X, list | tuple) and len(X) else None
    if isinstance(X, str) or isinstance(first, str) or kind in ("U", "S"):
        raise ValueError(f"{name} holds texts, but TextCNNClassifier takes token ids. {remedy}")


def _as_ids(values: np.ndarray, name: str = "X") -> np.ndarray:
    if values.size and values.min() < 0:
        raise ValueError(
            f"Negative values in data passed to TextCNNClassifier: {name} must hold token ids, "
            f"which begin at 0."
        )
    if values.dtype.kind == "f" and (values != np.floor(values)).any():
        raise ValueError(
            f"{name} must hold token ids, which are whole numbers; got "
            f"{values[values != np.floor(values)][0]}. Use TextVectorizer to make ids of texts."
        )
    if values.size and values.max() >= np.iinfo(np.int32).max:
        raise ValueError(f"{name} must hold token ids below 2**31 - 1; got {values.max()}.")
    return np.ascontiguousarray(values, dtype=np.int32).view(np.ndarray)


def _is_multilabel(y: Any, n_texts: int) -> bool:
    return _target_type(y, n_texts) == "multilabel-indicator"


def _target_type(y: Any, n_texts: int, names: tuple[str, str] = ("X", "y")) -> str:
    if y is None:
        raise ValueError(
            "TextCNNClassifier requires y to be passed, but the target y is None."
        )
    shape = getattr(y, "shape", None)
    n_labels = shape[0] if shape else len(y) if hasattr(y, "__len__") else n_texts
    if n_labels != n_texts:
        raise ValueError(
            f"{names[0]} has {n_texts} texts, but {names[1]} has {n_labels} labels."
        )
    array = np.asarray(y, dtype=object) if isinstance(y, list | tuple) else y
    if getattr(array, "ndim", 1) == 1 and getattr(array, "dtype", None) == object:
        for position, label in enumerate(array):
            if label is None:
                raise ValueError(
                    f"{names[1]} has no label for text {position} (counting from 0): got "
                    f"None. Drop the text or label it."
                )
    return type_of_target(y, input_name=names[1])


def _encode(
    y: Any,
    n_texts: int,
    classes: np.ndarray | None = None,
    names: tuple[str, str] = ("X", "y"),
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Encode targets.

    Returns
    -------
    target : ndarray of shape (n,), int64, or (n, n_labels), float32
    classes : ndarray of shape (n_outputs,)
    multilabel : bool
    """
    kind = _target_type(y, n_texts, names)
    check_classification_targets(y)
    if kind == "multilabel-indicator":
        dense = check_array(y, accept_sparse=True, input_name=names[1])
        dense = dense.toarray() if hasattr(dense, "toarray") else dense
        return dense.astype(np.float32), np.arange(dense.shape[1]), True
    if kind == "multiclass-multioutput":
        raise ValueError(
            f"{names[1]} has several columns of classes. Give one label a text, or an "
            f"indicator matrix of zeros and ones, such as MultiLabelBinarizer makes."
        )
    labels = column_or_1d(y, warn=True)
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(f"{names[1]} contains NaN or infinity; give every text a label.")
    if classes is None:
        classes, index = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"{names[1]} has only one class, {classes[0]!r}; a classifier needs at least "
                f"two classes to tell apart."
            )
        return index.astype(np.int64), classes, False
    unknown = ~np.isin(labels, classes)
    if unknown.any():
        raise ValueError(
            f"{names[1]} has the label {labels[unknown][0]!r}, which is not one of the classes "
            f"{classes.tolist()}."
        )
    return np.searchsorted(classes, labels).astype(np.int64), classes, False


def _check_module(module: torch.nn.Module, n_ids: int, dim: int) -> None:
    embedding = getattr(module, "embedding", None)
    name = type(module).__name__
    if not isinstance(embedding, torch.nn.Embedding):
        raise ValueError(
            f"architecture {name} must have a torch.nn.Embedding at its attribute `embedding`."
        )
    if embedding.weight.shape != (n_ids, dim):
        raise ValueError(
            f"architecture {name} has an embedding of shape {tuple(embedding.weight.shape)}; "
            f"expected (num_embeddings, embedding_dim) = ({n_ids}, {dim})."
        )
    try:
        output_layer(module)
    except (AttributeError, IndexError):
        raise ValueError(
            f"architecture {name} must have its last layers, with a torch.nn.Linear, at its "
            f"attribute `head`."
        ) from None


def _fill(embedding: torch.nn.Embedding, vectors: np.ndarray | None, seed: int) -> None:
    """Set the rows of the embedding: the vectors given, or random ones (Kim, 2014)."""
    with torch.no_grad():
        if vectors is not None:
            rows = torch.tensor(vectors)
        else:
            generator = torch.Generator().manual_seed(seed)
            rows = torch.empty(embedding.weight.shape)
            rows.uniform_(-_RANDOM_BOUND, _RANDOM_BOUND, generator=generator)
            rows[0] = 0
        embedding.weight.copy_(rows)
        if getattr(embedding, "static", None) is not None:
            embedding.static.copy_(rows)


def _for_storage(net: TextNet) -> TextNet:
    """A view of the net without optimizer state, on the CPU."""
    stored = object.__new__(TextNet)
    stored.__dict__.update(net.__dict__)
    stored.__dict__["optimizer_"] = None
    if net.device != "cpu":
        stored.__dict__["module_"] = copy.deepcopy(net.module_).cpu()
        stored.__dict__["criterion_"] = copy.deepcopy(net.criterion_).cpu()
        stored.__dict__["device"] = "cpu"
    return stored
