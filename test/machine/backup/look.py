"""Prints what there is in a folder, a line of JSON each: all that a backup must bring back. Run on the machine of a test, as root."""

import hashlib
import json
import os
import stat
import sys

root, inodes = os.fsencode(sys.argv[1]), {}


def content(path, size):
    """Digest of the data between the holes, so that a file of a terabyte takes no time."""
    digest, at = hashlib.sha256(), 0
    with open(path, "rb") as file:
        if size < 1 << 26:
            return hashlib.sha256(file.read()).hexdigest()
        while at < size:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            file.seek(start)
            digest.update(f"{start} ".encode() + file.read(at - start).rstrip(b"\0"))
    return digest.hexdigest()


def seen(path):
    status = os.lstat(path)
    kind = stat.S_IFMT(status.st_mode)
    line = [os.path.relpath(path, root).hex(), oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns]
    if kind == stat.S_IFLNK:
        return [*line, os.readlink(path).hex()]
    line.append({name: os.getxattr(path, name).hex() for name in sorted(os.listxattr(path))})
    if kind == stat.S_IFREG:
        line += [status.st_size, content(path, status.st_size)]
        if status.st_nlink > 1:
            line.append("the same as " + inodes.setdefault(status.st_ino, line[0]))
    return line


lines = [seen(root)]
for folder, folders, files in os.walk(root):
    folders.sort()
    lines += [seen(os.path.join(folder, name)) for name in sorted(folders + files)]
print("\n".join(sorted(json.dumps(line) for line in lines)))
