"""What cloudcode-backup does with the files of an App. It runs in a throw-away container that has no network, an empty image, and
of the host only /usr, this folder and what is named here; /volumes is read-only there and follows no symbolic link.

  copy SECONDS  fills /out from the volumes in /volumes, within about that time:
    databases/VOLUME/PATH   consistent copies of the SQLite databases
    sparse/VOLUME/PATH      the data of huge files that are mostly holes, which restic would read in full
    excludes, words         what restic leaves out in their place: a file of patterns, and options that end with NULs
    as-they-are, devices, missing   lines for people: databases without a copy, devices, files that this backup lacks
  newest TIME   prints the newest file in /volumes that was changed after TIME (seconds since 1970)
  place         moves what `copy` made from /restore/databases and /restore/sparse into /restore/volumes
"""

import os
import stat
import sys
import time

from copies import Copies
from database import ENDINGS, SIDES
from lists import shown
from place import place

HUGE = 1 << 30


def files(root):
    """Every path below a folder with its status. What cannot be read is left to restic, which names it."""
    folders = [root]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    try:
                        seen = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue
                    if stat.S_ISDIR(seen.st_mode):
                        folders.append(entry.path)
                    else:
                        yield entry.path, seen
        except OSError:
            continue


def database_of(path):
    """The database that a file is, or belongs to by its name."""
    for side in SIDES:
        if path.endswith(side):
            return path.removesuffix(side)
    return path if path.lower().endswith(ENDINGS) else None


def copy(seconds):
    copies = Copies(b"/out", float(seconds))
    done = set()
    for path, seen in files(b"/volumes"):
        database = database_of(path)
        if database is not None and stat.S_ISREG(seen.st_mode):
            if database not in done:
                done.add(database)
                copies.database(database, named=database.lower().endswith(ENDINGS))
        if seen.st_size > HUGE and seen.st_blocks * 512 < seen.st_size // 8:
            copies.sparse(path, seen)
        if stat.S_ISBLK(seen.st_mode) or stat.S_ISCHR(seen.st_mode):
            copies.device(path)
    copies.finish()


def newest(time_text):
    best, after = None, float(time_text)
    for path, seen in files(b"/volumes"):
        if stat.S_ISREG(seen.st_mode) and seen.st_mtime > max(after, best[0] if best else after):
            best = seen.st_mtime, path
    if best:
        print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(best[0])), shown(best[1]))


ACTIONS = {"copy": copy, "newest": newest, "place": place}
ACTIONS[sys.argv[1]](*sys.argv[2:])
