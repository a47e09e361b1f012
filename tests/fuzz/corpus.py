#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Keeps the seeds of a fuzz target in a text file, and makes the files of them that libFuzzer wants.

corpus/NAME.txt has a seed a line, as the inside of a Python bytes literal: a person can read it and
write one, and a change of it is seen in a review.
"""

import ast
import hashlib
import pathlib
import sys

CORPUS = pathlib.Path(__file__).with_name("corpus")
SEED_MAX = 2048  # longer ones say little to a person, and are left out
SEEDS_MAX = 150


def seeds(name):
    """The seeds of a target."""
    lines = (CORPUS / f"{name}.txt").read_text(encoding="ascii").splitlines()
    return [ast.literal_eval(f'b"{line}"') for line in lines if line and not line.startswith("#")]


def write(inputs, directory):
    """Write each of some inputs into a file of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    for each in inputs:
        (directory / hashlib.sha1(each).hexdigest()).write_bytes(each)


def unpack(name, directory):
    """Write the seeds of a target into files."""
    write(seeds(name), directory)


def as_line(seed):
    """A seed as it is written in the text file."""
    text = repr(seed)[2:-1]
    if repr(seed)[1] != '"':
        text = text.replace("\\'", "'").replace('"', '\\"')
    return "\\x23" + text[1:] if text.startswith("#") else text


def pack(name, directory):
    """Add the smallest of the inputs that a campaign found worth keeping to what a person wrote."""
    kept = seeds(name)
    found = sorted((path.read_bytes() for path in directory.iterdir()), key=lambda s: (len(s), s))
    fresh = [s for s in found if s not in kept and len(s) <= SEED_MAX]
    with (CORPUS / f"{name}.txt").open("a", encoding="ascii") as text:
        for seed in fresh[:max(0, SEEDS_MAX - len(kept))]:
            text.write(as_line(seed) + "\n")


if __name__ == "__main__":
    {"unpack": unpack, "pack": pack}[sys.argv[1]](sys.argv[2], pathlib.Path(sys.argv[3]))
