//! Configurations with every construct that a reader knows, and some that it does not.

use egressd::audit::Format;

use crate::world::{goldens, judged, set};

#[test]
fn every_construct_is_judged_as_the_device_does() {
    let goldens = goldens();
    let mut wrong = Vec::new();
    for golden in &goldens {
        let coverage = judged(golden.format, &golden.files, &golden.question);
        let coverage = coverage.unwrap_or_else(|error| panic!("{}: {error}", golden.name));
        for (verdict, prefix) in &golden.expected {
            let wanted = set(&[prefix]);
            let found = match verdict.as_str() {
                "allowed" => &coverage.allowed,
                "missing" => &coverage.missing,
                "unknown" => &coverage.unknown,
                other => panic!("{}: {other} is no verdict", golden.name),
            };
            if !found.covers(&wanted) {
                let is =
                    [("allowed", &coverage.allowed), ("missing", &coverage.missing), ("unknown", &coverage.unknown)];
                let is: Vec<_> = is.into_iter().filter(|(_, set)| !set.intersection(&wanted).is_empty()).collect();
                let names: Vec<_> = is.iter().map(|(name, _)| *name).collect();
                let why = coverage.unknown_by.iter().filter(|share| !share.part.intersection(&wanted).is_empty());
                let why: Vec<_> = why.filter_map(|share| share.reason.clone()).collect();
                let by = coverage.missing_by.iter().chain(&coverage.by_rule);
                let by =
                    by.filter(|share| !share.part.intersection(&wanted).is_empty()).map(|share| share.rule.short());
                let by: Vec<_> = by.collect();
                wrong.push(format!("{}: {prefix} is {names:?}, not {verdict}: {why:?} {by:?}", golden.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Every format of devices and clouds has one.
    let formats = Format::ALL.iter().filter(|format| !matches!(format.name(), "nftables" | "iptables"));
    for format in formats {
        assert!(goldens.iter().any(|golden| golden.format == *format), "{format} has no golden file");
    }
}

#[test]
fn every_configuration_is_recognised() {
    for golden in goldens() {
        assert_eq!(Format::recognise(&golden.files), Some(golden.format), "{}", golden.name);
    }
}
