"""Makes files as a list of JSON on standard input says, in the folder that is the argument. Run on the machine of a test, as root."""

import json
import os
import socket
import sqlite3
import stat
import struct
import sys

root = os.fsencode(sys.argv[1])


def database(path, mode, left_open):
    """A small database; left open, its log stays beside it as after a crash."""
    if os.fork() == 0:
        connection = sqlite3.connect(os.fsdecode(path))
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("CREATE TABLE words (word)")
        connection.executemany("INSERT INTO words VALUES (?)", [("w%d" % number,) for number in range(200)])
        connection.commit()
        if not left_open:
            connection.close()
        os._exit(0)
    assert os.wait()[1] == 0


def hot_journal(path, names):
    """A journal left by a change that was cut off, which says that the file it names goes once all is undone."""
    size = os.stat(path).st_size // 4096
    header = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + struct.pack(">IIIII", 0, 7, size, 512, 4096)
    name = names.encode()
    tail = struct.pack(">I", 0x40000000 // 4096 + 1) + name + struct.pack(">II", len(name), sum(name) & 0xFFFFFFFF)
    with open(path + b"-journal", "wb") as file:
        file.write(header.ljust(512, b"\0") + tail + header[:8])


def make(entry):
    path, kind = os.path.join(root, bytes.fromhex(entry["path"])), entry["kind"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if kind == "folder":
        os.makedirs(path)
    elif kind == "link":
        os.symlink(bytes.fromhex(entry["to"]), path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(os.path.dirname(path))
        socket.socket(socket.AF_UNIX).bind(os.path.basename(path))
        os.chdir(here)
    elif kind == "hard link":
        os.link(os.path.join(root, bytes.fromhex(entry["to"])), path)
    elif kind in ("data", "sparse"):
        with open(path, "wb") as file:
            file.write(bytes.fromhex(entry["data"]))
            if kind == "sparse":
                file.seek(entry["size"] - 3)
                file.write(b"end")
    else:
        database(path, "wal" if "log" in kind else "delete", kind == "database with log")
        if kind == "cut database":
            os.truncate(path, entry["size"])
        if kind == "damaged database":
            with open(path, "r+b") as file:
                file.seek(16)
                file.write(bytes.fromhex(entry["data"]))
        if kind == "database with linked log":
            os.symlink("/etc/passwd", path + b"-wal")
        if kind == "database with journal":
            hot_journal(path, entry["names"])
    for name in (path, path + b"-wal", path + b"-shm", path + b"-journal"):
        if not os.path.lexists(name) or os.path.lexists(path) and name != path and kind in ("folder", "link"):
            continue
        os.chown(name, entry["owner"], entry["owner"], follow_symlinks=False)
        if not stat.S_ISLNK(os.lstat(name).st_mode):
            os.chmod(name, entry["mode"])
            for key, value in entry.get("attributes", {}).items():
                os.setxattr(name, key, value.encode())
            os.utime(name, ns=(entry["time"], entry["time"]))


for one in json.load(sys.stdin):
    make(one)
for folder, _, _ in os.walk(root):
    os.chown(folder, 1000, 1000)
    os.utime(folder, ns=(10**18 + 7, 10**18 + 7))
