"""Writes to a database for ever: every row has the same number whenever it is whole; or only holds it locked. As uid 1000.

write.py PATH JOURNAL-MODE [hold]"""

import os
import sqlite3
import sys
import time

path, mode, *hold = sys.argv[1:]
# As in a container: the folders above it are not this user's.
os.chroot(os.path.dirname(path))
os.setgid(1000)
os.setuid(1000)
database = sqlite3.connect("/" + os.path.basename(path), timeout=60, isolation_level=None)
database.execute(f"PRAGMA journal_mode = {mode}")
database.execute("CREATE TABLE words (id INTEGER PRIMARY KEY, number, filling)")
database.execute("BEGIN EXCLUSIVE")
database.executemany("INSERT INTO words VALUES (?, 0, zeroblob(900))", [(number,) for number in range(2000)])
while True:
    if not hold:
        database.execute("UPDATE words SET number = number + 1")
        database.execute("COMMIT")
        time.sleep(0.1)
        database.execute("BEGIN IMMEDIATE")
    else:
        time.sleep(60)
