"""Bill and balance of the account at Alibaba Cloud, by a key that may read them and nothing else.

https://www.alibabacloud.com/help/doc-detail/87997.htm (QueryAccountBalance)
https://www.alibabacloud.com/help/en/user-center/developer-reference/api-bssopenapi-2017-12-14-querybilloverview
"""
import base64
import calendar
import hashlib
import hmac
import json
import os
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, urlencode

from .money import warn
from .settings import read, say

EVERY = float(os.environ.get("NOTIFY_EVERY", "21600"))
AGAIN = min(EVERY, 900)
TIMEOUT = 30
# Billing cycles are those of Beijing.
BEIJING = timezone(timedelta(hours=8))
# Days of a month in which its own bill says too little of what a day costs: a bill comes a day late.
FEW_DAYS = 3
# Days of balance below which there is news.
LOW = 7


class Refused(Exception):
    """What the API answered in place of the bill: a code, without any key."""


def encoded(text):
    return quote(text, safe="~")


def signature(values, secret):
    """https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism"""
    query = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in sorted(values.items()))
    text = f"POST&{encoded('/')}&{encoded(query)}"
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()).decode()


def ask(endpoint, key, action, **more):
    """`Data` of the answer. @raises Refused"""
    values = {
        "Action": action, "Version": "2017-12-14", "Format": "JSON", "AccessKeyId": key["id"],
        "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": str(uuid.uuid4()),
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **more,
    }
    body = urlencode({**values, "Signature": signature(values, key["secret"])}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint, body), timeout=TIMEOUT) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        try:
            answer = json.load(error)
        except ValueError:
            answer = {}
        raise Refused(code_of(answer) or f"status {error.code}") from None
    except (OSError, ValueError):
        raise Refused("no answer") from None
    if not isinstance(answer, dict) or answer.get("Success") is False:
        raise Refused(code_of(answer) or "no usable answer")
    return answer["Data"]


def code_of(answer):
    code = answer.get("Code") if isinstance(answer, dict) else None
    return code if isinstance(code, str) and re.fullmatch(r"[\w.]{1,80}", code) else None


def number(text):
    return float(str(text).replace(",", ""))


def billed(endpoint, key, month):
    items = ask(endpoint, key, "QueryBillOverview", BillingCycle=month)["Items"]["Item"]
    return sum(number(item["PretaxAmount"]) for item in items)


def asked(endpoint, key, now):
    """Bill of the month so far, balance, and the days that it lasts."""
    there = datetime.fromtimestamp(now, BEIJING)
    begin = there.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    former = begin - timedelta(days=1)
    month, days = there.strftime("%Y-%m"), (there - begin).total_seconds() / 86400
    balance = ask(endpoint, key, "QueryAccountBalance")
    amount = all_of_it = billed(endpoint, key, month)
    if days < FEW_DAYS:
        more = billed(endpoint, key, former.strftime("%Y-%m"))
        if more > 0:
            all_of_it, days = amount + more, days + calendar.monthrange(former.year, former.month)[1]
    left = number(balance["AvailableAmount"])
    per_day = all_of_it / days if days > 0 else 0
    return {
        "month": month, "currency": str(balance["Currency"])[:8], "amount": round(amount, 2), "balance": round(left, 2),
        # An account that pays by card has no balance, and none of its days are counted.
        "days": int(left / per_day) if per_day > 0 and left > 0 else None,
    }


class Bill:
    """@param bill its part of the settings: endpoint and limit"""

    def __init__(self, bill, outbox, report):
        self.endpoint, self.limit = bill["endpoint"], bill.get("limit")
        self.key = json.loads(read("billing-key"))
        self.outbox, self.report = outbox, report
        self.said = ""

    def start(self):
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            time.sleep(EVERY if self.look(time.time()) else AGAIN)

    def look(self, now):
        """Whether it was answered."""
        try:
            found = asked(self.endpoint, self.key, now)
        except (Refused, LookupError, ValueError, TypeError) as error:
            words = str(error) if isinstance(error, Refused) else "no usable answer"
            if words != self.said:
                say(f"Alibaba Cloud does not tell the bill: {words}")
            self.said = words
            self.report.set("fault", words)
            return False
        self.said = ""
        self.report.set("fault", None)
        self.report.set("bill", {**found, "limit": self.limit})
        month, currency, amount = found["month"], found["currency"], found["amount"]
        body = f"{amount:.2f} of {self.limit or 0:.2f} {currency} so far, for the whole account. npm run ops -- cost says of what."
        warn(self.outbox, "bill", month, amount, self.limit, f"The bill of {month} has reached", body)
        days = found["days"]
        if days is not None and days < LOW:
            body = f"{found['balance']:.2f} {currency} are left. Without a balance Alibaba Cloud stops the machine."
            self.outbox.add(f"cost:balance:{month}", "cost", f"The balance lasts {days} days", body)
        return True
