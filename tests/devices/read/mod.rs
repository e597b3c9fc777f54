//! Readers of what the exporters write; each panics at what its device would not take.

mod cisco;
mod files;
mod junos;
mod lines;

use crate::model::Device;

/// What a device does with a file.
pub type Read = fn(&mut Device, &str);

/// The reader for a format; none for formats of other tests.
pub fn reader(format: &str) -> Option<Read> {
    Some(match format {
        "ios" => cisco::ios,
        "nxos" => cisco::nxos,
        "iosxr" => cisco::iosxr,
        "asa" => cisco::asa,
        "eos" => cisco::eos,
        "junos-srx" | "junos-prefix-list" => junos::junos,
        "panos" => junos::panos,
        "vyos" => junos::vyos,
        "edgeos" => junos::edgeos,
        "fortios" => lines::fortios,
        "checkpoint" => lines::checkpoint,
        "routeros" => lines::routeros,
        "huawei-usg" => lines::huawei,
        "sophos" => files::sophos,
        "watchguard" => files::watchguard,
        "unifi" => files::unifi,
        "meraki" => files::meraki,
        "zscaler" => files::zscaler,
        "panos-edl" => files::commented_list,
        "fortios-feed" | "checkpoint-feed" | "sonicwall" | "netskope" => files::list,
        _ => return None,
    })
}

/// The words of each line that is no comment; a quoted text is one word.
fn words<'a>(text: &'a str, comment: &str) -> Vec<Vec<&'a str>> {
    assert!(text.is_ascii(), "devices take ASCII");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(comment));
    lines.map(split).collect()
}

fn split(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| "\"'".contains(*c));
        let end = match quote {
            Some(quote) => rest[1..].find(quote).expect("the quote ends in its line") + 2,
            None => rest.find(' ').unwrap_or(rest.len()),
        };
        words.push(rest[..end].trim_matches(['"', '\'']));
        rest = rest[end..].trim_start();
    }
    words
}

fn port(text: &str) -> u16 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no port"))
}

fn unknown(line: &[&str]) -> ! {
    panic!("the device does not know {line:?}")
}
