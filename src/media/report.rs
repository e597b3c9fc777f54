//! What becomes of a file, written for people and for programs.

use std::fmt::{self, Write};

use serde::Serialize;

use super::check::{Judgement, NotChecked, Reason, Sending, Verdict};
use super::inspect::{Details, Inspection};
use super::rules::{Column, Kind, Rules, Severity, Source};
use crate::text::{grouped, printable};

/// Longest name of a file that is written whole.
const NAME: usize = 80;

/// Schema `egressd.media/1`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    file: String,
    bytes: u64,
    declared_type: Option<&'a str>,
    detected_type: &'a str,
    kind: Kind,
    details: &'a Details,
    rules: Column,
    channels: &'a [Judgement],
}

/// The document of one file, on one line or on many.
#[must_use]
pub fn json(sending: &Sending<'_>, judgements: &[Judgement], column: Column, pretty: bool) -> String {
    let document = Document {
        schema: "egressd.media/1",
        file: sending.file.to_string_lossy().into_owned(),
        bytes: sending.inspection.bytes,
        declared_type: sending.declared_type,
        detected_type: &sending.inspection.media_type.name,
        kind: sending.inspection.kind,
        details: &sending.inspection.details,
        rules: column,
        channels: judgements,
    };
    let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
    write(&document).expect("every value has a JSON form") + "\n"
}

/// The file, then each channel with everything that fired.
#[must_use]
pub fn text(sending: &Sending<'_>, judgements: &[Judgement]) -> String {
    written(|page| {
        heading(page, sending)?;
        for judgement in judgements {
            writeln!(page, "\n  {:<22} {}", name(judgement), judgement.verdict.title())?;
            all_fired(page, &judgement.reasons)?;
        }
        unknowns(page, judgements)
    })
}

/// A line for each channel, with the worst reason.
#[must_use]
pub fn table(sending: &Sending<'_>, judgements: &[Judgement]) -> String {
    written(|page| {
        heading(page, sending)?;
        writeln!(page)?;
        for judgement in judgements {
            let worst = judgement.reasons.first().filter(|_| judgement.verdict != Verdict::WillSend);
            let why = worst.map_or_else(String::new, summary);
            writeln!(
                page,
                "{}",
                format!("  {:<22} {:<15} {why}", name(judgement), judgement.verdict.title()).trim_end()
            )?;
        }
        Ok(())
    })
}

/// The rules in force: each with its source, and what public documents say otherwise.
#[must_use]
pub fn rules(rules: &Rules, column: Column) -> String {
    written(|page| {
        for rule in rules.rules.iter().filter(|rule| column == Column::Observed || !rule.is_public_alone()) {
            let on = &rule.on;
            let kinds = on.kinds.iter().map(|kind| kind.name());
            let about = on.channels.iter().chain(&on.providers).map(String::as_str).chain(kinds).collect::<Vec<_>>();
            let about = if about.is_empty() { "all".to_owned() } else { about.join(" ") };
            writeln!(page, "{:<24} {about}\n    {}", rule.id, rule.says)?;
            writeln!(page, "    source: {}", rules.source(&rule.source))?;
            rule.note.iter().try_for_each(|note| writeln!(page, "    note: {note}"))?;
            for observed in &rule.observed {
                writeln!(page, "    observed: {} ({})", observed.says, observed.source)?;
            }
        }
        Ok(())
    })
}

/// Schema `egressd.media-rules/1`.
#[must_use]
pub fn rules_json(rules: &Rules, column: Column) -> String {
    #[derive(Serialize)]
    struct InForce {
        schema: &'static str,
        rules: Column,
        #[serde(flatten)]
        all: Rules,
    }
    let mut all = rules.clone();
    all.rules.retain(|rule| column == Column::Observed || !matches!(rule.source, Source::Public { .. }));
    let document = InForce { schema: "egressd.media-rules/1", rules: column, all };
    serde_json::to_string_pretty(&document).expect("every value has a JSON form") + "\n"
}

fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut page = String::new();
    write(&mut page).expect("a String takes everything");
    page
}

fn heading(page: &mut String, sending: &Sending<'_>) -> fmt::Result {
    let Inspection { bytes, media_type, details, .. } = sending.inspection;
    let name = printable(&sending.file.to_string_lossy(), NAME);
    write!(page, "{name} · {} · {} bytes", media_type.name, grouped((*bytes).into()))?;
    let facts = facts(details);
    if facts.is_empty() { writeln!(page) } else { writeln!(page, " · {}", facts.join(", ")) }
}

fn facts(details: &Details) -> Vec<String> {
    let mut facts = Vec::new();
    let Details { width, height, megapixels, bit_depth, color, .. } = details;
    facts.extend(width.zip(*height).map(|(width, height)| format!("{width}x{height}")));
    facts.extend(megapixels.filter(|_| details.video.is_empty()).map(|count| format!("{count:.1} megapixels")));
    facts.extend(bit_depth.map(|depth| format!("{depth} bits")));
    facts.extend(color.map(|color| color.name().to_owned()));
    facts.extend(
        details.video.iter().map(|track| {
            format!("{}{}", track.codec, track.profile.map_or_else(String::new, |name| format!(" {name}")))
        }),
    );
    facts.extend(details.audio.iter().map(|track| track.codec.to_owned()));
    facts.extend(details.duration_seconds.map(|seconds| format!("{seconds:.1} s")));
    facts.extend(details.entries.map(|count| format!("{count} entries")));
    facts.extend(details.fault.map(|fault| fault.title().to_owned()));
    facts
}

fn name(judgement: &Judgement) -> String {
    judgement
        .provider
        .as_ref()
        .map_or_else(|| judgement.channel.clone(), |provider| format!("{}:{provider}", judgement.channel))
}

/// A repair that mends several things stands at the first of them.
fn all_fired(page: &mut String, reasons: &[Reason]) -> fmt::Result {
    for (index, reason) in reasons.iter().enumerate() {
        let warning = if reason.severity == Severity::Warning { "warning: " } else { "" };
        writeln!(page, "    {:<9} {warning}{}", reason.stage.name(), summary(reason))?;
        writeln!(page, "              {}: {}", reason.rule, reason.source)?;
        let told = reasons[..index].iter().any(|earlier| earlier.fix == reason.fix);
        reason.fix.iter().filter(|_| !told).try_for_each(|fix| writeln!(page, "              fix: {fix}"))?;
    }
    Ok(())
}

fn summary(reason: &Reason) -> String {
    let mut line = reason.message.clone();
    let _ = reason.actual.iter().try_for_each(|actual| write!(line, ": {actual}"));
    // A list of all types helps nobody in a line.
    let _ = reason.limit.iter().filter(|limit| limit.len() <= 60).try_for_each(|limit| write!(line, ", limit {limit}"));
    line
}

/// What no channel's reasons say, each once.
fn unknowns(page: &mut String, judgements: &[Judgement]) -> fmt::Result {
    let mut told: Vec<&NotChecked> = Vec::new();
    for unknown in judgements.iter().flat_map(|judgement| &judgement.not_checked) {
        if !told.iter().any(|known| known.message == unknown.message) {
            told.push(unknown);
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    writeln!(page, "\n  if it does not arrive all the same, a file does not show:")?;
    told.iter()
        .try_for_each(|unknown| writeln!(page, "    {:<9} {}: {}", unknown.stage.name(), unknown.message, unknown.fix))
}
