//! A certificate and a page of each product, written after the source of its pattern, and what must not be mistaken for one.

use std::collections::BTreeSet;

use super::*;

/// Common name, organization, and whose they are.
const ISSUERS: &[(&str, &str, &str)] = &[
    ("FGT60FTK20012345", "Fortinet", "FortiGate"),
    ("FortiGate CA", "Fortinet Ltd.", "FortiGate"),
    ("Sophos SSL CA_C320ABPCBJ8BQ6B", "Sophos", "Sophos Firewall"),
    ("Sophos_CA_C4005CM7MF2DV28", "Sophos", "Sophos Firewall"),
    ("sophosutm Proxy CA", "sophosutm", "Sophos UTM"),
    ("Sophos Web Appliance", "Sophos Plc", "Sophos Web Appliance"),
    ("", "Cyberoam Certificate Authority", "Cyberoam"),
    ("SonicWALL Firewall DPI-SSL", "SonicWALL Inc.", "SonicWall"),
    ("192.168.168.168", "HTTPS Management Certificate for SonicWALL (self-signed)", "SonicWall"),
    ("Fireware HTTPS Proxy (SN 80AB01234567 2021-03-04) CA", "WatchGuard_Technologies", "WatchGuard Firebox"),
    ("www.untangle.com", "Untangle", "NG Firewall"),
    ("edge.arista.com", "Arista", "NG Firewall"),
    ("McAfee Web Gateway", "McAfee, Inc.", "Skyhigh Secure Web Gateway"),
    ("Forcepoint Cloud CA", "Forcepoint LLC", "Forcepoint Web Security"),
    ("proxy.corp.example", "Blue Coat SG900 Series", "ProxySG"),
    ("IWSS.TREND", "Trend Micro", "InterScan Web Security"),
    ("ContentKeeper Appliance CA (1234567890)", "ContentKeeper Technologies", "ContentKeeper"),
    ("Smoothwall-default-root-certificate-authority", "Smoothwall", "Smoothwall"),
    ("www.netspark.com", "NetSpark", "NetSpark"),
    ("Zscaler Intermediate Root CA (zscalertwo.net) (t) ", "Zscaler Inc.", "Zscaler Internet Access"),
    ("Zscaler Root CA", "Corp", "Zscaler Internet Access"),
    ("ca.corp.eu.goskope.com", "Corp Ltd", "Netskope"),
    ("eproxy.caadmin.netskope.com", "netSkope Inc", "Netskope"),
    ("Cisco Umbrella Primary SubCA", "Cisco", "Cisco Umbrella"),
    ("Gateway CA - Cloudflare Managed G1 184d33c903da5d04", "Cloudflare, Inc.", "Cloudflare Gateway"),
    ("Cloudflare for Teams ECC Certificate Authority", "Cloudflare, Inc.", "Cloudflare Gateway"),
    ("iboss Network Security", "iboss", "iboss"),
    ("Menlo Security Intermediate CA", "Menlo Security Inc.", "Menlo Security"),
    ("Kaspersky Anti-Virus Personal Root Certificate", "AO Kaspersky Lab", "Kaspersky"),
    ("ESET SSL Filter CA", "ESET, spol. s r. o.", "ESET"),
    ("avast! Web/Mail Shield Root", "avast! Web/Mail Shield", "Avast Antivirus"),
    ("Avast Web/Mail Shield Self-signed Root", "Avast Web/Mail Shield", "Avast Antivirus"),
    ("AVG Web/Mail Shield Root", "AVG Web/Mail Shield", "AVG AntiVirus"),
    ("Norton Web/Mail Shield Root", "Norton Web/Mail Shield", "Norton 360"),
    ("Bitdefender Personal CA.Net-Defender", "Bitdefender", "Bitdefender"),
    ("AdGuard Personal CA", "AdGuard", "AdGuard"),
    ("mitmproxy", "mitmproxy", "mitmproxy"),
    ("Charles Proxy CA (2 Jan 2023, desk)", "XK72 Ltd", "Charles"),
    ("DO_NOT_TRUST_FiddlerRoot", "DO_NOT_TRUST", "Fiddler"),
    ("PortSwigger CA", "PortSwigger", "Burp Suite"),
    ("OWASP Zed Attack Proxy Root CA", "OWASP Root CA", "ZAP"),
    ("HTTP Toolkit CA - DO NOT TRUST", "HTTP Toolkit CA", "HTTP Toolkit"),
    ("Proxyman CA (4 Jun 2025, desk.local)", "Proxyman LLC", "Proxyman"),
];

