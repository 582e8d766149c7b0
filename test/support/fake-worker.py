"""What a throw-away container with volumes/ does, at other places: sources of /volumes, /dumps, /restore, /out and /plan, then its words."""
import os
import shutil
import sys
from contextlib import closing

program, volumes, dumps, restore, out, plan, action = (os.fsencode(word) for word in sys.argv[1:8])
sys.path.insert(0, os.fsdecode(program))
import lists
import proof
from database import connect, rows_of

proof.VOLUMES, proof.DUMPS, proof.RESTORED, proof.SCRATCH, proof.PLAN = volumes, dumps, restore, out, plan


def copy():
    made, rows = proof.Proof(), {}
    with open(out + b"/excludes", "wb") as excludes:
        for path, seen in proof.files(volumes):
            made.see(path, seen)
            with open(path, "rb") as file:
                if file.read(6) != b"SQLite":
                    continue
            short = os.path.relpath(path, volumes)
            target = os.path.join(out, b"databases", short)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(path, target)
            excludes.write(b"/backup/volumes/" + short + b"\n")
            with closing(connect(path, "mode=ro")) as opened:
                rows[path] = rows_of(opened, 5)
    made.write(out + b"/proof", rows)


def place():
    for path, _ in proof.files(restore + b"/databases"):
        target = os.path.join(restore, b"volumes", os.path.relpath(path, restore + b"/databases"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(path, target)


{b"copy": copy, b"place": place, b"prove": proof.prove, b"prove-dumps": proof.prove_dumps}[action]()
