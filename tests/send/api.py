"""A small API of media: a form is posted, JSON with an id comes back, and the id is fetched and deleted.

  api.py PORT MOST_BYTES TOKEN
"""
import email.parser
import email.policy
import itertools
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, MOST_BYTES, TOKEN = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
ids, media = itertools.count(1), {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_expect_100(self):
        return self.allowed() and super().handle_expect_100()

    def allowed(self):
        length = self.headers["content-length"]
        if self.headers["authorization"] != TOKEN:
            return self.say(401, {"error": "who are you"})
        if self.command == "POST" and length is None:
            return self.say(411, {"error": "no length"})
        if int(length or 0) > MOST_BYTES:
            return self.say(413, {"error": "too large"})
        return True

    def do_POST(self):
        if self.headers["expect"] or self.allowed():
            body = self.rfile.read(int(self.headers["content-length"]))
            head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
            form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
            parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
            if parts["product"].get_content().strip() != "whatsapp":
                return self.say(400, {"error": "which product"})
            name = str(next(ids))
            # The library means well with line ends of texts.
            marker = b"\r\n\r\n"
            raw = body[body.index(b'name="file"') :]
            raw = raw[raw.index(marker) + 4 : raw.rindex(b"\r\n--")]
            media[name] = (parts["file"].get_content_type(), raw)
            self.say(201, {"media": [{"id": name}]})

    def do_GET(self):
        found = media.get(self.path.rsplit("/", 1)[-1])
        if not found:
            return self.say(404, {"error": "no such media"})
        self.say(200, found[1], found[0])

    def do_DELETE(self):
        known = self.allowed() and media.pop(self.path.rsplit("/", 1)[-1], None)
        if known:
            self.say(200, {"left": len(media)})

    def say(self, status, content, kind="application/json"):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if status >= 400:
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        print(self.requestline, len(media), flush=True)


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
