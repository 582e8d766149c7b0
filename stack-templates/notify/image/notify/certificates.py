"""Looks at the certificates that the edge shows, and tells when one is not trusted any more or comes from another authority."""
import json
import os
import socket
import ssl
import time

EVERY = float(os.environ.get("NOTIFY_EVERY", "600"))
TIMEOUT = 15


def seen(address, name, root):
    """(whether it is trusted, the authority or what is wrong with it) of a name. @raises OSError where the edge does not answer"""
    context = ssl.create_default_context()
    if root:
        context.load_verify_locations(root)
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), TIMEOUT) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name) as secured:
                issuer = dict(pair for part in secured.getpeercert()["issuer"] for pair in part)
                return True, issuer.get("organizationName") or issuer.get("commonName") or "an authority without a name"
        except ssl.SSLCertVerificationError as error:
            return False, error.verify_message


def look(edge, outbox):
    """News since the look before. One that is not trusted must be so twice: the first certificate of a name takes a moment."""
    fallen, back, moved = [], [], []
    for name in edge["names"]:
        try:
            trusted, words = seen(edge["address"], name, edge.get("root"))
        except OSError:
            continue
        key = f"certificate {name}"
        before = json.loads(outbox.fact(key) or "null") or {"told": False, "untrusted": 0, "authority": None}
        after = dict(before, untrusted=0 if trusted else before["untrusted"] + 1)
        if trusted:
            if before["told"]:
                back.append(f"{name}: {words}")
            elif before["authority"] not in (None, words):
                moved.append(f"{name}: {words}, before it was {before['authority']}")
            after.update(told=False, authority=words)
        elif after["untrusted"] >= 2 and not before["told"]:
            fallen.append(f"{name}: {words}")
            after["told"] = True
        if after != before:
            outbox.fact(key, json.dumps(after))
    stamp = time.time_ns()
    for id, title, names in (
        ("fallen", "Certificates that no browser trusts", fallen),
        ("back", "Certificates are trusted again", back),
        ("moved", "Certificates come from another authority", moved),
    ):
        if names:
            outbox.add(f"certificate:{id}:{stamp}", "certificate", title, "\n".join([*names, *(["npm run ops -- status says more"] if id == "fallen" else [])]))


def run(edge, outbox):
    while True:
        look(edge, outbox)
        time.sleep(EVERY)
