"""Writes ttyd's own page, as the program in this image has it, with the keys of terminal-keys.html.

usage: terminal-page.py KEYS PAGE
"""

import subprocess
import sys
import time
import urllib.request

PORT = 7682
keys, page = sys.argv[1:]


def own_page():
    with subprocess.Popen(["ttyd", "--port", str(PORT), "/bin/true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as ttyd:
        try:
            for _ in range(100):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=10) as answer:
                        return answer.read().decode()
                except OSError:
                    time.sleep(0.1)
        finally:
            ttyd.terminate()
    sys.exit("ttyd does not answer")


with open(keys, encoding="utf-8") as file:
    before, head, after = own_page().partition("<head>")
    if not head:
        # Another version may have another page: the terminal works without the keys.
        sys.exit("ttyd's page has no <head>: the terminal gets no keys for phones")
    whole = before + head + file.read() + after
with open(page, "w", encoding="utf-8") as file:
    file.write(whole)
