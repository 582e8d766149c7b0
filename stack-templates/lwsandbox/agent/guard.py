"""An agent's way to sandboxes: the part of liteboxd's API that makes, uses and deletes sandboxes of the agent's own, in liteboxd's own form.

Whoever asks sends this program's key, not liteboxd's, which it reads anew for each request. The agent sees no other sandbox, changes no
template, and reaches neither logins nor keys. Each of its sandboxes ends by itself; it can have a certain number at a time.

usage: guard.py SERVER PORT MOST [OWN_KEY FOLDER]
"""
import hmac
import http.client
import http.server
import json
import os
import re
import signal
import sys
import threading
from urllib.parse import parse_qs, quote, urlsplit

server, port, most = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
own_key_file, folder = sys.argv[4:] or ("/run/secrets/agent-key", "/key")
address = urlsplit(server)

# By this variable a sandbox is the agent's. Only the operator can make others with it, by a template.
MARK = "CLOUDCODE_AGENT"
SHORTEST, USUAL, LONGEST = 60, 3600, 86_400
LONGEST_COMMAND = 3600
MOST_ASKED = 1 << 20
MOST_FILE = 64 << 20
MOST_LIST = 16 << 20
PIECE = 1 << 16
FORM = re.compile(r"lbxk_[0-9A-Za-z_-]{20,200}")
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SANDBOX = re.compile(r"/api/v1/sandboxes/([a-z0-9-]{1,63})(?:/(exec|files|logs))?")
TEMPLATE = re.compile(r"/api/v1/templates/([a-z0-9-]{1,63})")
# What an agent is told of a template and of a sandbox.
OF_TEMPLATE = ("name", "displayName", "description", "tags", "latestVersion")
OF_SPEC = ("image", "resources", "ttl", "network")
NOT_OF_SANDBOX = ("accessToken", "accessUrl", "pod_ip")

making = threading.Lock()
# Each costs memory.
slots = threading.BoundedSemaphore(24)


class Refusal(Exception):
    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def liteboxd_key():
    key = read(os.path.join(folder, "key"))
    if not FORM.fullmatch(key):
        problem = read(os.path.join(folder, "problem"))
        raise Refusal(503, problem or "lwsandbox is starting: try again in a minute")
    return key


class Upstream:
    """One request to liteboxd."""

    def __init__(self, method, path, *, body=None, headers=None, timeout=120):
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)
        sent = {"authorization": f"Bearer {liteboxd_key()}", **(headers or {})}
        try:
            self.connection.request(method, path, body=body, headers=sent)
            self.response = self.connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise Refusal(502, "lwsandbox does not answer: try again in a minute") from error
        self.status = self.response.status
        if self.status == 401:
            self.connection.close()
            raise Refusal(503, "lwsandbox's key is being renewed: try again in a minute")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


def asked(method, path, body=None, timeout=120):
    """Status and JSON of an answer that is read whole."""
    text = None if body is None else json.dumps(body)
    headers = {} if text is None else {"content-type": "application/json"}
    with Upstream(method, path, body=text, headers=headers, timeout=timeout) as upstream:
        content = upstream.response.read(MOST_LIST + 1)
    try:
        if len(content) > MOST_LIST:
            raise ValueError
        return upstream.status, json.loads(content) if content else None
    except ValueError as error:
        raise Refusal(502, "lwsandbox's answer could not be read") from error


def of_agent(sandbox):
    return isinstance(sandbox, dict) and isinstance(sandbox.get("env"), dict) and sandbox["env"].get(MARK) == "1"


def shown(sandbox):
    told = {name: value for name, value in sandbox.items() if name not in NOT_OF_SANDBOX}
    return {**told, "env": {name: value for name, value in sandbox["env"].items() if name != MARK}}


def shown_template(template):
    spec = template.get("spec") if isinstance(template.get("spec"), dict) else {}
    told = {name: template[name] for name in OF_TEMPLATE if name in template}
    return {**told, "spec": {name: spec[name] for name in OF_SPEC if name in spec}}


