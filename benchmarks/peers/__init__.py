"""The competitors, each written as its experts would. Only these modules import their frameworks.

Each module has some of these generator functions, which yield the seconds of one turn:
``training`` those of an epoch, ``labelling`` those of predicting all texts, and ``latency`` the
median of predicting one text.

A function ``classifier`` returns what accuracy.py fits. What its ``fit`` returns has
``predict_proba`` and ``classes_``.
"""
