"""A hub at a local address: hub_server.py FOLDER [FAULTS] prints its port once it listens, and serves until its input ends.

FOLDER/ORGANIZATION/NAME/ has the files of a model's branch main, FOLDER/ORGANIZATION/NAME@REVISION/ those of another
revision. It answers as the public hub does: small files by itself with Git's SHA-1 as ETag, weights by a redirect to
another host (localhost in place of 127.0.0.1) with their SHA-256. Each request is a line of FOLDER/requests.jsonl.

FAULTS is JSON. By file: "cut" {FILE: [BYTES, …]}, connections that end after so many bytes, one after the other; "status"
{FILE: [STATUS, …]}, answers before the right one; "etag", "size", "contents", "location" {FILE: …}, lies about these;
"endless" [FILE, …]. For all: "private" [NAME, …] with "token"; "gated" [NAME, …]; "moved" {OLD: NEW}; "no_range",
"range_fails", "chunked", "no_commit" true; "retry_after" SECONDS.
"""
import hashlib
import http.server
import json
import os
import sys
import threading
from urllib.parse import quote, unquote, urlsplit

FOLDER = os.path.abspath(sys.argv[1])
FAULTS = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
LOCK = threading.Lock()


def fault(kind, file):
    """The fault of this kind for a file; of a list, the next one, or nothing after the last."""
    found = FAULTS.get(kind, {}).get(file)
    if not isinstance(found, list):
        return found
    with LOCK:
        return found.pop(0) if found else None


def is_large(file):
    return file.endswith((".safetensors", ".bin"))


def file_hash(file, content):
    if is_large(file):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def contents(folder):
    return {name: read(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}


def commit_of(folder):
    text = "".join(f"{name} {file_hash(name, content)}\n" for name, content in contents(folder).items())
    return hashlib.sha1(text.encode()).hexdigest()


def revisions(repository):
    """The folders of a repository by revision and by commit."""
    above, name = os.path.split(os.path.join(FOLDER, repository))
    found = {}
    if not os.path.isdir(above):
        return found
    for entry in os.listdir(above):
        folder = os.path.join(above, entry)
        if os.path.isdir(folder) and (entry == name or entry.startswith(name + "@")):
            found[entry[len(name) + 1:] or "main"] = found[commit_of(folder)] = folder
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # whoever asked has gone

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        parts = urlsplit(self.path)
        line = {"method": self.command, "path": parts.path, "query": parts.query, "host": self.headers["Host"],
                "authorization": self.headers["Authorization"], "range": self.headers["Range"]}
        with LOCK, open(os.path.join(FOLDER, "requests.jsonl"), "a") as log:
            log.write(json.dumps(line) + "\n")
        try:
            self.route(parts)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def route(self, parts):
        path = unquote(parts.path).lstrip("/")
        if path.startswith("storage/"):
            _, repository, commit, file = [unquote(part) for part in parts.path.lstrip("/").split("/")]
            return self.body(file, contents(revisions(repository)[commit])[file])
        for old, new in FAULTS.get("moved", {}).items():
            if path.startswith(old + "/"):
                return self.send(307, {"Location": "/" + new + parts.path[len(old) + 1:]})
        if path.startswith("api/models/"):
            return self.api(path[len("api/models/"):])
        repository, found, rest = path.partition("/resolve/")
        if not found:
            return self.send(404, {})
        # A revision may have separators, encoded in the address.
        revision, file = unquote(parts.path.split("/resolve/", 1)[1].split("/", 1)[0]), rest.rsplit("/", 1)[-1]
        folder = self.folder(repository, revision)
        if folder:
            self.resolve(repository, folder, file)

    def folder(self, repository, revision):
        """Where the files are; otherwise answers why there are none to be had."""
        known = revisions(repository)
        allowed = self.headers["Authorization"] == f"Bearer {FAULTS.get('token')}"
        if repository in FAULTS.get("gated", []) and not allowed:
            self.send(401, {"X-Error-Code": "GatedRepo"})
        elif not known or repository in FAULTS.get("private", []) and not allowed:
            self.send(404 if allowed else 401, {"X-Error-Code": "RepoNotFound"})
        elif revision not in known:
            self.send(404, {"X-Error-Code": "RevisionNotFound"})
        else:
            return known[revision]

    def api(self, path):
        for word in ("/revision/", "/tree/"):
            repository, found, revision = path.partition(word)
            if found:
                break
        folder = self.folder(repository, revision or "main")
        if not folder:
            return
        files = contents(folder)
        if word == "/tree/" and found:
            answer = [{"type": "file", "path": name, "size": len(content), "oid": file_hash("", content),
                       **({"lfs": {"oid": file_hash(name, content), "size": len(content), "pointerSize": 134}}
                          if is_large(name) else {})} for name, content in files.items()]
        else:
            answer = {"id": repository, "sha": commit_of(folder), "siblings": [{"rfilename": name} for name in files]}
        self.send(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def resolve(self, repository, folder, file):
        commit, files = commit_of(folder), contents(folder)
        status = fault("status", file)
        headers = {} if FAULTS.get("no_commit") else {"X-Repo-Commit": commit}
        if status:
            retry = FAULTS.get("retry_after")
            return self.send(status, {**headers, **({"Retry-After": str(retry)} if retry is not None else {})})
        location = fault("location", file)
        if location:
            return self.send(302, {**headers, "Location": location})
        if file not in files:
            return self.send(404, {**headers, "X-Error-Code": "EntryNotFound"})
        tag = FAULTS.get("etag", {}).get(file, file_hash(file, files[file]))
        headers["X-Linked-Size"] = str(FAULTS.get("size", {}).get(file, len(files[file])))
        if is_large(file):
            headers["X-Linked-ETag"] = f'"{tag}"'
            port = self.server.server_address[1]
            place = f"storage/{quote(repository, safe='')}/{commit}/{file}"
            headers["Location"] = f"http://localhost:{port}/{place}?Signature=secret"
            return self.send(302, headers)
        headers["ETag"] = f'"{tag}"'
        self.body(file, files[file], headers)

    def body(self, file, content, headers=None):
        content = FAULTS.get("contents", {}).get(file, content)
        content = content.encode() if isinstance(content, str) else content
        headers, status, start = dict(headers or {}), 200, 0
        asked = self.headers["Range"]
        if asked and FAULTS.get("range_fails"):
            FAULTS["range_fails"] = False
            return self.send(416, {"Content-Range": f"bytes */{len(content)}"})
        if asked and not FAULTS.get("no_range"):
            start = int(asked.removeprefix("bytes=").split("-")[0])
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        rest = content[start:]
        if file in FAULTS.get("endless", []) and self.command == "GET":
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            while True:
                self.wfile.write(bytes(1 << 16))
        cut = fault("cut", file) if self.command == "GET" else None
        self.send(status, headers, rest, cut)

    def send(self, status, headers, content=b"", cut=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        chunked = FAULTS.get("chunked") and self.command == "GET"
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut is not None:
            self.wfile.write(content[:cut])
            self.wfile.flush()
            self.close_connection = True
            return
        if chunked:
            content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
        self.wfile.write(content)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
