"""What cloudcode-backup does with the files of an App. It runs in a throw-away container that has no network, an empty image, and
of the host only /usr, this folder and what is named here; /volumes is read-only there and follows no symbolic link.

  copy SECONDS  fills /out from the volumes in /volumes, within about that time:
    databases/VOLUME/PATH   consistent copies of the SQLite databases
    sparse/VOLUME/PATH      the data of huge files that are mostly holes, which restic would read in full
    excludes, words         what restic leaves out in their place: a file of patterns, and options that end with NULs
    as-they-are, devices, missing   lines for people: databases without a copy, devices, files that this backup lacks
    proof                   what a restore must bring back (proof.py)
  newest TIME   prints the newest file in /volumes that was changed after TIME (seconds since 1970)
  place         moves what `copy` made from /restore/databases and /restore/sparse into /restore/volumes
  prove         prints in what a restored backup in /restore differs from its proof, and what it lacks of /plan
  prove-dumps   prints which dumps in /restore/dumps have other rows than its proof says
"""

import os
import stat
import sys
import time

from copies import Copies
from database import ENDINGS
from lists import shown
from place import place
from proof import Proof, database_of, files, prove, prove_dumps

HUGE = 1 << 30


def copy(seconds):
    copies = Copies(b"/out", float(seconds))
    proof = Proof()
    done = set()
    for path, seen in files(b"/volumes"):
        proof.see(path, seen)
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
    proof.write(b"/out/proof", copies.rows)


def newest(time_text):
    best, after = None, float(time_text)
    for path, seen in files(b"/volumes"):
        if stat.S_ISREG(seen.st_mode) and seen.st_mtime > max(after, best[0] if best else after):
            best = seen.st_mtime, path
    if best:
        print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(best[0])), shown(best[1]))


ACTIONS = {"copy": copy, "newest": newest, "place": place, "prove": prove, "prove-dumps": prove_dumps}
ACTIONS[sys.argv[1]](*sys.argv[2:])
