"""All copies that a backup needs. This process is root with the capabilities to read every file, to become its owner, and to give
the copies the same owners. It reads names, sizes and the first bytes of files, and believes nothing of what is in them."""

import json
import os
import select
import signal
import stat
import time
from contextlib import suppress
from dataclasses import dataclass

import database
from database import BUSY, CLEAN, COUNT_SECONDS, LOCK_SECONDS, LOCKED, MAGIC, NO_ROOM, RESULT, SIDES, UNREADABLE
from lists import Lists

ALL = (b"",) + SIDES
# Bytes that stay free on the disk; waiting for locks, in seconds; pieces of a file with holes; databases of one child.
ROOM, LOCK_SECONDS_IN_ALL, EXTENTS, BATCH = 512 << 20, 60, 100_000, 64
REASONS = {
    LOCKED: "another process holds it locked",
    BUSY: "it changes too fast",
    UNREADABLE: "SQLite cannot read it",
    NO_ROOM: "the disk has no room for a copy",
}


class Unfit(Exception):
    """Why there is no copy of a file."""


def like(source, target):
    """Gives a file or folder of ours the attributes, owner, mode and times of another; either may be a descriptor."""
    seen = os.stat(source)
    for name in os.listxattr(source):
        if name.startswith(("user.", "system.posix_acl_")):
            with suppress(OSError):
                os.setxattr(target, name, os.getxattr(source, name))
    os.chown(target, seen.st_uid, seen.st_gid)
    os.chmod(target, stat.S_IMODE(seen.st_mode))
    os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def opened(path):
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


@dataclass
class Job:
    """One database; its files are open."""

    path: bytes
    fds: dict
    scratch: bytes
    # Bytes that a copy of one of its files may have.
    most: int

    @property
    def owner(self):
        seen = os.fstat(self.fds[b""])
        return seen.st_uid, seen.st_gid

    def size(self):
        return sum(os.fstat(fd).st_blocks * 512 for fd in self.fds.values())

    def close(self):
        for fd in self.fds.values():
            os.close(fd)


