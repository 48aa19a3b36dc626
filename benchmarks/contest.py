"""Competitors in processes of their own, which take turns.

A competitor is a generator function, named as "module:function". What it does up to its first
``yield`` is preparation; each further value is the figure of one turn, as a rule seconds. The
processes stay alive between their turns, so that no competitor is measured cold, and only one
works at a time, so that no pool of threads disturbs another.
"""

import importlib
import multiprocessing
import traceback
from collections.abc import Iterator, Mapping
from contextlib import closing
from multiprocessing.connection import Connection
from typing import Any

from tqdm import tqdm


def _serve(connection: Connection, competitor: str, args: tuple) -> None:
    module, function = competitor.split(":")
    try:
        turns = getattr(importlib.import_module(module), function)(*args)
        next(turns)
        connection.send((None, None))
        while connection.recv():
            connection.send((next(turns), None))
    except EOFError:
        pass
    except BaseException:
        connection.send((None, traceback.format_exc()))


class Competitor:
    """A competitor in a fresh process, prepared and waiting.

    Parameters
    ----------
    competitor : str
        "module:function" of a generator function.
    *args
        What it is called with; must pickle.
    """

    def __init__(self, competitor: str, *args: Any) -> None:
        self.name = competitor
        # Not forked, so that it inherits no threads.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, competitor, args), daemon=True)
        self._process.start()
        theirs.close()
        self._receive()

    def turn(self) -> Any:
        """Let it run once; returns its figure."""
        self._connection.send(True)
        return self._receive()

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join()

    def _receive(self) -> Any:
        try:
            value, error = self._connection.recv()
        except EOFError:
            error = "its process ended without a word; was there enough memory?"
        if error:
            raise RuntimeError(f"{self.name} failed: {error}")
        return value


def interleave(
    competitors: Mapping[str, str], args: tuple, repeats: int, title: str
) -> dict[str, list[Any]]:
    """Let competitors take turns: A B C, A B C, ...

    Parameters
    ----------
    competitors : mapping of str to str
        For each label the "module:function" of a competitor.
    args : tuple
        What each is called with.
    repeats : int
        Number of turns of each. One more comes before them, and does not count.
    title : str
        Of the progress bar.

    Returns
    -------
    dict of str to list
        The figures of each competitor's turns.
    """
    figures: dict[str, list[Any]] = {label: [] for label in competitors}
    running: dict[str, Competitor] = {}
    with tqdm(total=(repeats + 2) * len(competitors), desc=title, leave=False) as bar:
        try:
            for label, name in competitors.items():
                bar.set_postfix_str(f"prepare {label}")
                running[label] = Competitor(name, *args)
                bar.update()
            for repeat in range(-1, repeats):
                for label, competitor in running.items():
                    bar.set_postfix_str(label)
                    figure = competitor.turn()
                    if repeat >= 0:
                        figures[label].append(figure)
                    bar.update()
        finally:
            for competitor in running.values():
                competitor.close()
    return figures


def in_turn(
    competitors: Mapping[str, tuple], repeats: int, title: str
) -> Iterator[tuple[str, Any]]:
    """Let competitors take one turn each in a fresh process, again and again.

    Parameters
    ----------
    competitors : mapping of str to tuple
        For each label "module:function" and its arguments.
    repeats : int
        Number of fresh processes of each.
    title : str
        Of the progress bar.

    Yields
    ------
    label : str
    figure : Any
    """
    turns = [item for _ in range(repeats) for item in competitors.items()]
    for label, call in tqdm(turns, desc=title, leave=False):
        with closing(Competitor(*call)) as competitor:
            yield label, competitor.turn()
