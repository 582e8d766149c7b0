"""What `copy` kept aside, back to where it was: in a restored folder that nobody else can write to."""

import json
import os
import stat
import sys

from copies import like
from lists import shown

ROOT = b"/restore/"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def place():
    # A folder in a folder, as deep as a path can be.
    sys.setrecursionlimit(10_000)
    for kind, put in ((b"databases", os.rename), (b"sparse", unfold)):
        if os.path.isdir(ROOT + kind):
            walk(b"", os.open(ROOT + kind, FOLDER), os.open(ROOT + b"volumes", FOLDER), put)


def walk(path, source, target, put):
    """Folder by folder, so that a symbolic link in one of them leads nowhere. Closes both."""
    before = os.stat(target)
    for name in map(os.fsencode, os.listdir(source)):
        try:
            if stat.S_ISDIR(os.lstat(name, dir_fd=source).st_mode):
                walk(os.path.join(path, name), *folders(name, source, target), put)
            else:
                put(name, name, src_dir_fd=source, dst_dir_fd=target)
        except OSError as error:
            # First it was a folder with a database in it, then something else.
            print(f"{shown(os.path.join(path, name))}: {error.strerror}")
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.close(source)
    os.close(target)


def folders(name, source, target):
    below = os.open(name, FOLDER, dir_fd=source)
    try:
        os.mkdir(name, 0o700, dir_fd=target)
    except FileExistsError:
        return below, os.open(name, FOLDER, dir_fd=target)
    made = os.open(name, FOLDER, dir_fd=target)
    like(below, made)
    return below, made


def unfold(name, new_name, *, src_dir_fd, dst_dir_fd):
    source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=src_dir_fd)
    target = os.open(new_name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=dst_dir_fd)
    with open(source, "rb") as packed, open(target, "wb") as file:
        end, extents = json.loads(packed.readline())
        for start, length in extents:
            file.seek(start)
            while length > 0 and (piece := packed.read(min(length, 1 << 20))):
                file.write(piece)
                length -= len(piece)
        file.truncate(end)
        file.flush()
        like(packed.fileno(), file.fileno())
