"""What mitmproxy does to each request besides opening it up: `--set way=...`."""
from mitmproxy import ctx, http

PAGE = b"""<html><head><title>Access Denied</title></head>
<body><h1>Web Page Blocked</h1><p>This category is not allowed by the policy of Example Corp.</p></body></html>
"""
HTML = {"content-type": "text/html"}


class Way:
    def load(self, loader):
        loader.add_option("way", str, "watch", "what to do")

    def request(self, flow):
        match ctx.options.way:
            case "page_200":
                flow.response = http.Response.make(200, PAGE, HTML)
            case "page_403":
                flow.response = http.Response.make(403, PAGE, HTML)
            case "page_302":
                where = {"location": "https://block.corp.example/blocked?category=file-sharing"}
                flow.response = http.Response.make(302, b"", where)

    def response(self, flow):
        body = flow.response.content or b""
        match ctx.options.way:
            case "change":
                flow.response.content = body[:-1] + bytes([body[-1] ^ 1])
            case "shorten":
                flow.response.content = body[: len(body) // 2]


addons = [Way()]
