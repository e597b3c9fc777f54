//! Lists of the published shape: the documented one with more and less.

use egressd::ranges::{FeedSnapshot, List};
use jiff::Timestamp;

/// A list as AWS publishes it.
#[derive(Clone, Default)]
pub struct Published {
    /// Global ranges besides the documented ones.
    pub more: Vec<&'static str>,
    /// Documented ranges that it has not.
    pub less: Vec<&'static str>,
    /// Ranges of CloudFront that are in none of AWS's own.
    pub foreign: Vec<&'static str>,
}

/// The serial of the list of this day, counted from 1 August 2026.
pub fn serial(day: i64) -> i64 {
    1_785_542_400 + day * 86_400
}

impl Published {
    /// With these besides.
    pub fn with(more: &[&'static str]) -> Self {
        Self { more: more.to_vec(), ..Self::default() }
    }

    /// The file of this day.
    pub fn on(&self, day: i64) -> String {
        let documented = FeedSnapshot::documented();
        let mut listed: Vec<(String, &str)> = documented
            .ranges
            .iter()
            .map(|range| (range.prefix.to_string(), if range.list == List::Global { "GLOBAL" } else { "eu-west-2" }))
            .collect();
        listed.extend(self.more.iter().map(|prefix| ((*prefix).to_owned(), "GLOBAL")));
        listed.retain(|(prefix, _)| !self.less.contains(&prefix.as_str()));
        let own = |(prefix, region): &(String, &str)| entry(prefix, region, "CLOUDFRONT");
        let all = |(prefix, region): &(String, &str)| entry(prefix, region, "AMAZON");
        let foreign = self.foreign.iter().map(|prefix| entry(prefix, "GLOBAL", "CLOUDFRONT"));
        let entries: Vec<String> = listed.iter().map(own).chain(listed.iter().map(all)).chain(foreign).collect();
        let created = Timestamp::from_second(serial(day)).unwrap().strftime("%Y-%m-%d-%H-%M-%S").to_string();
        format!(
            "{{\"syncToken\": \"{}\", \"createDate\": \"{created}\", \"prefixes\": [{}], \"ipv6_prefixes\": []}}\n",
            serial(day),
            entries.join(",\n")
        )
    }
}

fn entry(prefix: &str, region: &str, service: &str) -> String {
    format!(
        r#"{{"ip_prefix": "{prefix}", "region": "{region}", "service": "{service}", "network_border_group": "{region}"}}"#
    )
}
