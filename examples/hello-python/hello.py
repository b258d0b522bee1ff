"""A command: says hello, and what the standard library makes of some data."""

import heapq  # noqa: F401  (what is imported here is in the component)
import json
import sys
from collections import Counter

from wit_world import exports


class Run(exports.Run):
    def run(self) -> None:
        words = "the quick brown fox jumps over the lazy dog the end".split()
        print("hello from Python", ".".join(map(str, sys.version_info[:2])))
        print(json.dumps(dict(Counter(words).most_common(2))))
        print(sum(i * i for i in range(1000)))