def own_sandboxes():
    status, known = asked("GET", "/api/v1/sandboxes?include_terminating=false")
    if status != 200 or not isinstance(known, dict):
        raise Refusal(502, f"lwsandbox answers {status} to the question for its sandboxes")
    return [one for one in known.get("items") or [] if of_agent(one)]


def own_sandbox(sandbox_id):
    status, known = asked("GET", f"/api/v1/sandboxes/{sandbox_id}")
    if status == 200 and of_agent(known):
        return known
    raise Refusal(404, "sandbox not found")


def public_template(name):
    status, known = asked("GET", f"/api/v1/templates/{name}")
    if status == 200 and isinstance(known, dict) and known.get("isPublic") is not False:
        return known
    raise Refusal(404, f"template '{name}' not found")


def whole(value, least, greatest, words):
    if type(value) is not int or not least <= value <= greatest:
        raise Refusal(400, f"{words} is a whole number of seconds from {least} to {greatest}")
    return value


def only(value, names, words):
    if not isinstance(value, dict) or set(value) - set(names):
        raise Refusal(400, f"{words} takes {', '.join(names)} alone")
    return value


def wanted_sandbox(given):
    """What liteboxd is asked for: an own one, that ends, with the resources and the network of its template."""
    given = only(given, ("template", "templateVersion", "overrides"), "a sandbox")
    name, version = given.get("template"), given.get("templateVersion")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Refusal(400, "template is the name of a template")
    overrides = only({} if given.get("overrides") is None else given["overrides"], ("ttl", "env"), "overrides")
    env = {} if overrides.get("env") is None else overrides["env"]
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        raise Refusal(400, "env is an object of texts")
    ttl = overrides.get("ttl")
    public_template(name)
    wanted = {
        "template": name,
        "overrides": {
            "ttl": USUAL if ttl is None else whole(ttl, SHORTEST, LONGEST, "ttl"),
            "env": {**env, MARK: "1"},
        },
    }
    if type(version) is int and version > 0:
        wanted["templateVersion"] = version
    return wanted


def make(given):
    wanted = wanted_sandbox(given)
    with making:
        alive = [one for one in own_sandboxes() if one.get("status") not in ("terminating", "succeeded", "failed")]
        if len(alive) >= most:
            raise Refusal(429, f"there are {len(alive)} sandboxes already, as many as opencodeSandboxes allows: delete one first")
        status, made = asked("POST", "/api/v1/sandboxes", wanted)
    return status, shown(made) if status == 201 and of_agent(made) else made


def execute(sandbox_id, given):
    given = only(given, ("command", "timeout"), "exec")
    command = given.get("command")
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        raise Refusal(400, "command is a list of words")
    timeout = given.get("timeout")
    seconds = 30 if timeout is None else whole(timeout, 1, LONGEST_COMMAND, "timeout")
    own_sandbox(sandbox_id)
    words = json.dumps({"command": command, "timeout": seconds})
    headers = {"content-type": "application/json"}
    return Upstream("POST", f"/api/v1/sandboxes/{sandbox_id}/exec", body=words, headers=headers, timeout=seconds + 60)


