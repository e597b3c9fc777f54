//! The body of a form with a file in it (RFC 7578).

/// What stands before and behind the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartForm {
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// Noise of ours never holds a line that begins with this.
const BOUNDARY: &str = "egressd-form-7f2b1c9d0e5a4836";

impl MultipartForm {
    /// A form with these fields, and the file's field last.
    #[must_use]
    pub fn new(fields: &[(String, String)], field: &str, name: &str, media_type: &str) -> Self {
        let disposition = "Content-Disposition: form-data; name=";
        let part =
            |(name, value): &(String, String)| format!("--{BOUNDARY}\r\n{disposition}\"{name}\"\r\n\r\n{value}\r\n");
        let file = format!(
            "--{BOUNDARY}\r\n{disposition}\"{field}\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
        );
        let head: String = fields.iter().map(part).chain([file]).collect();
        Self { head: head.into_bytes(), tail: format!("\r\n--{BOUNDARY}--\r\n").into_bytes() }
    }

    /// The `Content-Type` of the request.
    #[must_use]
    pub fn media_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The body.
    #[must_use]
    pub fn around(&self, file: &[u8]) -> Vec<u8> {
        [&self.head, file, &self.tail].concat()
    }

    /// What the form adds to the file.
    #[must_use]
    pub fn overhead_bytes(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64
    }
}

/// As a part of a URL: all but what needs no encoding (RFC 3986, 2.3).
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}