/// Issuers that are nobody's: of public servers, and of an organization's own authority.
const OTHER_ISSUERS: &[(&str, &str)] = &[
    ("Amazon RSA 2048 M01", "Amazon"),
    ("Amazon Root CA 1", "Amazon"),
    ("DigiCert Global G2 TLS RSA SHA256 2020 CA1", "DigiCert Inc"),
    ("Cloudflare TLS Issuing ECC CA 1", "SSL Corporation"),
    ("Cloudflare Inc ECC CA-3", "Cloudflare, Inc."),
    ("WR2", "Google Trust Services"),
    ("R11", "Let's Encrypt"),
    ("Cisco Licensing Root CA", "Cisco"),
    ("Corp Root CA", "Corp Ltd"),
    ("Corp Proxy CA", "Corp Ltd"),
    ("", ""),
];

/// Names and values.
type Headers = &'static [(&'static str, &'static str)];

/// An answer, and whose it is.
struct Case {
    product: &'static str,
    says: Says,
    status: u16,
    headers: Headers,
    body: &'static str,
}

const fn denied(product: &'static str, body: &'static str) -> Case {
    Case { product, says: Says::Denied, status: 403, headers: &[], body }
}

const fn redirect(product: &'static str, headers: Headers) -> Case {
    Case { product, says: Says::Denied, status: 302, headers, body: "" }
}

const fn login(product: &'static str, headers: Headers) -> Case {
    Case { product, says: Says::Login, status: 302, headers, body: "" }
}

const fn squid(says: Says, status: u16, headers: Headers, body: &'static str) -> Case {
    Case { product: "Squid", says, status, headers, body }
}

