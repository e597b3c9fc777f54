//! Signatures of requests to S3 (AWS Signature Version 4).

use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use crate::endpoint::EndpointUrl;
use crate::secret::Secret;
use crate::text::hexadecimal;

/// What is signed with.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) region: String,
    pub(super) access_key: Secret,
    pub(super) secret_key: Secret,
}

/// A moment as signatures have it: `20260101T000000Z`.
pub(super) fn moment() -> String {
    jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string()
}

impl Keys {
    /// The headers that sign a request with this body; the query's parts must be in alphabetical order.
    pub(super) fn headers(&self, method: &str, url: &EndpointUrl, body: &[u8], moment: &str) -> HeaderMap {
        let hash = hexadecimal(&Sha256::digest(body));
        let (path, query) = url.target().split_once('?').unwrap_or((url.target(), ""));
        let signed = "host;x-amz-content-sha256;x-amz-date";
        let canonical = format!(
            "{method}\n{path}\n{query}\nhost:{}\nx-amz-content-sha256:{hash}\nx-amz-date:{moment}\n\n{signed}\n{hash}",
            url.authority()
        );
        let day = moment.get(..8).unwrap_or(moment);
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let digest = hexadecimal(&Sha256::digest(canonical.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}");
        let signature = hexadecimal(&mac(&self.key(day), text.as_bytes()));
        let access = self.access_key.expose();
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={signed}, Signature={signature}");
        let named =
            [("authorization", authorization), ("x-amz-content-sha256", hash), ("x-amz-date", moment.to_owned())];
        let header = |(name, value): (&'static str, String)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
        };
        named.into_iter().filter_map(header).collect()
    }

    fn key(&self, day: &str) -> Vec<u8> {
        let first = format!("AWS4{}", self.secret_key.expose()).into_bytes();
        [day, &self.region, "s3", "aws4_request"].iter().fold(first, |key, part| mac(&key, part.as_bytes()))
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length of key is taken");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example "GET Bucket Lifecycle" of the S3 documentation, "Authenticating Requests: Using the Authorization Header".
    #[test]
    fn a_request_is_signed_as_the_documentation_has_it() {
        let keys = Keys {
            region: "us-east-1".to_owned(),
            access_key: Secret::new("AKIAIOSFODNN7EXAMPLE".to_owned()),
            secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        };
        let url = EndpointUrl::parse("https://examplebucket.s3.amazonaws.com/?lifecycle=").unwrap();
        let headers = keys.headers("GET", &url, b"", "20130524T000000Z");
        let authorization = headers["authorization"].to_str().unwrap();
        let due = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
        assert!(authorization.ends_with(due), "{authorization}");
    }
}
