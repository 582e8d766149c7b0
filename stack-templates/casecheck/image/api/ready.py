"""Ready once a login is refused: unlike /health, that answer needs the database."""
import json
import sys
import urllib.error
import urllib.request

body = json.dumps({"username": "-", "password": "-"}).encode()
request = urllib.request.Request("http://127.0.0.1:8000/v1/auth/login", body, {"Content-Type": "application/json"})
try:
    urllib.request.urlopen(request, timeout=8)
except urllib.error.HTTPError as answer:
    sys.exit(0 if answer.code == 401 else f"a login was answered with {answer.code}")
sys.exit("a login that must be refused was accepted")