const PAGES: &[Case] = &[
    denied(
        "FortiGate",
        "<html><head><title>Web Page Blocked!</title></head><body><h1>FortiGuard Intrusion Prevention - Access\n   Blocked</h1><p>Category: File Sharing</p></body></html>",
    ),
    denied(
        "FortiGate",
        "<h2>Web Page Blocked!</h2><p>You have tried to access a web page which is in violation of your Internet usage policy.</p>",
    ),
    denied("FortiGate", "<h3>Access Denied</h3><img alt='Powered By FortiGuard'>"),
    denied("FortiGate", "<title>Application Control Violation</title><h1>FortiGate Application Control</h1>"),
    login("FortiGate", &[("Location", "http://10.0.0.1:1000/fgtauth?0a1b2c3d")]),
    redirect("PAN-OS", &[("Location", "http://10.0.0.1:6080/php/urlblock.php?args=AAAA&url=http://x.example")]),
    denied(
        "PAN-OS",
        "<title>Web Page Blocked</title><h1>Web Page Blocked</h1><p>Access to the web page you were trying to visit has been blocked in accordance with company policy.</p>",
    ),
    denied(
        "PAN-OS",
        "<title>Application Blocked</title><p>Access to the application you were trying to use has been blocked in accordance with company policy.</p>",
    ),
    login("PAN-OS", &[("Location", "https://10.0.0.1:6082/php/uid.php?vsys=1&rule=0&url=x")]),
    redirect("Check Point UserCheck", &[("Location", "http://10.0.0.1/UserCheck/PortalMain?IID=5F&origUrl=aHR0")]),
    denied("Check Point UserCheck", "<title>Page Blocked</title><div>Check Point UserCheck</div>"),
    denied("SonicWall", "<title>SonicWALL - Web Site Blocked</title>"),
    denied("SonicWall", "<a href=\"http://cfssupport.sonicwall.com/\">here</a>"),
    denied("WatchGuard Firebox", "<title>Response denied by WatchGuard HTTP Proxy</title>"),
    denied("WatchGuard Firebox", "<body>Request denied by WatchGuard HTTP Proxy.<br><b>Reason:</b> Category</body>"),
    Case {
        product: "Barracuda CloudGen Firewall",
        says: Says::Denied,
        status: 403,
        headers: &[("server", "Barracuda/NGFirewall")],
        body: "",
    },
    denied(
        "Barracuda CloudGen Firewall",
        "<table><tr><th>Barracuda NextGen Firewall:</th><td>blocked</td></tr></table>",
    ),
    denied("Juniper SRX", "<h1>Juniper Web Filtering has been set to block this site.</h1>"),
    Case {
        product: "Huawei USG",
        says: Says::Denied,
        status: 200,
        headers: &[("Server", "V2R2C00-IAE/1.0")],
        body: "blocked",
    },
    denied("NetentSec NGFW", "<title>NetentSec Content Filter - Access Denied</title>"),
    denied("Kerio Control", "<h1>Access Denied</h1><p>This page has been blocked by Kerio Control.</p>"),
    denied("Kerio Control", "<p>Это сообщение создано прокси-сервером Kerio Control</p>"),
    redirect("NG Firewall", &[("Location", "http://192.168.2.1/web-filter/blockpage?nonce=12&appid=4")]),
    denied("NG Firewall", "<p><b>This web page is blocked</b> because it violates network policy.</p>"),
    redirect("Meraki MX", &[("Location", "http://wired.meraki.com:8090/blocked.cgi?blocked_server=1.2.3.4")]),
    login("Meraki MX", &[("Location", "https://n110.network-auth.com/splash/?mac=00")]),
    redirect("ASUS router", &[("Location", "http://192.168.1.1:80/blocking.asp?cat_id=74&mac=00")]),
    denied("ASUS router", "<script>location.href='http://192.168.1.1:80/blocking.asp?cat_id=74'</script>"),
    denied("Allot", "<IMG src=\"http://www.allot.com/images/allot_logo.gif\">"),
    Case {
        product: "e2guardian",
        says: Says::Denied,
        status: 200,
        headers: &[],
        body: "<html><head>\n\t\t<title>E2Guardian - Access Denied</title>",
    },
    Case {
        product: "e2guardian",
        says: Says::Failed,
        status: 200,
        headers: &[],
        body: "<title>E2Guardian - Unable to load website</title>",
    },
    Case {
        product: "DansGuardian",
        says: Says::Denied,
        status: 200,
        headers: &[],
        body: "<HTML><HEAD><TITLE>DansGuardian - Access Denied</TITLE></HEAD>",
    },
    redirect("squidGuard", &[("Location", "http://10.0.0.1/cgi-bin/squidGuard.cgi?clientaddr=10.0.0.7&url=x")]),
    redirect("squidGuard", &[("Location", "https://10.0.0.1/sgerror.php?url=403%20&a=10.0.0.7")]),
    squid(Says::Denied, 403, &[("X-Squid-Error", "ERR_ACCESS_DENIED 0"), ("Server", "squid/5.7")], ""),
    squid(Says::TooLarge, 413, &[("X-Squid-Error", "ERR_TOO_BIG 0")], ""),
    squid(Says::Login, 407, &[("X-Squid-Error", "ERR_CACHE_ACCESS_DENIED 0")], ""),
    squid(Says::Failed, 503, &[("X-Squid-Error", "ERR_DNS_FAIL 0")], ""),
    squid(
        Says::Denied,
        403,
        &[],
        "<title>ERROR: The requested URL could not be retrieved</title><p>Access control configuration prevents your request from being allowed at this time.</p><p>Generated Sat by proxy (squid/5.7)</p>",
    ),
    squid(
        Says::TooLarge,
        413,
        &[],
        "<title>ERROR: The requested URL could not be retrieved</title><p><b>The request or reply is too large.</b></p>",
    ),
    squid(Says::Login, 407, &[], "<title>ERROR: Cache Access Denied</title><p>Generated Sat by proxy (squid)</p>"),
    squid(
        Says::Failed,
        503,
        &[],
        "<title>ERROR: The requested URL could not be retrieved</title><p>Connection to 192.0.2.1 failed.</p><p>Generated Sat by proxy (squid/5.7)</p>",
    ),
    denied("Privoxy", "<title>Request blocked (Privoxy@gateway)</title>"),
    denied(
        "tinyproxy",
        "<title>403 Access violation</title><hr />\n<p><em>Generated by <a href=\"https://tinyproxy.github.io/\">tinyproxy</a> version 1.11.1.</em></p>",
    ),
    Case {
        product: "tinyproxy",
        says: Says::Login,
        status: 407,
        headers: &[],
        body: "<em>Generated by <a href=\"https://tinyproxy.github.io/\">tinyproxy</a> version 1.11.1.</em>",
    },
    Case {
        product: "tinyproxy",
        says: Says::Failed,
        status: 500,
        headers: &[],
        body: "<em>Generated by <a href=\"https://tinyproxy.github.io/\">tinyproxy</a> version 1.11.1.</em>",
    },
    denied("Skyhigh Secure Web Gateway", "<title>McAfee Web Gateway - Notification - Blocked by URL filtering</title>"),
    redirect("Forcepoint Web Security", &[("Location", "http://10.0.0.1:15871/cgi-bin/blockpage.cgi?ws-session=18")]),
    denied("Forcepoint Web Security", "<body onload=\"window.open('http://10.0.0.1:15871/cgi-bin/blockpage.cgi')\">"),
    denied("Forcepoint Web Security", "<frame src=\"http://10.0.0.1:15871/cgi-bin/block_message.cgi?ws-session=18\">"),
    redirect("ProxySG", &[("Location", "http://notify.bluecoat.com/notify-Notify1?aHR0")]),
    denied("ProxySG", "<meta http-equiv=refresh content=\"0;url=https://notify.bluecoat.com/accepted\">"),
    Case { product: "Olfeo", says: Says::Denied, status: 403, headers: &[("Server", "Olfeo")], body: "" },
    redirect("Netsweeper", &[("Location", "http://10.0.0.1:8080/webadmin/deny/index.php?dpid=1&dpruleid=3&cat=27")]),
    redirect("Netsweeper", &[("Location", "http://10.0.0.1/webadmin/deny/")]),
    denied("Netsweeper", "<iframe src=\"http://10.0.0.1/webadmin/deny/\">"),
    denied("Netsweeper", "<a href=\"http://poweredbynetsweeper.com\">"),
    denied("ContentKeeper", "<h1>Blocked by ContentKeeper</h1>"),
    denied("Lightspeed Filter", "<title>Lightspeed System - Web Access</title>"),
    denied("NetSpark", "<script>location='http://mobile.netsparkmobile.com/?a=block&u=x'</script>"),
    redirect("IServ", &[("Location", "https://school.example/idesk/inet/block.php?url=x")]),
    redirect("RM SafetyNet", &[("Location", "http://deny.ifl.net/filterpages/denied.html")]),
    denied("RM SafetyNet", "<a href=\"http://www.rm.com/filteringpolicy/1\">"),
    redirect("Zscaler Internet Access", &[("Location", "https://gateway.zscalertwo.net:443/auD?origurl=x")]),
    Case {
        product: "Zscaler Internet Access",
        says: Says::Denied,
        status: 403,
        headers: &[("Server", "Zscaler/6.2")],
        body: "",
    },
    denied("Zscaler Internet Access", "<title>Internet Security by Zscaler</title>"),
    redirect("Cisco Umbrella", &[("Location", "https://block.opendns.com/?url=x&server=hkg1")]),
    redirect("Cisco Umbrella", &[("Location", "https://malware.opendns.com/?url=x")]),
    denied("Cisco Umbrella", "<script>window.location.replace(\"https://block.opendns.com/?url=x\")</script>"),
    denied("Cisco Umbrella", "<script>window.location.replace(\"https://malware.opendns.com/?url=x\")</script>"),
    redirect("iboss", &[("Location", "http://10.0.0.1/ibreports/ibp/bp.html?bu=x")]),
    redirect("iboss", &[("Location", "http://10.0.0.1:8015/block/restricted.html?fn=x")]),
    redirect("iboss", &[("Location", "http://10.0.0.1/iboss/restricted.html?fn=x")]),
    redirect("Akamai Secure Internet Access", &[("Location", "http://error.etp.akamai.com/error.html?x")]),
    denied("Akamai Secure Internet Access", "<iframe src=\"http://error.etp.akamai.com/error.html\">"),
    denied("Zyxel Nebula DNS filter", "<title>Zyxel Security Cloud-DNS Filter Service Portal</title>"),
    redirect("Comodo Secure DNS", &[("Location", "http://warn.recursive.dnsbycomodo.com/?url=x")]),
    Case { product: "NextDNS", says: Says::Denied, status: 403, headers: &[("Blocked-By", "NextDNS")], body: "" },
    denied("SafeDNS", "<link href=\"https://blockpage-cdn.safedns.com/main.css\">"),
    denied("OneDNS", "<title>OneDNS block system</title>"),
    denied("Pi-hole", "<!DOCTYPE html>\n<!-- Pi-hole: A black hole for Internet advertisements\n*  (c) 2017 -->"),
    denied("TEHTRIS DNS Firewall", "<title>TEHTRIS DNS Firewall</title>"),
    denied("ESET", "<title>Alert! - ESET Endpoint Antivirus</title>"),
    denied("ESET", "<title>Alerta! - ESET File Security</title>"),
    denied("Dr.Web", "<title>Dr.Web strongly advises you against visiting this website</title>"),
    denied("Dr.Web", "<h1>URL is blocked by SpIDer Gate</h1>"),
    denied("TotalAV", "<title>Total AV Blocked</title>"),
    denied("AdGuard", "<!-- blocking-pages - Blocking pages for AdGuard projects -->"),
];

