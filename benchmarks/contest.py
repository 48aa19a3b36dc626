"""Run competitors in turn, each in a process of its own.

A competitor is a generator function, named as "module:function". It prepares itself up to its
first ``yield``. Each further value is the figure of one turn, usually seconds. The processes stay
alive between their turns, so that no competitor is measured cold. Only one works at a time, so that
thread pools do not disturb each other.
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
    """A prepared competitor in a fresh process.

    Parameters
    ----------
    competitor : str
        "module:function" of a generator function.
    *args
        Its arguments; must be picklable.
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
        """Run one turn, and return its figure."""
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
            error = "its process ended without an error message; was there enough memory?"
        if error:
            raise RuntimeError(f"{self.name} failed: {error}")
        return value


def interleave(
    competitors: Mapping[str, str], args: tuple, repeats: int, title: str
) -> dict[str, list[Any]]:
    """Run competitors in turn: A B C, A B C, ...

    Parameters
    ----------
    competitors : mapping of str to str
        The "module:function" of each competitor, by label.
    args : tuple
        The arguments of each competitor.
    repeats : int
        Number of counted turns of each. One turn before them is not counted.
    title : str
        Title of the progress bar.

    Returns
    -------
    dict of str to list
        Figures of the turns of each competitor.
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
    """Run competitors in turn, each turn in a fresh process.

    Parameters
    ----------
    competitors : mapping of str to tuple
        The "module:function" of each competitor and its arguments, by label.
    repeats : int
        Number of turns of each.
    title : str
        Title of the progress bar.

    Yields
    ------
    label : str
    figure : Any
    """
    turns = [item for _ in range(repeats) for item in competitors.items()]
    for label, call in tqdm(turns, desc=title, leave=False):
        with closing(Competitor(*call)) as competitor:
            yield label, competitor.turn()
