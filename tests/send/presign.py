"""A presigned URL of S3 (AWS Signature Version 4, query parameters).

  presign.py METHOD HOST PATH ACCESS_KEY SECRET_KEY AGE_SECONDS
"""
import datetime
import hashlib
import hmac
import sys
from urllib.parse import quote

method, host, path, access, secret, age = sys.argv[1:]
now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=int(age))
moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
scope = f"{day}/us-east-1/s3/aws4_request"
query = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": f"{access}/{scope}",
    "X-Amz-Date": moment,
    "X-Amz-Expires": "600",
    "X-Amz-SignedHeaders": "host",
}
text = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted(query.items()))
canonical = f"{method}\n{path}\n{text}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
key = f"AWS4{secret}".encode()
for part in (day, "us-east-1", "s3", "aws4_request"):
    key = hmac.new(key, part.encode(), hashlib.sha256).digest()
signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
print(f"http://{host}{path}?{text}&X-Amz-Signature={signature}", end="")