/// Answers that come from servers, and from proxies that did what they were asked.
const OTHER_PAGES: &[(u16, Headers, &str)] = &[
    (
        403,
        &[
            ("Server", "CloudFront"),
            ("X-Cache", "Error from cloudfront"),
            ("Via", "1.1 0a1b.cloudfront.net (CloudFront)"),
        ],
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\">\n<HTML><HEAD><META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=iso-8859-1\">\n<TITLE>ERROR: The request could not be satisfied</TITLE>\n</HEAD><BODY>\n<H1>403 ERROR</H1>\n<H2>The request could not be satisfied.</H2>\n<HR noshade size=\"1px\">\nRequest blocked.\nWe can't connect to the server for this app or website at this time. There might be too much traffic or a configuration error.\n<BR clear=\"all\">\n<PRE>\nGenerated by cloudfront (CloudFront)\nRequest ID: x\n</PRE>\n</BODY></HTML>",
    ),
    (
        504,
        &[("Server", "CloudFront")],
        "<TITLE>ERROR: The request could not be satisfied</TITLE><H1>504 ERROR</H1>CloudFront attempted to establish a connection with the origin, but either the attempt failed or the origin closed the connection.",
    ),
    (
        403,
        &[("Server", "AmazonS3"), ("Content-Type", "application/xml")],
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>A</RequestId></Error>",
    ),
    (
        400,
        &[("Server", "AmazonS3")],
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>EntityTooLarge</Code><Message>Your proposed upload exceeds the maximum allowed size</Message></Error>",
    ),
    (
        403,
        &[("Server", "nginx/1.22.1")],
        "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>",
    ),
    (
        413,
        &[("Server", "nginx")],
        "<html><head><title>413 Request Entity Too Large</title></head><body><center><h1>413 Request Entity Too Large</h1></center><hr><center>nginx</center></body></html>",
    ),
    (200, &[("Server", "nginx")], "<title>Welcome to nginx!</title><p><em>Thank you for using nginx.</em></p>"),
    (
        404,
        &[("Server", "Apache/2.4.57 (Debian)")],
        "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\"><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1><p>The requested URL was not found on this server.</p><hr><address>Apache/2.4.57 (Debian) Server at x.example Port 443</address></body></html>",
    ),
    (200, &[("Server", "Apache")], "<title>Apache2 Debian Default Page: It works</title>"),
    (
        404,
        &[("Server", "GitHub.com")],
        "<!DOCTYPE html><html><head><title>Page not found &middot; GitHub &middot; GitHub</title></head><body><p>Find code, projects, and people on GitHub: squid, e2guardian, mitmproxy, FortiGate, Pi-hole</p></body></html>",
    ),
    (
        503,
        &[],
        "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>",
    ),
    (
        403,
        &[("Server", "cloudflare"), ("CF-RAY", "1")],
        "<title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1><p>You are unable to access x.example</p>",
    ),
    (404, &[("Server", "Microsoft-IIS/10.0")], "<title>IIS 10.0 Detailed Error - 404.0 - Not Found</title>"),
    (404, &[], "<title>Error 404 (Not Found)!!1</title><p><b>404.</b> <ins>That's an error.</ins>"),
    (
        200,
        &[("Via", "1.1 proxy (squid/5.7)"), ("X-Cache", "MISS from proxy"), ("X-Cache-Lookup", "MISS from proxy:3128")],
        "{\"CLOUDFRONT_GLOBAL_IP_LIST\": []}",
    ),
    (200, &[("Via", "HTTP/1.1 tinyproxy (tinyproxy/1.11.1)")], "<title>Download</title>"),
    (302, &[("Location", "https://login.example/?next=%2F")], ""),
    (302, &[("Location", "https://www.example/access?id=1")], ""),
    (200, &[("Content-Type", "image/jpeg")], "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
    (200, &[], ""),
];

#[test]
fn each_issuer_is_recognised() {
    for (common_name, organization, product) in ISSUERS {
        let found = issuer(&named(common_name, organization)).map(|product| product.name.as_str());
        assert_eq!(found, Some(*product), "{common_name}, {organization}");
    }
    let with_issuers = products().iter().filter(|product| !product.issuer.is_empty());
    assert_eq!(
        ISSUERS.iter().map(|(_, _, product)| *product).collect::<BTreeSet<_>>(),
        with_issuers.map(|product| product.name.as_str()).collect()
    );
}

#[test]
fn no_other_issuer_is() {
    for (common_name, organization) in OTHER_ISSUERS {
        assert_eq!(issuer(&named(common_name, organization)), None, "{common_name}, {organization}");
    }
    assert_eq!(issuer(&IssuerName::default()), None);
}

#[test]
fn each_page_is_recognised() {
    for case in PAGES {
        let found =
            recognised(case.status, case.headers, case.body).map(|found| (found.product.name.as_str(), found.says));
        assert_eq!(found, Some((case.product, case.says)), "{:?} {}", case.headers, case.body);
    }
    let with_pages = products().iter().filter(|product| !product.page.is_empty());
    assert_eq!(
        PAGES.iter().map(|case| case.product).collect::<BTreeSet<_>>(),
        with_pages.map(|product| product.name.as_str()).collect()
    );
}

#[test]
fn each_pattern_recognises_a_page() {
    for product in products() {
        for pattern in &product.page {
            let cases = PAGES.iter().filter(|case| case.product == product.name);
            let mut pages = cases.map(|case| fits_page(pattern, case));
            assert!(pages.any(|fits| fits), "{}: {pattern:?}", product.name);
        }
    }
}

#[test]
fn no_other_page_is() {
    for (status, headers, body) in OTHER_PAGES {
        assert_eq!(recognised(*status, headers, body), None, "{body}");
    }
}

#[test]
fn a_match_says_where_its_pattern_is_documented() {
    let found = recognised(302, &[("Location", "https://block.opendns.com/?url=x")], "").unwrap();
    assert_eq!((found.part, found.source.basis, found.product.kind), ("location", Basis::Observed, Kind::CloudGateway));
    let found = recognised(403, &[], "<title>Request blocked (Privoxy@gateway)</title>").unwrap();
    assert_eq!((found.part, found.source.basis), ("title", Basis::Program));
}

#[test]
fn nothing_behind_the_bound_counts() {
    let page = |padding: usize| format!("{}<p>Blocked by ContentKeeper", "x".repeat(padding));
    assert!(recognised(200, &[], &page(BODY_BYTES - 64)).is_some());
    assert!(recognised(200, &[], &page(BODY_BYTES)).is_none());
    let cut_in_a_letter = "ж".repeat(BODY_BYTES);
    assert!(recognised(200, &[], &cut_in_a_letter[..BODY_BYTES + 2]).is_none());
}

#[test]
fn a_title_is_read_as_a_browser_shows_it() {
    for (body, due) in [
        ("<TITLE>\n Access\n\tdenied </TITLE>", Some("Access denied")),
        ("<title lang=\"en\">x</title>", Some("x")),
        ("<title>x", None),
        ("<title", None),
        ("", None),
    ] {
        assert_eq!(title(body.as_bytes()).as_deref(), due, "{body}");
    }
}

fn named(common_name: &str, organization: &str) -> IssuerName {
    let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    IssuerName { common_name: part(common_name), organization: part(organization) }
}

fn recognised(status: u16, headers: &[(&str, &str)], body: &str) -> Option<Match> {
    let title = title(body.as_bytes());
    let owned = owned(headers);
    page(&PageParts {
        status,
        headers: &owned,
        location: location(headers),
        title: title.as_deref(),
        body: body.as_bytes(),
    })
}

fn fits_page(pattern: &PagePattern, case: &Case) -> bool {
    let (title, headers) = (title(case.body.as_bytes()), owned(case.headers));
    let parts = PageParts {
        status: case.status,
        headers: &headers,
        location: location(case.headers),
        title: title.as_deref(),
        body: case.body.as_bytes(),
    };
    Page::new(&parts).fits(pattern)
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn location<'a>(headers: &[(&str, &'a str)]) -> Option<&'a str> {
    headers.iter().find(|(name, _)| *name == "Location").map(|&(_, value)| value)
}
