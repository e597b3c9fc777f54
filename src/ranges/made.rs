//! Feeds for tests, of the same shape as the published ones.

/// A `list-cloudfront-ips`.
pub(crate) fn list(global: &[&str], regional_edge: &[&str]) -> String {
    let strings = |list: &[&str]| list.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ");
    format!(
        "{{\"CLOUDFRONT_GLOBAL_IP_LIST\": [{}], \"CLOUDFRONT_REGIONAL_EDGE_IP_LIST\": [{}]}}",
        strings(global),
        strings(regional_edge)
    )
}

/// An `ip-ranges.json` of these entries.
pub(crate) fn ip_ranges(prefixes: &[String], ipv6_prefixes: &[String]) -> String {
    format!(
        r#"{{
  "syncToken": "1787433425",
  "createDate": "2026-08-22-21-17-05",
  "prefixes": [{}],
  "ipv6_prefixes": [{}]
}}
"#,
        prefixes.join(",\n"),
        ipv6_prefixes.join(",\n")
    )
}

/// An entry of `prefixes`.
pub(crate) fn entry(prefix: &str, region: &str, service: &str) -> String {
    entry_under("ip_prefix", prefix, region, service)
}

/// An entry of `ipv6_prefixes`.
pub(crate) fn entry_v6(prefix: &str, region: &str, service: &str) -> String {
    entry_under("ipv6_prefix", prefix, region, service)
}

fn entry_under(key: &str, prefix: &str, region: &str, service: &str) -> String {
    format!(
        r#"{{"{key}": "{prefix}", "region": "{region}", "service": "{service}", "network_border_group": "{region}"}}"#
    )
}

/// A small `ip-ranges.json` that is newer than the documented list and has every role in it.
pub(crate) fn newer_ip_ranges() -> String {
    ip_ranges(
        &[
            entry("13.32.0.0/15", "GLOBAL", "AMAZON"),
            entry("13.32.0.0/15", "GLOBAL", "CLOUDFRONT"),
            entry("3.160.0.0/14", "GLOBAL", "CLOUDFRONT"),
            entry("205.251.202.0/23", "GLOBAL", "CLOUDFRONT"),
            entry("36.103.232.0/25", "GLOBAL", "CLOUDFRONT"),
            entry("52.46.0.0/18", "GLOBAL", "CLOUDFRONT"),
            entry("52.46.0.0/18", "GLOBAL", "CLOUDFRONT_ORIGIN_FACING"),
            entry("13.32.4.0/24", "GLOBAL", "CLOUDFRONT_ORIGIN_FACING"),
            entry("15.158.0.0/16", "GLOBAL", "CLOUDFRONT_ORIGIN_FACING"),
            entry("13.124.199.0/24", "ap-northeast-2", "CLOUDFRONT"),
            entry("56.125.47.0/32", "sa-east-1", "CLOUDFRONT"),
            entry("13.124.199.0/24", "ap-northeast-2", "EC2"),
        ],
        &[
            entry_v6("2600:9000:2000::/36", "GLOBAL", "CLOUDFRONT"),
            entry_v6("2409:8c00:2421:300::/56", "GLOBAL", "CLOUDFRONT"),
            entry_v6("2600:1f00::/24", "eu-west-1", "EC2"),
        ],
    )
}
