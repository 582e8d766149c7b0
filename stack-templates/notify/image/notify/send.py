"""Sends one message to one address, in a process of its own: Apprise takes 50 MiB, which end with it.

Reads {"url", "title", "body"} on standard input, so that no address is on a command line, and prints {"reason"}: why it was not taken,
or null. What Apprise logs holds addresses and is shown to nobody but in the cleaned reason.
"""
import json
import logging
import re
import subprocess
import sys
from urllib.parse import unquote

SECONDS = 45
# Servers of one's own, which need not say anything.
OWN_SERVERS = ("json", "jsons", "form", "forms", "xml", "xmls")
# Services that answer 200 whatever they think of a message, by Apprise's scheme, and say it by this key of the body. Apprise looks at
# some of them; Feishu and Lark it does by `code`, and older robots of theirs answer with StatusCode.
# https://open.dingtalk.com/document/robots/custom-robot-access
# https://developer.work.weixin.qq.com/document/path/91770
# https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
# https://github.com/Finb/bark-server/blob/master/docs/API_V2.md
# https://github.com/easychen/pushdeer
# https://sct.ftqq.com/ (0 is its success)
CODES = {
    **dict.fromkeys(("dingtalk", "wecombot", "wecom", "wechat"), ("errcode",)),
    **dict.fromkeys(("feishu", "lark"), ("code", "StatusCode")),
    **dict.fromkeys(("bark", "barks", "pushdeer", "pushdeers", "pushplus"), ("code",)),
    "schan": ("code", "errno"),
    **dict.fromkeys(OWN_SERVERS, ("errcode", "code", "StatusCode")),
}
# Robots of these may want a keyword in each message.
KEYWORD = ("dingtalk", "feishu", "lark")
FINE = (None, 0, 200, "0", "200")
WORDS = ("errmsg", "msg", "StatusMessage", "message", "error", "description")


def refusal(scheme, body):
    """What the body of an answer with status 2xx says against the message; None: nothing."""
    try:
        answer = json.loads(body.decode("utf-8-sig", "replace"))
    except ValueError:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    if scheme in CODES and scheme not in OWN_SERVERS and all(answer.get(key) is None for key in CODES[scheme]):
        # The page of a gate or a proxy before it, say.
        return "its answer is not that of the service"
    codes = [answer.get(key) for key in CODES.get(scheme, ()) if answer.get(key) not in FINE]
    if not codes and answer.get("ok") is not False and answer.get("success") is not False:
        return None
    words = next((answer[key] for key in WORDS if isinstance(answer.get(key), str)), "no reason")
    return f"{codes[0] if codes else 'no code'}: {words}"


def cleaned(text, url):
    """A reason without anything of the address but its scheme, and without control characters."""
    scheme, _, rest = url.partition("://")
    parts = {part for form in (rest, unquote(rest)) for part in re.split(r"[^\w-]+", form) if len(part) > 3}
    for part in sorted(parts, key=len, reverse=True):
        if part.lower() != scheme.lower():
            text = text.replace(part, "…")
    text = re.sub(r"[\w-]{20,}", "…", text)
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text)[:300].strip()


def opened(url):
    """Apprise with this address alone; None where it does not take the address."""
    import apprise

    logging.getLogger("apprise").propagate = False
    sender = apprise.Apprise(asset=apprise.AppriseAsset(app_id="cloudcode", app_desc="cloudcode", app_url=""))
    return sender if sender.add(url) else None


def main():
    order = json.load(sys.stdin)
    url = order["url"]
    scheme = url.split("://", 1)[0].lower()
    said = []

    class Keep(logging.Handler):
        def emit(self, record):
            said.append(record.getMessage())

    logger = logging.getLogger("apprise")
    logger.addHandler(Keep(logging.WARNING))
    sender = opened(url)
    if order.get("check") or sender is None:
        print(json.dumps({"reason": None if sender else "is not an address that Apprise takes"}))
        return
    import requests

    send = requests.Session.send

    def judged(self, request, **options):
        response = send(self, request, **options)
        reason = refusal(scheme, response.content) if response.ok and not options.get("stream") else None
        if reason is not None:
            said.append(reason)
            # To Apprise it is a refusal as any other.
            response.status_code = 422
        return response

    requests.Session.send = judged
    # No service takes a title alone.
    title, body = (order["title"], order["body"]) if order["body"] else ("cloudcode", order["title"])
    if scheme in KEYWORD and "cloudcode" not in title + body:
        body += "\n— cloudcode"
    taken = sender.notify(title=title, body=body, body_format="text")
    words = said[0] if said else "it was not taken"
    print(json.dumps({"reason": None if taken else cleaned(words, url)}))


def send(url, title, body, check=False):
    """Sends by a process of its own. Returns why it was not taken, or None."""
    order = json.dumps({"url": url, "title": title, "body": body, "check": check})
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "notify.send"],
            input=order, capture_output=True, text=True, timeout=SECONDS, check=False,
        )
        return json.loads(ran.stdout.splitlines()[-1])["reason"]
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS} s"
    except (IndexError, ValueError, KeyError):
        return "the process that sends it failed"


if __name__ == "__main__":
    main()
