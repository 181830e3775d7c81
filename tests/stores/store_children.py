"""What a child process does to a store until it is killed; it prints what was acknowledged.

python store_children.py events|promotions PLACE
"""

import os
import sys
from datetime import datetime
from itertools import count
from threading import Thread

from crossaisle.stores import Event, open_store

NOON = datetime(2024, 5, 1, 12)


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def write_events(place: str) -> None:
    store = open_store(place)

    def write(thread: int) -> None:
        for batch in count():
            ids = [f"{os.getpid()}-{thread}-{batch}-{i}" for i in range(1 + batch % 5)]
            store.add_events([Event(i, "ann", "bread", "bakery", "view", NOON) for i in ids])
            say(" ".join(ids))

    for thread in range(3):
        Thread(target=write, args=(thread,)).start()


def promote(place: str) -> None:
    store = open_store(place)
    for turn in count():
        store.promote(f"v{turn % 3}")
        say(f"v{turn % 3}")


if __name__ == "__main__":
    {"events": write_events, "promotions": promote}[sys.argv[1]](sys.argv[2])
