"""Takes what is posted: one JSON document in a line for each, with path and headers.

receiver.py PORT FILE [hang]: with `hang` it reads and never answers.
"""
import http.server
import json
import sys
import threading

port, file = int(sys.argv[1]), sys.argv[2]
hangs = len(sys.argv) > 3


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        with open(file, "a") as out:
            print(json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body}), file=out)
        if hangs:
            threading.Event().wait()
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
