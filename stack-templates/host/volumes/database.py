"""The copy of one SQLite database, made in a process that can do no more than the owner of the file."""

import ctypes
import errno
import fcntl
import os
import resource
import signal
import sqlite3
import struct
import time
from contextlib import closing
from urllib.parse import quote_from_bytes

MAGIC = b"SQLite format 3\0"
# What databases are named; another name counts where a side file (-wal, -shm, -journal) of it is there.
ENDINGS = (b".db", b".sqlite", b".sqlite3", b".db3", b".session")
SIDES = (b"-wal", b"-journal", b"-shm")
# https://www.sqlite.org/src/file/src/os.h: the bytes that SQLite locks.
PENDING, RESERVED, SHARED, SHARED_SIZE = 0x40000000, 0x40000001, 0x40000002, 510
# The same of the file -shm: each program that has the database open with a log holds it.
OPEN = 128

LIBC = ctypes.CDLL(None, use_errno=True)

LOCK_SECONDS = 10
# How a copy ends.
CLEAN, LOCKED, BUSY, UNREADABLE, NO_ROOM = 0, 3, 4, 5, 6
# What a process tells of one database: how it ended, and its rows, of which -1 says that they were not counted.
RESULT = struct.Struct("<bq")
# Counting may take so long, in seconds.
COUNT_SECONDS = 5


def copy_all(jobs, results, lock_seconds):
    """Copies databases of one owner, and writes how each ended to a pipe."""
    become(*jobs[0].owner)
    for job in jobs:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job.most, resource.RLIM_INFINITY))
        code = copy_database(job.path, job.fds, job.scratch, min(LOCK_SECONDS, lock_seconds))
        if code == LOCKED:
            lock_seconds = max(0, lock_seconds - LOCK_SECONDS)
        os.write(results, RESULT.pack(code, rows_of_copy(job.scratch) if code == CLEAN else -1))


