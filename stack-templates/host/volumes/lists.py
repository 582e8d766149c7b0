"""What `copy` tells: restic what to leave out, and people what happened."""

import os

# Bytes that a command line has for these options, in addition to the others.
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

    def leave_out(self, path):
        """Tells restic of exactly this path. A line end fits into its command line alone, where all is UTF-8, and bounded."""
        text = pattern(path)
        if b"\n" in text and is_utf8(text) and self.word_bytes + len(text) < WORDS:
            self.word_bytes += len(text) + 11
            self.files["words"].write(b"--exclude\0" + text + b"\0")
        else:
            self.files["excludes"].write(line(text) + b"\n")

    def close(self):
        for file in self.files.values():
            file.close()


def pattern(path):
    """restic's pattern for exactly this path (https://restic.readthedocs.io/en/stable/040_backup.html#excluding-files)."""
    for letter in (b"\\", b"*", b"?", b"["):
        path = path.replace(letter, b"\\" + letter)
    return b"/backup" + path


def line(text):
    """The same in a line of a file. restic takes variables from it, and blanks off its end; a line end becomes one of three characters."""
    text = text.replace(b"$", b"$$").replace(b"\n", b"[\t-\v]")
    last = text.decode("utf-8", "surrogateescape")[-1:]
    return text.removesuffix(last.encode()) + b"[" + last.encode() + b"]" if last.isspace() else text


def is_utf8(text):
    try:
        text.decode()
        return True
    except UnicodeDecodeError:
        return False
