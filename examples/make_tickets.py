"""Write tickets.csv: invented support tickets of an online shop, for the tutorial.

    python make_tickets.py
    python make_tickets.py later.csv --n 200 --seed 1

Each ticket is put together from sentences below. One in eight has a sentence of another queue too,
as real tickets do.
"""

import argparse
import csv
import random

ITEMS = [
    "kettle",
    "lamp",
    "keyboard",
    "headset",
    "toaster",
    "phone",
    "blender",
    "router",
    "radio",
]
DAYS = ["Monday", "Tuesday", "last week", "three days ago", "yesterday"]

CONCERNS = {
    "billing": [
        "I was charged twice for the {item}",
        "The invoice shows the wrong amount for my {item}",
        "My card was debited {day}, but the order says unpaid",
        "Please send me an invoice with VAT for the {item}",
        "The discount code was not applied to my {item}",
        "Why is there a fee of 4.90 on my bill",
        "I paid by bank transfer {day} and got a payment reminder",
        "You still take money for a subscription that I ended",
        "The price in the basket was lower than what I paid for the {item}",
        "I need a receipt for my tax return",
    ],
    "delivery": [
        "My {item} has not arrived yet",
        "The tracking page has not changed since {day}",
        "The parcel with the {item} was left at the wrong address",
        "The courier did not ring and took the {item} back",
        "When will the {item} be shipped",
        "Can you send the {item} to my office instead",
        "Tracking says delivered {day}, but there is no parcel",
        "Half of my order is missing from the parcel",
        "The {item} was promised for {day}, and nothing came",
        "I will be away, please deliver the {item} later",
    ],
    "returns": [
        "I want to send the {item} back",
        "The {item} is too small, can I exchange it",
        "How do I get a return label for the {item}",
        "I returned the {item} {day} and wait for my refund",
        "The {item} does not look like the photo, I do not want to keep it",
        "You sent me the wrong {item}, where do I return it",
        "Is it too late to return the {item} I bought {day}",
        "The refund for the {item} is lower than its price",
        "I would like another colour of the {item} instead of this one",
        "Your return form does not accept my order number",
    ],
    "account": [
        "I cannot log in since {day}",
        "The link to reset my password has expired",
        "Please change the email address of my account",
        "I do not get the code to confirm my login",
        "My account is locked after three attempts",
        "Delete my account and all of my data",
        "Somebody else has logged in to my account {day}",
        "I have two accounts and want to merge them",
        "The app signs me out every few minutes",
        "I want to stop your newsletter, but cannot find the setting",
    ],
    "repair": [
        "The {item} stopped working {day}",
        "My {item} makes a strange noise",
        "The {item} does not switch on any more",
        "There is a crack in the {item} after a week of use",
        "The battery of the {item} lasts only an hour",
        "Is the broken {item} still under warranty",
        "The {item} gets so hot that it smells",
        "A button of the {item} fell off {day}",
        "Where do I find a spare part for the {item}",
        "The {item} loses its connection every day",
    ],
}
GREETINGS = [
    "",
    "",
    "",
    "Hello, ",
    "Hi there, ",
    "Dear team, ",
    "Good morning, ",
]
ENDINGS = [
    "",
    "",
    "Thanks!",
    "Please help.",
    "This is the second time I ask.",
    "I am waiting for your answer.",
    "Order number 3{number}.",
    "Very annoying.",
]


def tickets(n: int, seed: int) -> list[tuple[str, str]]:
    """Return pairs of a queue and a message."""
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        queue = list(CONCERNS)[i % len(CONCERNS)]
        concerns = [rng.choice(CONCERNS[queue])]
        if rng.random() < 1 / 8:
            other = rng.choice([name for name in CONCERNS if name != queue])
            concerns.insert(rng.randrange(2), rng.choice(CONCERNS[other]))
        message = rng.choice(GREETINGS) + ". ".join([*concerns, rng.choice(ENDINGS)])
        words = {"item": rng.choice(ITEMS), "day": rng.choice(DAYS)}
        rows.append(
            (
                queue,
                message.format(**words, number=rng.randrange(10000, 99999)).strip(),
            )
        )
    rng.shuffle(rows)
    return rows


def write(path: str, n: int = 600, seed: int = 0) -> None:
    """Write tickets as rows of a CSV file."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["queue", "message"])
        writer.writerows(tickets(n, seed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write invented support tickets.")
    parser.add_argument("path", nargs="?", default="tickets.csv")
    parser.add_argument("--n", type=int, default=600, help="how many (default: 600)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: 0)")
    write(**vars(parser.parse_args()))
