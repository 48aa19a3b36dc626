"""
Chinese texts, by characters and by words
=========================================

Chinese is written without spaces. Either every character is a token, which
needs nothing else, or a tokenizer finds the words, such as jieba's. The
reviews of dishes are written for this page and show the steps. With a file of
your own, with a label, a tab and a text on each line, the script measures both
ways:

.. code-block:: bash

    DATA=cnews.val.txt python examples/plot_chinese.py

The news of the THUCNews corpus are often given in this format.
"""

# %%
# The texts
# ---------

import os
from pathlib import Path

GOOD = """
菜很好吃，下次还来
味道不错，送得也快
牛肉面很香，汤也好喝
分量足，价格便宜
服务很热情，环境干净
饺子新鲜，皮薄馅大
不咸不油，正合口味
送餐很快，饭还是热的
鱼很新鲜，一点也不腥
性价比高，值得推荐
老板人很好，还送了水果
豆腐很嫩，辣得过瘾
包装仔细，汤没有洒
每次都点这家，没有失望过
米饭香软，菜也新鲜
比上次更好吃了
""".strip().splitlines()

BAD = """
菜不好吃，下次不来了
味道很差，送得也慢
牛肉面没有牛肉，汤太咸
分量少，价格还贵
服务很差，环境不干净
饺子不新鲜，皮厚馅少
又咸又油，不合口味
送餐很慢，饭都凉了
鱼不新鲜，腥得很
性价比低，不推荐
老板态度不好，等了很久
豆腐很老，一点也不辣
包装太差，汤全洒了
点过两次，每次都失望
米饭太硬，菜也凉了
没有上次好吃了
""".strip().splitlines()

if "DATA" in os.environ:
    lines = Path(os.environ["DATA"]).read_text(encoding="utf-8").splitlines()
    labels, texts = zip(*(line.split("\t", 1) for line in lines), strict=True)
else:
    texts = GOOD + BAD
    labels = ["good"] * len(GOOD) + ["bad"] * len(BAD)

# %%
# What a token is
# ---------------
# jieba needs ``pip install jieba``; without it, this page has characters
# alone. ``jieba.lcut`` is bound to an object that cannot be copied, as
# searches and pickles do; a function around it can.

import importlib.util
import logging

from sktextcnn import TextVectorizer

vectorizers = {"characters": TextVectorizer(analyzer="char")}
if importlib.util.find_spec("jieba") is not None:
    import jieba

    jieba.setLogLevel(logging.WARNING)

    def words(text):
        """Cut a text into words."""
        return jieba.lcut(text)

    vectorizers["jieba"] = TextVectorizer(tokenizer=words)

for name, vectorizer in vectorizers.items():
    ids = vectorizer.fit_transform(texts)
    print(f"{name}: {len(vectorizer.vocabulary_):,} tokens, e.g.", end=" ")
    print(*vectorizer.inverse_transform(ids[:1])[0], sep=" / ")

# %%
# The models
# ----------
# A window of three characters is a word or two, so that kernels of 2 to 4
# characters see what those of 1 and 2 words do. What the models get wrong
# shows how little 32 reviews teach.

from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier

kernel_sizes = {"characters": (2, 3, 4), "jieba": (1, 2, 3)}
models = {
    name: make_pipeline(
        vectorizer,
        TextCNNClassifier(kernel_sizes=kernel_sizes[name], random_state=0),
    ).fit(texts, labels)
    for name, vectorizer in vectorizers.items()
}
questions = ["汤很香，不咸", "汤太咸，不香", "送得快，饭很热"]
for name, model in models.items():
    print(name)
    for text, label in zip(questions, model.predict(questions), strict=True):
        print(f"  {label:5} {text}")

# %%
# Why
# ---
# Places are those of the text itself, whatever a token is.

from sktextcnn import explain

explain(models["characters"], ["汤太咸，不香"])[0]

# %%
# How sure the models are of the sentences asked. Vectors of Chinese words,
# such as fastText's ``cc.zh.300.bin``, go to ``TextVectorizer(tokenizer=words,
# embeddings="cc.zh.300.bin")``, if the texts are cut into words as those of
# the vectors were.

import matplotlib.pyplot as plt
import numpy as np

figure, ax = plt.subplots(figsize=(7, 2.5), layout="constrained")
for i, (name, model) in enumerate(models.items()):
    column = list(model.classes_).index(labels[0])
    good = model.predict_proba(questions)[:, column]
    ax.barh(np.arange(len(questions)) + 0.35 * i, good, height=0.3, label=name)
ax.axvline(0.5, color="gray", linestyle=":")
ax.set(xlim=(0, 1), xlabel=f"Probability of {labels[0]}", ylabel="Question")
ax.set_yticks(np.arange(len(questions)) + 0.17, range(1, len(questions) + 1))
figure.legend(loc="outside right upper")

# %%
# With a corpus of your own
# -------------------------

if "DATA" in os.environ:
    from sklearn.model_selection import cross_val_score

    for name, model in models.items():
        scores = cross_val_score(model, texts, labels, cv=5)
        print(f"{name}: {scores.mean():.3f}")