class Copies:
    def __init__(self, out, seconds):
        self.out = out
        self.until = time.monotonic() + seconds
        self.lock_seconds = LOCK_SECONDS_IN_ALL
        self.count = 0
        self.jobs = []
        self.folders = {}
        # Rows of each database that was copied and counted, by its path.
        self.rows = {}
        os.mkdir(out + b"/scratch", 0o711)
        self.lists = Lists(out)

    def database(self, path, named):
        """Copies one, now or soon. One that has no copy is named, if its own name says that it is a database."""
        fds = {}
        try:
            for side in ALL:
                fds.update(self.side(path, side))
            if b"" not in fds or os.fstat(fds[b""]).st_size == 0:
                fds = self.closed(fds)
            elif os.pread(fds[b""], len(MAGIC), 0) != MAGIC:
                fds = self.closed(fds)
                if named:
                    raise Unfit("it does not begin as a database of SQLite does")
            else:
                self.accept(path, fds)
        except Unfit as unfit:
            self.closed(fds)
            self.lists.tell("as-they-are", path, str(unfit))

    def side(self, path, side):
        fd = None
        try:
            fd = opened(path + side)
            if stat.S_ISREG(os.fstat(fd).st_mode):
                return {side: fd}
        except FileNotFoundError:
            return {}
        except OSError:
            # A symbolic link, mostly.
            pass
        if fd is not None:
            os.close(fd)
        # Without the database itself, its sides are files as others.
        if side:
            raise Unfit(f"its {side.decode()[1:]} is not a file of its own")
        return {}

    def closed(self, fds):
        for fd in fds.values():
            os.close(fd)
        return {}

    def accept(self, path, fds):
        if time.monotonic() > self.until:
            raise Unfit("the time for copies was over")
        room = self.room() - sum(job.size() for job in self.jobs)
        self.count += 1
        # It may grow until its turn comes.
        most = min(2 * sum(os.fstat(fd).st_size for fd in fds.values()) + (64 << 20), max(room, 0))
        job = Job(path, fds, b"%s/scratch/%d" % (self.out, self.count), most)
        if job.size() > room:
            raise Unfit(REASONS[NO_ROOM])
        if self.jobs and (len(self.jobs) == BATCH or self.jobs[0].owner != job.owner):
            self.work()
        self.jobs.append(job)

    def work(self):
        """Copies what was accepted, all of one owner."""
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            os.mkdir(job.scratch, 0o700)
            os.chown(job.scratch, *job.owner)
        ends = []
        while len(ends) < len(jobs):
            ends += self.child(jobs[len(ends) :])
        for job, (code, rows) in zip(jobs, ends):
            try:
                self.take(job, code)
                for side in ALL:
                    self.lists.leave_out(job.path + side)
                self.rows[job.path] = rows
            except Unfit as unfit:
                self.lists.tell("as-they-are", job.path, str(unfit))
            job.close()

    def child(self, jobs):
        """Lets a child copy one after the other. Gives how each ended, and its rows; a child that hangs or dies ends with the one it was at."""
        results, end = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                database.copy_all(jobs, end, self.lock_seconds)
            finally:
                os._exit(0)
        os.close(end)
        ends = []
        for job in jobs:
            seconds = min(30 + COUNT_SECONDS + job.most / (10 << 20), max(1, self.until - time.monotonic()))
            ready, _, _ = select.select([results], [], [], seconds)
            said = os.read(results, RESULT.size) if ready else RESULT.pack(BUSY, -1)
            ends.append(RESULT.unpack(said) if said else (UNREADABLE, -1))
            if ends[-1][0] == LOCKED:
                self.lock_seconds = max(0, self.lock_seconds - LOCK_SECONDS)
            if not ready or not said:
                break
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(results)
        return ends

    def take(self, job, code):
        """Takes over what a child made, once it is dead."""
        os.chown(job.scratch, 0, 0)
        os.chmod(job.scratch, 0o700)
        copies = {side: job.scratch + b"/copy" + side for side in ALL}
        made = {side: copy for side, copy in copies.items() if os.path.lexists(copy)}
        good = code == CLEAN and b"" in made
        for copy in made.values():
            seen = os.lstat(copy)
            good = good and stat.S_ISREG(seen.st_mode) and seen.st_nlink == 1 and seen.st_size <= job.most
        for side, copy in made.items():
            if good:
                target = self.target(b"databases", job.path + side)
                os.rename(copy, target)
                os.chown(target, 0, 0)
                like(job.fds.get(side, job.fds[b""]), target)
            else:
                os.unlink(copy)
        if not good:
            raise Unfit(REASONS.get(code, REASONS[UNREADABLE]))

    def sparse(self, path, seen):
        """Takes the data of a huge file; restic would read its holes for hours. One larger than its disk has no other way."""
        try:
            fd = opened(path)
        except OSError:
            return
        try:
            self.data(path, fd)
            self.lists.leave_out(path)
        except Unfit as unfit:
            disk = os.fstatvfs(fd)
            if seen.st_size > disk.f_blocks * disk.f_frsize:
                self.lists.leave_out(path)
                self.lists.tell("missing", path, f"it is larger than its disk, and {unfit}")
        finally:
            os.close(fd)

    def data(self, path, fd):
        end, extents = os.fstat(fd).st_size, []
        for extent in database.data_of(fd, end):
            extents.append(extent)
            if len(extents) > EXTENTS:
                raise Unfit("its data is in too many pieces")
        if sum(length for _, length in extents) > self.room():
            raise Unfit(REASONS[NO_ROOM])
        target = os.open(self.target(b"sparse", path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(target, json.dumps([end, extents]).encode() + b"\n")
        at = os.lseek(target, 0, os.SEEK_CUR)
        for start, length in extents:
            database.send(fd, start, target, length)
            # Also where the file was cut meanwhile.
            at += length
            os.ftruncate(target, at)
            os.lseek(target, at, os.SEEK_SET)
        like(fd, target)
        os.close(target)

    def device(self, path):
        """No backup takes one: a restore of it would open the machine to the App."""
        self.lists.leave_out(path)
        self.lists.tell("devices", path)

    def target(self, kind, path):
        """Where the copy of a file goes; the folders above it become like those above the file."""
        at, source = self.out + b"/" + kind, b"/volumes"
        for part in (b"", *path.split(b"/")[2:-1]):
            at, source = (os.path.join(at, part), os.path.join(source, part)) if part else (at, source)
            if at not in self.folders:
                os.mkdir(at, 0o700)
                self.folders[at] = source
        return os.path.join(at, os.path.basename(path))

    def room(self):
        disk = os.statvfs(self.out)
        return disk.f_bavail * disk.f_frsize - ROOM

    def finish(self):
        self.work()
        for folder, source in reversed(self.folders.items()):
            with suppress(OSError):
                like(source, folder)
        self.lists.close()
