use std::time::Instant;

use jiff::civil::date;

use super::*;

/// A world of two names, on a Saturday evening.
struct World;

impl Surroundings for World {
    fn resolve(&self, name: &str) -> Vec<IpAddr> {
        let addresses: &[&str] = match name {
            "www.example.com" => &["2001:db8::80", "192.0.2.80", "192.0.2.81"],
            "six.example.com" => &["2001:db8::6"],
            _ => &[],
        };
        addresses.iter().map(|address| address.parse().unwrap()).collect()
    }

    fn own_addresses(&self) -> Vec<IpAddr> {
        vec!["fe80::1".parse().unwrap(), "10.0.0.7".parse().unwrap()]
    }

    fn moment(&self) -> Moment {
        Moment { local: date(2026, 11, 21).at(23, 30, 0, 0), gmt: date(2026, 11, 22).at(4, 30, 0, 0) }
    }
}

/// A host without names and addresses.
struct Nowhere;

impl Surroundings for Nowhere {
    fn resolve(&self, _: &str) -> Vec<IpAddr> {
        Vec::new()
    }

    fn own_addresses(&self) -> Vec<IpAddr> {
        Vec::new()
    }

    fn moment(&self) -> Moment {
        World.moment()
    }
}

fn asked(script: &str) -> Result<Vec<Route>, ScriptError> {
    Script::new(script.as_bytes())?.routes("https://www.example.com/a?b", "www.example.com", World)
}

/// What an expression comes to, in the place of a proxy's host name.
fn value(expression: &str) -> String {
    let script = format!(
        "function FindProxyForURL(url, host) {{ return 'PROXY v.' + String({expression}).replace(/[^a-z0-9.-]/gi, '_') }}"
    );
    let routes = asked(&script).unwrap_or_else(|error| panic!("{expression}: {error}"));
    routes[0].to_string().strip_prefix("http://v.").unwrap().strip_suffix(":80").unwrap().to_owned()
}

fn error(script: &str) -> String {
    asked(script).unwrap_err().to_string()
}

