r"""
Spam, and where to draw the line
================================

Whether a message is spam. To lose a message is dearer than to see an
advertisement, so the line is not drawn at one half. The messages are written
for this page and show the steps. With a file of your own, with a label, a tab
and a text on each line, the script measures too:

.. code-block:: bash

    DATA=SMSSpamCollection python examples/plot_spam.py

The SMS Spam Collection (Almeida, Hidalgo and Yamakami, 2011) of the UCI
repository comes in this format.
"""

# %%
# The texts
# ---------

import os
from pathlib import Path

HAM = """
Are you home yet? I forgot my keys again
Running late, start without me
Can you send me the notes of Monday's class?
Dinner at 7, mum is cooking
Thanks for the lovely evening :)
Call me when you are free, it's about the car
Did you win the match?
I'll be there in 10 minutes
The meeting moved to room 204
Please buy milk and bread on your way
Your parcel is with the neighbours
No, I can't make it on Friday, sorry
Which train do you take tomorrow?
Grandma called, please call her back
Ok, see you at the gym!
Your dentist appointment is tomorrow at 9
I've sent you the money for the tickets
Free tonight? We could watch that film
Happy birthday! Cake is in the kitchen
The code for the door is 4471
Where did you put the charger?
It was free, they gave it to everybody
We won! 3 to 2, what a game
Let me know when you get there
""".strip().splitlines()

SPAM = """
WIN a FREE phone! Text WIN to 80888 now!!
You have been chosen for a cash prize. Call now to claim
URGENT! Your account is locked, click here to unlock
Get 50% off all watches, only today!
Free ringtones! Reply YES to get yours now
Congratulations! You won a holiday for 2. Call 0900 1234
Lowest loan rates, no checks, apply now
Hot singles in your area, text HI to 69000
Claim your free voucher now, click the link
Make 500 a day from home, ask us how!!
Final notice: your prize expires today, call now
Cheap pills, no prescription, order now
Your phone number won 1000 pounds! Claim at once
Click here to confirm your bank details
Exclusive offer! 3 months free, text STOP to end
You owe tax. Pay today or face charges: click here
Earn cash fast!! Join today for free
Upgrade now and get a free tablet!
Winner!! Text CLAIM to 81010 to get your cash
Limited offer: buy 1 get 2 free, only today
""".strip().splitlines()

if "DATA" in os.environ:
    lines = Path(os.environ["DATA"]).read_text(encoding="utf-8").splitlines()
    labels, texts = zip(*(line.split("\t", 1) for line in lines), strict=True)
else:
    texts = HAM + SPAM
    labels = ["ham"] * len(HAM) + ["spam"] * len(SPAM)

print({label: labels.count(label) for label in sorted(set(labels))})

# %%
# The model
# ---------
# Upper case and exclamation marks tell something here, so ``lowercase=False``;
# punctuation is kept by default. ``class_weight="balanced"`` would find more
# of a rare class, at the price of false alarms; here that is the wrong way.

from sklearn.model_selection import FixedThresholdClassifier, train_test_split
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

train, test, y_train, y_test = train_test_split(
    texts, labels, test_size=0.25, stratify=labels, random_state=0
)
model = make_pipeline(
    TextVectorizer(lowercase=False),
    TextCNNClassifier(random_state=0),
)
careful = FixedThresholdClassifier(
    model, threshold=0.8, pos_label="spam", response_method="predict_proba"
)
careful.fit(train, y_train)

# %%
# Where the line lies
# -------------------
# The messages that were not trained on, the most suspicious ones at the top.
# Those whose bar crosses the line are called spam. Of a longer list, the
# picture has the 20 that are closest to the line.

import textwrap

import matplotlib.pyplot as plt
import numpy as np

column = list(careful.classes_).index("spam")
spam_probability = careful.predict_proba(test)[:, column]
shown = np.argsort(abs(spam_probability - careful.threshold))[:20]
shown = shown[np.argsort(spam_probability[shown])]
is_spam = np.array(y_test) == "spam"
size = (7, 1 + 0.27 * len(shown))
figure, ax = plt.subplots(figsize=size, layout="constrained")
for name, colour in {"ham": "C0", "spam": "C1"}.items():
    rows = np.flatnonzero(is_spam[shown] == (name == "spam"))
    values = spam_probability[shown[rows]]
    ax.barh(rows, values, color=colour, label=f"is {name}")
# A dollar sign would begin a formula.
messages = [textwrap.shorten(test[i], 45).replace("$", r"\$") for i in shown]
ax.set_yticks(range(len(shown)), messages)
ax.axvline(careful.threshold, color="gray", linestyle=":")
ax.set(xlim=(0, 1), xlabel="Probability of spam")
figure.legend(loc="outside lower right", ncols=2)

# %%
# What it catches and what it lets through
# ----------------------------------------

from sklearn.metrics import confusion_matrix

for name, classifier in {
    "at 0.5": careful.estimator_,
    "at 0.8": careful,
}.items():
    found = classifier.predict(test)
    (_, lost), (seen, caught) = confusion_matrix(y_test, found)
    print(f"{name}: {lost} ham lost, {seen} spam seen, {caught} spam caught")

# %%
# Why
# ---
# A message that is not of the corpus. The explanation is one of the Pipeline,
# which the threshold leaves as it was. ``to_ansi()`` colours the same in a
# terminal.

from sktextcnn import explain

explain(careful.estimator_, ["Claim your FREE ticket now!! Call 0900 5555"])[0]

# %%
# The filters that are the strongest evidence for spam, and the n-grams that
# activate them.

from sktextcnn import top_filters

for each in top_filters(careful.estimator_, texts, "spam", n_filters=5, n=3):
    ngrams = ", ".join(f"{ngram!r}" for ngram, _ in each.ngrams)
    print(f"filter {each.index:3} of width {each.kernel_size}: {ngrams}")
