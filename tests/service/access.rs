//! Beyond this host: TLS, names and passwords, tokens, and what happens without them.

use crate::certificate::Authority;
use crate::site::{Answer, Site};

/// The client's address on the line to the firewall, which other hosts reach.
const OUTSIDE: &str = "10.9.1.2";

/// What reads `/metrics` over TLS with these arguments comes to.
fn ask(site: &Site, arguments: &[&str]) -> Option<Answer> {
    let authority = site.path("site.pem");
    let resolve = format!("watch.example:9817:{OUTSIDE}");
    let fixed = ["--cacert", &authority, "--resolve", &resolve, "https://watch.example:9817/metrics"];
    site.curl(&[arguments, &fixed[..]].concat())
}

fn status(site: &Site, arguments: &[&str]) -> Option<u16> {
    ask(site, arguments).map(|answer| answer.status)
}

/// Files as an admin makes them: `htpasswd -B`, `sha256sum`, and a certificate of an authority of the company's own.
fn prepared() -> (Site, String) {
    let site = Site::build();
    let authority = Authority::new(site.folder.path(), "site", "/CN=Example Corp CA");
    let leaf = authority.sign("server", &["watch.example"]);
    let passwords = site.path("passwords");
    site.succeed("htpasswd", &["-cbB", "-C", "10", &passwords, "ops", "hunter2"]);
    let digest = site.succeed("sh", &["-c", "printf %s s3cret | sha256sum"]);
    let tokens = site.write("tokens", &format!("# scrapers\n{}", digest.replace('-', "prometheus")));
    let listen = format!("[http]\nlisten = [\"{OUTSIDE}:9817\", \"127.0.0.1:9817\"]\n");
    let (certificate, key) = (leaf.certificate.display(), leaf.key.display());
    let guarded = format!(
        "certificate = \"{certificate}\"\nkey = \"{key}\"\npasswords = \"{passwords}\"\ntokens = \"{tokens}\"\n"
    );
    (site, listen + &guarded)
}

pub fn guarded() -> String {
    let (mut site, section) = prepared();
    site.serve(&section);
    assert_eq!(status(&site, &["-u", "ops:hunter2"]), Some(200));
    assert_eq!(status(&site, &["-H", "Authorization: Bearer s3cret"]), Some(200));
    assert_eq!(status(&site, &["--tlsv1.3", "-u", "ops:hunter2"]), Some(200));
    assert_eq!(status(&site, &["--tls-max", "1.1", "-u", "ops:hunter2"]), None, "too old");
    for wrong in [&["-u", "ops:hunter3"][..], &["-u", "root:hunter2"], &["-H", "Authorization: Bearer s3cre"], &[]] {
        let answer = ask(&site, wrong).expect("an answer");
        assert_eq!(answer.status, 401, "{wrong:?}");
        assert!(answer.header("www-authenticate").contains("realm=\"egressd\""));
    }
    let health = ["--cacert", &site.path("site.pem"), "--resolve", "watch.example:9817:127.0.0.1"];
    let asked = site.curl(&[&health[..], &["https://watch.example:9817/healthz"]].concat());
    assert_eq!(asked.expect("an answer").status, 200, "an orchestrator has no name");
    assert!(site.curl(&[&format!("http://{OUTSIDE}:9817/metrics")]).is_none(), "nothing is said in the clear");
    site.succeed("python3", &["-c", GUESSES, &site.path("site.pem")])
}

/// Twenty guesses at once, and beside them somebody who is known: prints how long the latter waited at the most.
const GUESSES: &str = r#"
import base64, http.client, ssl, sys, threading, time
context = ssl.create_default_context(cafile=sys.argv[1])
context.check_hostname = False
def ask(pair):
    client = http.client.HTTPSConnection("127.0.0.1", 9817, context=context, timeout=30)
    client.request("GET", "/metrics", headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})
    return client.getresponse().status
guesses = [threading.Thread(target=lambda n=n: statuses.append(ask(f"ops:{n}"))) for n in range(20)]
statuses, waits = [], []
for guess in guesses: guess.start()
for _ in range(20):
    began = time.monotonic()
    assert ask("ops:hunter2") == 200
    waits.append(time.monotonic() - began)
for guess in guesses: guess.join()
assert 429 in statuses and 200 not in statuses, statuses
assert max(waits) < 2, waits
print(f"{statuses.count(429)} of 20 guesses not tried, known clients within {max(waits):.2f} s", end="")
"#;

/// Another certificate and other passwords are in force after SIGHUP; wrong files leave the old ones.
pub fn reloaded() -> String {
    let (mut site, section) = prepared();
    site.serve(&section);
    assert_eq!(status(&site, &["-u", "ops:hunter2"]), Some(200));
    let serial = |site: &Site| {
        let asked =
            format!("openssl s_client -connect {OUTSIDE}:9817 </dev/null 2>/dev/null | openssl x509 -noout -serial");
        site.succeed("sh", &["-c", &asked])
    };
    let before = serial(&site);
    let process = site.process();
    site.write("passwords", "broken\n");
    site.succeed("kill", &["-HUP", &process]);
    site.wait("an error", || site.logs().contains("passwords line 1"));
    assert_eq!(status(&site, &["-u", "ops:hunter2"]), Some(200), "the old ones stay");
    let authority = Authority::new(site.folder.path(), "site", "/CN=Example Corp CA");
    authority.sign("server", &["watch.example"]);
    site.succeed("htpasswd", &["-cbB", "-C", "4", &site.path("passwords"), "new", "word"]);
    site.succeed("kill", &["-HUP", &process]);
    site.wait("the new password", || status(&site, &["-u", "new:word"]) == Some(200));
    assert_eq!(status(&site, &["-u", "ops:hunter2"]), Some(401));
    assert_ne!(serial(&site), before);
    String::new()
}

/// Without TLS or without names other hosts are not served, unless told so explicitly.
pub fn refused() -> String {
    let (mut site, section) = prepared();
    let program = crate::runner::program();
    let program = program.to_str().expect("UTF-8");
    let without = |key: &str| section.lines().filter(|line| !line.starts_with(key)).collect::<Vec<_>>().join("\n");
    for unguarded in [
        format!("[http]\nlisten = [\"{OUTSIDE}:9817\"]\n"),
        "[http]\nlisten = [\"0.0.0.0:9817\"]\n".to_owned(),
        without("passwords").replace("tokens", "# tokens"),
        without("certificate").replace("key =", "# key ="),
    ] {
        let file = site.configure(&unguarded);
        let output = site.run("timeout", &["20", program, "run", "--config", &file]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{unguarded}: {said}");
        assert!(said.contains("must be a loopback address"), "{said}");
    }
    for (name, content) in
        [("passwords", "ops:plain\n"), ("passwords", ""), ("tokens", "short\n"), ("server.key", "none")]
    {
        let sound = std::fs::read(site.path(name)).expect("it was made");
        site.write(name, content);
        let file = site.configure(&section);
        let output = site.run("timeout", &["20", program, "run", "--config", &file]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(name), "{name}: {said}");
        std::fs::write(site.path(name), sound).expect("as it was");
    }
    site.serve(&format!("[http]\nlisten = [\"{OUTSIDE}:9817\"]\ninsecure = true\n"));
    let answer = site.curl(&[&format!("http://{OUTSIDE}:9817/healthz")]).expect("an answer");
    assert_eq!(answer.status, 200);
    String::new()
}
