//! Certification authorities, made anew in each case with `openssl`, and what they sign.
//!
//! By `openssl` and not by a library, as programs that sign with an authority compute its key identifier themselves, as the
//! SHA-1 that RFC 5280 section 4.2.1.2 suggests, and mitmproxy's certificates are good only where that is what it has.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::hosts;

/// An authority, whose files are in a folder.
pub struct Authority {
    files: Files,
    folder: PathBuf,
}

/// The files of a certificate.
pub struct Files {
    /// The certificate; behind a signed one that of its issuer.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

const DAYS: &str = "60";

impl Authority {
    /// Makes `NAME.pem` and `NAME.key` in the folder.
    pub fn new(folder: &Path, name: &str, subject: &str) -> Self {
        let files = Files::named(folder, name);
        let mut command = openssl(&["req", "-x509", "-config", "/dev/stdin", "-subj", subject, "-days", DAYS]);
        hosts::fed(files.with_new_key(&mut command).arg("-out").arg(&files.certificate), AUTHORITY);
        Self { files, folder: folder.to_owned() }
    }

    /// Makes `NAME.pem`, with the authority's certificate behind the leaf's own, and `NAME.key`.
    pub fn sign(&self, name: &str, hosts: &[&str]) -> Files {
        self.sign_for_days(name, hosts, DAYS)
    }

    /// The same for so many days from now; for a negative number it is expired.
    pub fn sign_for_days(&self, name: &str, hosts: &[&str], days: &str) -> Files {
        let files = Files::named(&self.folder, name);
        let mut command = openssl(&["req", "-new", "-config", "/dev/stdin", "-subj", &format!("/CN={}", hosts[0])]);
        let request = hosts::fed(files.with_new_key(&mut command), AUTHORITY);
        let names: Vec<String> = hosts.iter().map(|host| format!("DNS:{host}")).collect();
        let extensions = self.folder.join(format!("{name}.ext"));
        std::fs::write(&extensions, format!("{LEAF}subjectAltName = {}\n", names.join(","))).expect("a file");
        let mut command = openssl(&["x509", "-req", "-days", days, "-extfile"]);
        command.arg(extensions).arg("-CA").arg(self.certificate()).arg("-CAkey").arg(self.key());
        let request = String::from_utf8(request.stdout).expect("PEM");
        let leaf = String::from_utf8(hosts::fed(&mut command, &request).stdout).expect("PEM");
        let issuer = std::fs::read_to_string(self.certificate()).expect("it was made");
        std::fs::write(&files.certificate, leaf + &issuer).expect("a chain");
        files
    }

    /// The file with its certificate.
    pub fn certificate(&self) -> &Path {
        &self.files.certificate
    }

    /// The file with its key.
    pub fn key(&self) -> &Path {
        &self.files.key
    }
}

impl Files {
    fn named(folder: &Path, name: &str) -> Self {
        Self { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) }
    }

    fn with_new_key<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]).arg(&self.key)
    }
}

const AUTHORITY: &str = "[req]
distinguished_name = name
x509_extensions = authority
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
";

const LEAF: &str = "basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
";

fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments);
    command
}
