# SPDX-License-Identifier: MIT
"""One injection: plant, strike, look, restart, look again."""

import dataclasses
import os
import shutil

from fault import inject, judge, trees

DAMAGED = 65
DONE, REFUSED, KILLED, MISSED = "done", "refused", "killed", "missed"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one injection: how the operation ended, and what is wrong; "" when nothing is.

    An injection is missed when the call did not come: of two processes at once, one may make fewer
    calls than before while it waits for the other.
    """

    ended: str
    problem: str = ""
    said: str = ""


def fill(command, root):
    return [part.format(root=root) for part in command]


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    os.mkdir(path)
    return path


class Case:
    """A place to run cases in, one after another; everything is below `work`."""

    def __init__(self, work):
        self.work = work
        self.report = work / "report"
        self.root = work / "case"

    def calls(self, scenario):
        """The system calls of an undisturbed run, which must succeed."""
        trees.plant(fresh(self.root), scenario.tree)
        result, calls = inject.calls(fill(scenario.command, self.root), self.report,
                                     scenario.is_nfs)
        problems = list(judge.result_problems(scenario, result, None, trees.read(self.root)))
        if (result.code != 0) != scenario.is_lost or problems:
            raise AssertionError(f"{scenario.name} fails by itself: {result} {problems}")
        return calls

    def run(self, scenario, fault):
        trees.plant(fresh(self.root), scenario.tree)
        result = inject.strike(fill(scenario.command, self.root), fault, self.report, scenario.is_nfs)
        if not result.hits and result.code is not None:
            return Outcome(MISSED)
        return conclude(scenario, self.root, result, fault)


def conclude(scenario, root, result, fault):
    """Looks at what a struck operation left in `root`, restarts, and looks again."""
    left = trees.read(root)
    problems = [*judge.result_problems(scenario, result, fault, left),
                *judge.tree_problems(scenario, left, scenario.tree),
                *judge.owner_problems(scenario, left)]
    problem, said = restart(scenario, root, judge.known_keys(scenario, left, result))
    problems += judge.leak_problems(result, said, left, scenario.tree)
    return Outcome(ending(result), "; ".join([*problems, *problem]), result.err + said)


def ending(result):
    if result.code == judge.KILLED:
        return KILLED
    return DONE if result.code == 0 else REFUSED


def restart(scenario, root, keys):
    """Starts again with nothing in the way; `keys` are those that the node is known by."""
    said, result = "", None
    for command in scenario.restart:
        result = inject.run(fill(command, root))
        said += f"--- restart: {result.out}{result.err}"
        if result.code != (DAMAGED if scenario.is_lost else 0):
            return [f"the restart ended with {result.code}"], said
    tree = trees.read(root)
    key = judge.printed_key(result)
    problems = [f"after the restart, {text}" for text in judge.tree_problems(scenario, tree, scenario.tree)]
    if scenario.is_lost:
        return problems, said
    if not scenario.is_final(tree):
        problems.append("the restart did not finish what was begun")
    if key is None:
        problems.append("the restart served no key")
    elif keys - {key}:
        problems.append(f"the restart served another key than {' '.join(sorted(keys))}: {key}")
    problems += [f"{name} holds another key" for name in judge.stray_keys(scenario, tree, key)]
    return problems, said