#[test]
fn a_script_names_the_ways() {
    let script = "
        function FindProxyForURL(url, host) {
            undeclared = 'PROXY a.example:3128; ';
            if (isPlainHostName(host) || dnsDomainIs(host, '.inside.example')) return 'DIRECT';
            if (shExpMatch(host, '*.example.com')) return undeclared + 'SOCKS5 b.example:1080; DIRECT';
            return null;
        }";
    let asked = |host: &str| {
        let routes = Script::new(script.as_bytes()).unwrap().routes(&format!("http://{host}/"), host, World).unwrap();
        routes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(asked("www.example.com"), "http://a.example:3128 socks5://b.example:1080 direct");
    assert_eq!(asked("intranet"), "direct");
    assert_eq!(asked("x.inside.example"), "direct");
    assert_eq!(asked("elsewhere.example"), "direct");
}

#[test]
fn every_function_is_there() {
    for (expression, due) in [
        ("isPlainHostName('www')", "true"),
        ("dnsDomainIs('www.example.com', '.example.com')", "true"),
        ("localHostOrDomainIs('www', 'www.example.com')", "true"),
        ("isResolvable('www.example.com')", "true"),
        ("isResolvable('six.example.com')", "false"),
        ("isResolvable('nowhere.example')", "false"),
        ("isInNet('www.example.com', '192.0.2.0', '255.255.255.0')", "true"),
        ("isInNet('192.0.2.7', '192.0.2.0', '255.255.255.0')", "true"),
        ("isInNet('nowhere.example', '0.0.0.0', '0.0.0.0')", "false"),
        ("dnsResolve('www.example.com')", "192.0.2.80"),
        ("dnsResolve('192.0.2.7')", "192.0.2.7"),
        ("dnsResolve('nowhere.example') === null", "true"),
        ("myIpAddress()", "10.0.0.7"),
        ("dnsDomainLevels('www.example.com')", "2"),
        ("shExpMatch(url, 'https://www.*')", "true"),
        ("weekdayRange('SAT')", "true"),
        ("weekdayRange('SAT', 'GMT')", "false"),
        ("dateRange(1, 'NOV', 30, 'NOV')", "true"),
        ("dateRange('21', 'NOV', '22', 'NOV')", "true"),
        ("timeRange(22, 23)", "true"),
        ("timeRange(22, 0, 6, 0)", "true"),
        ("timeRange(4.0, 'GMT')", "true"),
        ("timeRange({}, NaN)", "false"),
        ("convert_addr('104.16.41.2')", "1745889538"),
        ("alert('x', 1)", "undefined"),
        ("isResolvableEx('six.example.com')", "true"),
        ("isInNetEx('six.example.com', '2001:db8::/32')", "true"),
        ("isInNetEx('192.0.2.7', '192.0.2.0/24')", "true"),
        ("dnsResolveEx('www.example.com')", "2001_db8__80_192.0.2.80_192.0.2.81"),
        ("dnsResolveEx('nowhere.example') === ''", "true"),
        ("myIpAddressEx()", "fe80__1_10.0.0.7"),
        ("sortIpAddressList('10.0.0.2;::1')", "__1_10.0.0.2"),
        ("getClientVersion()", "1.0"),
        ("isPlainHostName() && !dnsDomainIs(host, host, 1, 2) === false", "true"),
        ("isInNet()", "false"),
    ] {
        assert_eq!(value(expression), due, "{expression}");
    }
}

#[test]
fn a_host_without_addresses_is_known_by_the_loopback() {
    let script =
        Script::new(b"function FindProxyForURL() { return 'PROXY ' + myIpAddress() + myIpAddressEx() }").unwrap();
    assert_eq!(script.routes("http://x/", "x", Nowhere).unwrap()[0].to_string(), "http://127.0.0.1:80");
}

#[test]
fn of_an_https_url_the_host_alone_is_seen() {
    for (url, due) in [
        ("https://www.example.com/a?b", "https://www.example.com/"),
        ("https://user:pw@www.example.com:8443/a", "https://www.example.com:8443/"),
        ("HTTPS://x?secret", "HTTPS://x/"),
        ("http://www.example.com/a?b", "http://www.example.com/a?b"),
    ] {
        assert_eq!(visible(url), due);
    }
}

#[test]
fn the_extended_function_is_called_where_it_stands_alone() {
    let both = "function FindProxyForURLEx() { return 'PROXY ex:1' } ";
    assert_eq!(asked(both).unwrap()[0].to_string(), "http://ex:1");
    let both = format!("{both} function FindProxyForURL() {{ return 'PROXY plain:1' }}");
    assert_eq!(asked(&both).unwrap()[0].to_string(), "http://plain:1");
}

#[test]
fn what_a_script_does_wrong_is_told() {
    for (script, due) in [
        ("", "the proxy script has no function FindProxyForURL"),
        ("var FindProxyForURL = 7", "the proxy script has no function FindProxyForURL"),
        ("<html>", "the proxy script fails: unexpected token"),
        ("function FindProxyForURL() { return nowhere }", "the proxy script fails: nowhere is not defined"),
        ("function FindProxyForURL() { throw 'no\\u001b' }", "the proxy script fails: no\\u{1b}"),
        ("function FindProxyForURL() { throw new Error('no') }", "the proxy script fails: no"),
        ("function FindProxyForURL() { return 'nonsense' }", "the script answers `nonsense`, which names no proxy"),
        ("function FindProxyForURL() { return {toString() { throw new Error('no') }} }", "the proxy script fails: no"),
        ("var text = 'x'; while (true) text += text", "the proxy script fails: string too long"),
        ("function f() { return f() + 1 } f()", "the proxy script fails: Maximum call stack size exceeded"),
    ] {
        let error = error(script);
        assert!(error.starts_with(due), "{script}: {error}");
    }
}

#[test]
fn what_does_not_end_is_ended() {
    for script in [
        "while (true) {}",
        "function FindProxyForURL() { while (true) { try { for (;;) {} } catch (e) {} } }",
        "function FindProxyForURL() { return /^(a+)+$/.test('a'.repeat(64) + 'b') ? '' : '' }",
        "function FindProxyForURL() { for (;;) shExpMatch('a'.repeat(8000), '*' + 'a'.repeat(4000) + 'b') }",
        "function FindProxyForURL() { return { toString() { for (;;) {} } } }",
    ] {
        let began = Instant::now();
        assert_eq!(error(script), "the proxy script does not end within 1 s", "{script}");
        assert!(began.elapsed() < Duration::from_secs(20), "{script}");
    }
}

#[test]
fn what_takes_too_much_is_ended() {
    for script in [
        "var list = []; while (true) list.push('x'.repeat(1000) + list.length)",
        "new Array(1e9).fill(0)",
        "function FindProxyForURL() { return 'PROXY ' + 'x'.repeat(1 << 26) }",
        "new Uint8Array(64 << 20)",
    ] {
        assert_eq!(error(script), "the proxy script needs more than 32 MB of memory", "{script}");
    }
}

#[test]
fn look_ups_are_counted_by_name() {
    let asking = |names: usize| {
        format!(
            "function FindProxyForURL() {{ for (var i = 0; i < {names}; i++) {{ dnsResolve('n' + i); dnsResolve('n0') }} }}"
        )
    };
    assert_eq!(asked(&asking(MOST_LOOKUPS)).unwrap(), [Route::Direct]);
    assert_eq!(error(&asking(MOST_LOOKUPS + 1)), "the proxy script looks up more than 32 names");
}

#[test]
fn a_script_is_read_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("proxy.pac");
    std::fs::write(&file, b"\xef\xbb\xbffunction FindProxyForURL() { return 'PROXY a:1' }").unwrap();
    assert_eq!(Script::read(&file).unwrap().routes("http://x/", "x", Nowhere).unwrap()[0].to_string(), "http://a:1");
    std::fs::write(&file, b"// gr\xfc\xdfe\nfunction FindProxyForURL() { return '' }").unwrap();
    assert_eq!(Script::read(&file).unwrap().routes("http://x/", "x", Nowhere).unwrap(), [Route::Direct]);
    std::fs::write(&file, " ".repeat(MOST_BYTES + 1)).unwrap();
    assert_eq!(Script::read(&file).unwrap_err().to_string(), "the proxy script has more than 1048576 bytes");
    std::fs::write(&file, " ".repeat(MOST_BYTES)).unwrap();
    assert!(Script::read(&file).is_ok());
    assert!(Script::read(Path::new("/dev/zero")).is_err());
    let missing = Script::read(&folder.path().join("none.pac")).unwrap_err().to_string();
    assert!(missing.ends_with("none.pac"), "{missing}");
}