class Part:
    """The rest of a request, of a known length, for http.client to send on."""

    def __init__(self, stream, length):
        self.stream, self.left = stream, length

    def read(self, size=-1):
        data = self.stream.read(min(self.left, PIECE if size < 0 else size))
        if not data and self.left:
            raise OSError("the request ended early")
        self.left -= len(data)
        return data


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "agent", ""
    # For what is sent and read here; liteboxd's own time does not count.
    timeout = 60

    def log_message(self, *_):
        """Paths of files are nobody's business."""

    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def pass_on(self, upstream):
        """An answer as it comes."""
        with upstream:
            self.send_response(upstream.status)
            self.send_header("content-type", upstream.response.getheader("content-type") or "application/octet-stream")
            length = upstream.response.getheader("content-length")
            if length is not None:
                self.send_header("content-length", length)
            self.send_header("connection", "close")
            self.end_headers()
            while piece := upstream.response.read(PIECE):
                self.wfile.write(piece)

    def length(self, greatest):
        text = self.headers.get("content-length") or ""
        if self.headers.get("transfer-encoding") is not None or not re.fullmatch(r"\d{1,10}", text):
            raise Refusal(411, "a body has a content-length")
        if int(text) > greatest:
            raise Refusal(413, f"a body has at most {greatest} bytes")
        return int(text)

    def json(self):
        try:
            return json.loads(self.rfile.read(self.length(MOST_ASKED)))
        except ValueError as error:
            raise Refusal(400, "the body is not JSON") from error

    def admitted(self):
        given = self.headers.get_all("authorization") or []
        own = read(own_key_file)
        return len(given) == 1 and own != "" and hmac.compare_digest(given[0].encode("latin-1", "replace"), f"Bearer {own}".encode())

    def answer(self):
        self.close_connection = True
        if not slots.acquire(blocking=False):
            self.say(503, {"error": "too many requests at a time"})
            return
        try:
            path, _, query = self.path.partition("?")
            if self.command == "GET" and path == "/health":
                self.say(200, {"status": "ok"})
            elif not self.admitted():
                self.say(401, {"error": "authentication required"})
            else:
                self.route(path, query)
        except Refusal as refusal:
            self.say(refusal.status, {"error": str(refusal)})
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        finally:
            slots.release()

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = answer

    def route(self, path, query):
        method = self.command
        sandbox, template = SANDBOX.fullmatch(path), TEMPLATE.fullmatch(path)
        if (method, path) == ("GET", "/api/v1/auth/me"):
            self.say(200, {"auth_method": "api_key"})
        elif (method, path) == ("GET", "/api/v1/templates"):
            status, known = asked("GET", "/api/v1/templates?pageSize=100")
            items = known.get("items") or [] if status == 200 and isinstance(known, dict) else []
            told = [shown_template(one) for one in items if one.get("isPublic") is not False]
            self.say(200 if status == 200 else 502, {"items": told, "total": len(told), "page": 1, "pageSize": 100})
        elif method == "GET" and template:
            self.say(200, shown_template(public_template(template[1])))
        elif (method, path) == ("GET", "/api/v1/sandboxes"):
            self.say(200, {"items": [shown(one) for one in own_sandboxes()]})
        elif (method, path) == ("POST", "/api/v1/sandboxes"):
            self.say(*make(self.json()))
        elif sandbox and (method, sandbox[2]) == ("POST", "exec"):
            self.pass_on(execute(sandbox[1], self.json()))
        elif sandbox and sandbox[2] == "files" and method in ("GET", "POST"):
            self.files(sandbox[1], query)
        elif sandbox and (method, sandbox[2]) == ("GET", "logs"):
            own_sandbox(sandbox[1])
            self.pass_on(Upstream("GET", path))
        elif sandbox and sandbox[2] is None and method in ("GET", "DELETE"):
            known = own_sandbox(sandbox[1])
            status, told = (200, known) if method == "GET" else asked("DELETE", path)
            self.say(status, shown(told) if of_agent(told) else told)
        else:
            self.say(403, {"error": "an agent may not do this"})

    def files(self, sandbox_id, query):
        path = f"/api/v1/sandboxes/{sandbox_id}/files"
        own_sandbox(sandbox_id)
        if self.command == "GET":
            names = parse_qs(query).get("path") or [""]
            self.pass_on(Upstream("GET", f"{path}?path={quote(names[0], safe='')}"))
            return
        length = self.length(MOST_FILE)
        headers = {"content-type": self.headers.get("content-type") or "", "content-length": str(length)}
        self.pass_on(Upstream("POST", path, body=Part(self.rfile, length), headers=headers))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        error = sys.exc_info()[1]
        print(f"a request failed: {type(error).__name__}", file=sys.stderr, flush=True)


# As the first process of its container it would not hear it otherwise.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
Server(("", port), Handler).serve_forever()
