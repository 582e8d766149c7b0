"""What a restored backup must have: counted when it is made, and again in a drill. The proof of a backup is one JSON object:

  volumes   by name: how many files it has, and of one that has not changed for long the path and the SHA-256
  rows      of each database by its path
  dumps     rows of each dump by its volume

Paths are hexadecimal, since an App chose them."""

import hashlib
import json
import os
import select
import shutil
import signal
import sqlite3
import stat
from contextlib import suppress

from database import ENDINGS, RESULT, SIDES, become, connect, rows_of
from lists import shown

VOLUMES, DUMPS, RESTORED, SCRATCH, PLAN = b"/volumes", b"/dumps", b"/restore", b"/out", b"/plan"
# A backup reads files for a while after they are counted: so large a part of them may go meanwhile.
MAY_GO = 20
# Bytes of a file that is remembered.
KNOWN_MOST = 16 << 20
# How a database is.
WHOLE, DAMAGED, UNKNOWN = 0, 1, 2


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


def counts(path, seen):
    """SQLite makes and removes the files that it keeps next to a database."""
    return stat.S_ISREG(seen.st_mode) and database_of(path) in (None, path)


def digest(path):
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        return hashlib.sha256(file.read(KNOWN_MOST + 1)).hexdigest()


def dump_rows(path):
    """Rows of a dump: of PostgreSQL what stands between `COPY … FROM stdin;` and `\\.`, of MySQL the lines that insert some."""
    rows, copying, begins = 0, False, True
    with open(path, "rb") as file:
        # A row may be longer than the memory of this container.
        while piece := file.readline(1 << 16):
            if begins and copying:
                copying = piece != b"\\.\n"
                rows += copying
            elif begins:
                rows += piece.startswith(b"INSERT INTO ")
                copying = piece.startswith(b"COPY ") and piece.endswith(b" FROM stdin;\n")
            begins = piece.endswith(b"\n")
    return rows


class Proof:
    def __init__(self):
        self.count = {name: 0 for name in os.listdir(VOLUMES)}
        self.oldest = {}

    def see(self, path, seen):
        if not counts(path, seen):
            return
        volume = path.split(b"/")[VOLUMES.count(b"/") + 1]
        self.count[volume] += 1
        if database_of(path) is None and 0 < seen.st_size <= KNOWN_MOST:
            self.oldest[volume] = min(self.oldest.get(volume, (seen.st_ctime_ns, path)), (seen.st_ctime_ns, path))

    def write(self, path, rows):
        volumes = {}
        for volume, count in self.count.items():
            known = None
            if volume in self.oldest:
                with suppress(OSError):
                    oldest = self.oldest[volume][1]
                    known = [os.path.relpath(oldest, VOLUMES).hex(), digest(oldest)]
            volumes[os.fsdecode(volume)] = [count, known]
        proof = {
            "volumes": volumes,
            "rows": {os.path.relpath(one, VOLUMES).hex(): number for one, number in rows.items()},
            "dumps": {os.fsdecode(name): dump_rows(os.path.join(DUMPS, name)) for name in dumps()},
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(proof, file)


def dumps():
    return os.listdir(DUMPS) if os.path.isdir(DUMPS) else []


def recorded():
    with open(RESTORED + b"/proof", encoding="utf-8") as file:
        return json.load(file)


def prove():
    if not os.path.exists(RESTORED + b"/proof"):
        print("the backup does not say what must be in it: it was made by an earlier version of the program")
        return
    proof = recorded()
    for volume, (before, known) in proof["volumes"].items():
        now = sum(
            counts(path, seen)
            for kind in (b"volumes", b"databases", b"sparse")
            for path, seen in files(os.path.join(RESTORED, kind, os.fsencode(volume)))
        )
        if (before - now) * MAY_GO > before:
            print(f"volume {volume} has {now} of {before} files")
        if known is not None and not is_known(known):
            print(f"volume {volume} lacks a file that it had, or that is another one now")
    for volume in proof["dumps"]:
        if not os.path.isfile(os.path.join(RESTORED, b"dumps", os.fsencode(volume))):
            print(f"the dump of {volume} is missing")
    prove_databases(proof["rows"])
    prove_declared()


def is_known(known):
    path, before = known
    try:
        return digest(os.path.join(RESTORED, b"volumes", bytes.fromhex(path))) == before
    except OSError:
        return False


def prove_declared():
    with open(PLAN, encoding="utf-8") as plan:
        for words in map(str.split, plan):
            if words[:1] == ["needs"]:
                path = os.path.join(words[1], words[2])
                places = [os.path.join(RESTORED, kind, os.fsencode(path)) for kind in (b"volumes", b"databases")]
                if not any(os.path.isfile(place) and os.path.getsize(place) > 0 for place in places):
                    print(f"{path} is missing")


def prove_databases(rows):
    root = RESTORED + b"/databases"
    found = {os.path.relpath(path, root): seen for path, seen in files(root) if counts(path, seen)}
    for path in map(bytes.fromhex, rows):
        if path not in found:
            print(f"database {shown(path)} is missing")
    for path, seen in found.items():
        before = rows.get(path.hex(), -1)
        state, now = look_at(os.path.join(root, path), seen)
        if state == DAMAGED:
            print(f"database {shown(path)} is damaged")
        elif -1 not in (before, now) and before != now:
            print(f"database {shown(path)} has {now} rows and had {before}")


def look_at(path, seen):
    """How a database is, and its rows, as a process finds that can do no more than the owner of the file."""
    seconds = 60 + seen.st_size / (5 << 20)
    results, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(end, RESULT.pack(*checked(path, seen, seconds)))
        finally:
            os._exit(0)
    os.close(end)
    ready, _, _ = select.select([results], [], [], 2 * seconds)
    said = os.read(results, RESULT.size) if ready else RESULT.pack(UNKNOWN, -1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(results)
    # SQLite must not die of a file.
    return RESULT.unpack(said) if said else (DAMAGED, -1)


def checked(path, seen, seconds):
    sides = [side for side in SIDES if os.path.exists(path + side)]
    if sides:
        # SQLite writes when it reads what a log or a journal has.
        scratch = b"%s/%d" % (SCRATCH, os.getpid())
        os.mkdir(scratch, 0o700)
        for side in (b"", *sides):
            shutil.copyfile(path + side, scratch + b"/copy" + side)
            os.chown(scratch + b"/copy" + side, seen.st_uid, seen.st_gid)
        os.chown(scratch, seen.st_uid, seen.st_gid)
        become(seen.st_uid, seen.st_gid)
        database = connect(scratch + b"/copy", "mode=rw")
    else:
        # Opened here, since its owner may not enter the folders above it; read only afterwards.
        database = connect(path, "mode=ro&immutable=1")
        become(seen.st_uid, seen.st_gid)
    try:
        (first,) = database.execute("PRAGMA quick_check(1)").fetchone()
        return (WHOLE if first == "ok" else DAMAGED), rows_of(database, seconds)
    except sqlite3.OperationalError:
        # One that needs an extension, say.
        return UNKNOWN, -1
    except sqlite3.Error:
        return DAMAGED, -1


def prove_dumps():
    for volume, before in recorded()["dumps"].items():
        now = dump_rows(os.path.join(RESTORED, b"dumps", os.fsencode(volume)))
        if now != before:
            print(f"the database {volume} has {now} rows and had {before}")
