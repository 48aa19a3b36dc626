"""The terms that the wide part adds to an attribution.

Shapes: T tokens, S spans, C classes.
"""

from dataclasses import replace

import numpy as np

from sktextcnn._inspection.attribution import Attribution
from sktextcnn._wide import WideModel


def with_wide_terms(attribution: Attribution, ids: np.ndarray, wide: WideModel) -> Attribution:
    """Add the words and pairs of the wide part to the spans of the network.

    Parameters
    ----------
    attribution : Attribution
        That of the network.
    ids : ndarray of shape (T,)
        The tokens of the text.
    wide : WideModel
        Its terms are exact. Those of a pair are shared equally among its two tokens.
    """
    terms = wide.terms(ids)
    spans, index = np.unique(
        np.concatenate([attribution.spans, terms.spans]), axis=0, return_inverse=True
    )
    contributions = np.zeros((len(spans), len(attribution.logits)))
    parts = np.concatenate([attribution.contributions, terms.contributions])
    np.add.at(contributions, index.ravel(), parts)
    by_token = attribution.token_contributions.copy()
    lengths = np.diff(terms.spans, axis=1)
    for place in (0, 1):
        inside = place < lengths[:, 0]
        tokens = terms.spans[inside, 0] + place
        np.add.at(by_token, tokens, terms.contributions[inside] / lengths[inside])
    added = terms.contributions.sum(axis=0) + wide.intercept
    return replace(
        attribution,
        logits=attribution.logits + added,
        spans=spans,
        contributions=contributions,
        remainder=attribution.remainder + wide.intercept,
        token_contributions=by_token,
        token_remainder=attribution.token_remainder + wide.intercept,
    )
