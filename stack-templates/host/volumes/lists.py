"""What `copy` tells: restic what to leave out, and people what happened."""

import os

# Bytes of options that a command line takes beside others.
WORDS = 64 << 10


def shown(path):
    """A path in /volumes for people: on one line, whatever is in it."""
    text = path.removeprefix(b"/volumes/").decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


class Lists:
    def __init__(self, out):
        self.word_bytes = 0
        names = ("excludes", "words", "as-they-are", "devices", "missing")
        self.files = {name: open(os.path.join(os.fsdecode(out), name), "wb") for name in names}

    def tell(self, name, path, why=None):
        self.files[name].write(f"{shown(path)}: {why}\n".encode() if why else f"{shown(path)}\n".encode())

    def reserve(self, path):
        """Whether restic can be told to leave out exactly this path; in a command line, all is UTF-8 and bounded."""
        text = pattern(path)
        if in_a_line(text):
            return True
        self.word_bytes += len(text) + 11
        return is_utf8(text) and self.word_bytes < WORDS

    def leave_out(self, path):
        text = pattern(path)
        if in_a_line(text):
            self.files["excludes"].write(text.replace(b"$", b"$$") + b"\n")
        else:
            self.files["words"].write(b"--exclude\0" + text + b"\0")

    def leave_out_at_least(self, path):
        """Also a path that restic cannot be told of exactly, since it would read this file for hours."""
        text = pattern(path).replace(b"\n", b"?").replace(b"\r", b"?").replace(b"$", b"$$")
        self.files["excludes"].write((text if in_a_line(text) else text + b"*") + b"\n")

    def close(self):
        for file in self.files.values():
            file.close()


def pattern(path):
    """restic's pattern for exactly this path (https://restic.readthedocs.io/en/stable/040_backup.html#excluding-files)."""
    for letter in (b"\\", b"*", b"?", b"["):
        path = path.replace(letter, b"\\" + letter)
    return b"/backup" + path


def in_a_line(text):
    """restic reads its file by lines, and takes blanks of any alphabet off their ends."""
    return not set(text) & set(b"\n\r") and text[-1] < 0x80 and not text[-1:].isspace()


def is_utf8(text):
    try:
        text.decode()
        return True
    except UnicodeDecodeError:
        return False