def become(uid, gid):
    """From here on this process is that owner, and has no capability."""
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    # Version 3 of the call, this process; all sets empty. Root, too, may own a database.
    if LIBC.capset(struct.pack("Ii", 0x20080522, 0), bytes(24)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def copy_database(path, fds, scratch, lock_seconds):
    """Copies to scratch/copy, with its -wal or -journal where they belong to the data. Gives how that ended.

    `fds` has the open files by side, b"" for the database itself; this process could not open all of them."""
    fd = fds[b""]
    in_use = size(fds, b"-wal") > 0 and b"-shm" in fds and locked(fds[b"-shm"], OPEN)
    try:
        code = copy_live(path, scratch) if in_use else BUSY
        if code != CLEAN:
            code = copy_still(path, fds, scratch, lock_seconds)
        if code == CLEAN:
            if not whole_pages(scratch + b"/copy"):
                return UNREADABLE
            # Reads the header and holds it against the size, as each program that opens the database will.
            with closing(connect(scratch + b"/copy", "mode=ro&immutable=1")) as look:
                look.execute("PRAGMA schema_version").fetchone()
        return code
    except sqlite3.Error:
        return UNREADABLE
    except OSError as error:
        return NO_ROOM if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else UNREADABLE
    finally:
        unlock(fd)


def rows_of_copy(scratch):
    logged = os.path.exists(scratch + b"/copy-wal")
    try:
        with closing(connect(scratch + b"/copy", "mode=ro" if logged else "mode=ro&immutable=1")) as copy:
            return rows_of(copy, COUNT_SECONDS)
    except sqlite3.Error:
        return -1
    finally:
        # SQLite makes it to read a log.
        if os.path.lexists(scratch + b"/copy-shm"):
            os.unlink(scratch + b"/copy-shm")


def rows_of(opened, seconds):
    """Rows of all tables together; -1 where that takes longer."""
    until = time.monotonic() + seconds
    opened.set_progress_handler(lambda: time.monotonic() > until, 100_000)
    try:
        # A virtual table may need a module that is not here; what it keeps is in plain ones.
        names = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'create virtual%'").fetchall()
        return sum(opened.execute('SELECT count(*) FROM "%s"' % name.replace('"', '""')).fetchone()[0] for (name,) in names)
    except sqlite3.Error:
        return -1
    finally:
        opened.set_progress_handler(None, 0)


def size(fds, side):
    return os.fstat(fds[side]).st_size if side in fds else 0


def whole_pages(path):
    with open(path, "rb") as file:
        page = int.from_bytes(file.read(18)[16:], "big")
    # A page of 65536 bytes is written as 1.
    return os.stat(path).st_size % (65536 if page == 1 else page or 1) == 0


def connect(path, options, seconds=0.0):
    return sqlite3.connect(f"file:{quote_from_bytes(path)}?{options}", uri=True, timeout=seconds)


def copy_live(path, scratch):
    """By SQLite itself, in one transaction, which holds up no writer: for a database with a log that someone has open."""
    try:
        with closing(connect(path, "mode=ro", 10)) as source, closing(connect(scratch + b"/copy", "mode=rwc")) as target:
            target.execute("PRAGMA journal_mode = OFF")
            target.execute("PRAGMA synchronous = OFF")
            source.backup(target, pages=-1)
        return CLEAN
    except sqlite3.Error:
        return BUSY


def copy_still(path, fds, scratch, lock_seconds):
    """Database, log and journal together, byte for byte, as they are at a moment at which nobody writes to them."""
    fd = fds[b""]
    for attempt in range(6):
        if not lock(fd, lock_seconds):
            return LOCKED
        parts = {b"": fd}
        if size(fds, b"-wal") > 0:
            parts[b"-wal"] = fds[b"-wal"]
        # A journal that begins with a 0 is done with; one of a living process is of a change that is not made yet.
        if size(fds, b"-journal") > 0 and os.pread(fds[b"-journal"], 1, 0) != b"\0" and not locked(fd, RESERVED):
            parts[b"-journal"] = fds[b"-journal"]
        before = marks(path, parts)
        # Two writes within one tick of the file system's clock leave the same time.
        if time.time_ns() - max(mark[2] for mark in before if mark) < 50_000_000:
            time.sleep(0.06)
            continue
        # Held only if it changes too fast otherwise, since writers of a database without a log wait meanwhile.
        if attempt == 0:
            unlock(fd)
        for side, part in parts.items():
            target = os.open(scratch + b"/copy" + side, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            copy_data(part, target)
            os.close(target)
        if marks(path, parts) == before:
            return CLEAN
    return BUSY


def lock(fd, seconds):
    """SQLite's SHARED lock. Who waits to write comes first, as in SQLite."""
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, PENDING)
            fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB, SHARED_SIZE, SHARED)
            return True
        except (BlockingIOError, PermissionError):
            if time.monotonic() >= until:
                return False
        finally:
            fcntl.lockf(fd, fcntl.LOCK_UN, 1, PENDING)
        time.sleep(0.002)


def unlock(fd):
    fcntl.lockf(fd, fcntl.LOCK_UN, SHARED_SIZE, SHARED)


def locked(fd, byte):
    """Whether a living process holds a lock of this byte; of RESERVED: whether one is about to change the database."""
    asked = struct.pack("hhxxxxqqixxxx", fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
    return struct.unpack_from("h", fcntl.fcntl(fd, fcntl.F_GETLK, asked))[0] != fcntl.F_UNLCK


def marks(path, parts):
    """What differs once one of the files was written to or replaced, or came or went; None for one that is not there."""
    found = [mark(os.fstat(part)) for part in parts.values()]
    for side in (b"", b"-wal", b"-journal"):
        try:
            found.append(mark(os.lstat(path + side)))
        except (FileNotFoundError, PermissionError):
            found.append(None)
    return found


def mark(seen):
    return seen.st_ino, seen.st_size, max(seen.st_ctime_ns, seen.st_mtime_ns), seen.st_mtime_ns


def data_of(fd, end):
    """Start and length of each stretch of a file that is no hole."""
    at = 0
    while at < end:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        at = min(os.lseek(fd, start, os.SEEK_HOLE), end)
        yield start, at - start


def copy_data(source, target):
    """The same bytes with the same holes."""
    end = os.fstat(source).st_size
    for start, length in data_of(source, end):
        os.lseek(target, start, os.SEEK_SET)
        send(source, start, target, length)
    os.ftruncate(target, end)


def send(source, start, target, length):
    """Appends so many bytes, or as many as there are."""
    os.lseek(source, start, os.SEEK_SET)
    while length > 0:
        sent = os.sendfile(target, source, None, min(length, 16 << 20))
        if sent == 0:
            break
        length -= sent
