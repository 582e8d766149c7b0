"""The notifier. `serve` runs it; `check` looks at the addresses, `test` sends to each, `status` says how it stands; `money` prints the
report of costs, `allow` opens the way to the models; `sign-ins` is the service that reads Authelia's database."""
import json
import os
import signal
import sys
import threading

from . import certificates, opencode, sign_ins, spending
from .bill import Bill
from .money import Report, open_report
from .outbox import Outbox
from .send import send
from .settings import place, read, say, settings, target_name, urls
from .spool import Spool

EVERY = float(os.environ.get("NOTIFY_LOOP", "1"))


def open_outbox(chosen, targets):
    return Outbox(place("/data/outbox.db"), targets, chosen)


def end_with_a_thread(failure):
    """A part that fails must not leave the others running as if nothing were missing: Docker starts all of it again."""
    threading.__excepthook__(failure)
    os._exit(1)


def serve(chosen, targets):
    threading.excepthook = end_with_a_thread
    outbox, report = open_outbox(chosen, targets), open_report()
    # Parts whose source is gone.
    for part, source in (("models", "sessions"), ("bill", "bill"), ("fault", "bill")):
        if not chosen.get(source):
            report.set(part, None)
    spools = [Spool(place("/queue"), outbox), Spool(place("/sign-ins"), outbox, "login")]
    if chosen.get("sessions"):
        password = read("server-password")
        speaker = {**chosen["sessions"], "password": password}
        opencode.Listener(speaker, outbox, chosen["details"]).start()
        spending.Spending(speaker, chosen["timeZone"], outbox, report).start()
    if chosen.get("bill"):
        Bill(chosen["bill"], outbox, report).start()
    if chosen.get("edge"):
        threading.Thread(target=certificates.run, args=(chosen["edge"], outbox), daemon=True).start()
    stop = threading.Event()
    # What is being sent is sent and written down before the end, so that it is not sent again.
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    sender = threading.Thread(target=deliver, args=(outbox, targets, stop))
    sender.start()
    say(f"news goes to {len(targets)} addresses")
    healthy = place("/tmp/healthy")
    while not stop.is_set():
        for spool in spools:
            spool.take()
        if outbox.healthy():
            with open(healthy, "w", encoding="utf-8"):
                pass
        elif os.path.exists(healthy):
            os.unlink(healthy)
        stop.wait(EVERY)
    sender.join()
    return 0


def deliver(outbox, targets, stop):
    # One after the other: each takes memory of its own.
    while not stop.is_set():
        due = outbox.next()
        if due is None:
            stop.wait(EVERY)
            continue
        target, ids, title, body = due
        outbox.settle(target, ids, send(targets[target], title, body))


def each(targets, title, check):
    """Says of each address what came of it; the exit code."""
    failed = False
    for target, url in targets.items():
        reason = send(url, title, "This message was sent by npm run ops -- notify test.", check)
        say(f"{target}: {reason or ('fine' if check else 'taken')}")
        failed = failed or reason is not None
    return int(failed)


def main():
    action = sys.argv[1] if len(sys.argv) > 1 else "serve"
    if action == "sign-ins":
        return sign_ins.run()
    chosen = settings()
    targets = {target_name(index, url): url for index, url in enumerate(urls())}
    if action == "check":
        return each(targets, "", True)
    if action == "test":
        return each(targets, "cloudcode: a test", False)
    if action == "status":
        say(Outbox.read(place("/data/outbox.db"), targets))
        return 0
    if action == "money":
        say(json.dumps(Report.read(place("/money/report.json"))))
        return 0
    if action == "allow":
        spending.allow(chosen["timeZone"])
        return 0
    return serve(chosen, targets)


sys.exit(main())
