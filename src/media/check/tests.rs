//! Each sentence of the two pages, by the name of its rule; `tests/media/sentences.md` says which test is whose.

use std::path::PathBuf;

use super::*;
use crate::media::inspect::{AudioTrack, Details, Fault, Inspection, MediaType, VideoTrack};

/// A file of a type and a length, sent under a name.
struct Sent {
    name: PathBuf,
    inspection: Inspection,
    declared_type: Option<&'static str>,
    last_inbound: LastInbound,
    with_text: bool,
    template: bool,
    column: Column,
}

fn sent(name: &str, bytes: u64) -> Sent {
    let rules = Rules::embedded();
    let extension = name.rsplit('.').next().unwrap();
    let known = rules.file_type(extension).unwrap();
    let media_type = MediaType { name: known.media_type.clone(), extension: extension.to_owned() };
    let mut details = Details::default();
    match known.kind {
        Kind::Image => (details.width, details.height) = (Some(640), Some(480)),
        Kind::Video => (details.video, details.audio) = (vec![video("h264")], vec![audio("aac")]),
        Kind::Audio if extension == "ogg" => details.audio = vec![audio("opus")],
        _ => {}
    }
    Sent {
        name: name.into(),
        inspection: Inspection { bytes, media_type, kind: known.kind, details },
        declared_type: None,
        last_inbound: LastInbound::Unknown,
        with_text: false,
        template: false,
        column: Column::Seed,
    }
}

fn video(codec: &'static str) -> VideoTrack {
    VideoTrack { codec, ..VideoTrack::default() }
}

fn audio(codec: &'static str) -> AudioTrack {
    AudioTrack { codec, channels: Some(1), ..AudioTrack::default() }
}

impl Sent {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn hours_ago(self, hours: u64) -> Self {
        self.with(|sent| sent.last_inbound = LastInbound::Ago(Duration::from_hours(hours)))
    }

    fn to(&self, channel: &str) -> Judgement {
        let rules = Rules::embedded();
        let (name, provider) =
            channel.split_once(':').map_or((channel, None), |(name, provider)| (name, Some(provider)));
        let to = Destination { channel: rules.channel(name).unwrap(), provider };
        let Self { declared_type, last_inbound, with_text, template, .. } = *self;
        let inspection = &self.inspection;
        let sending = Sending { file: &self.name, inspection, declared_type, last_inbound, with_text, template };
        judge(&sending, to, &rules, self.column)
    }
}

impl Judgement {
    fn by(&self, rule: &str) -> Option<Severity> {
        self.reasons.iter().find(|reason| reason.rule == rule).map(|reason| reason.severity)
    }
}

const MB: u64 = 1_000_000;
const MIB: u64 = 1 << 20;

/// Fits, may fit, may fit, does not fit.
fn around(rule: &str, channel: &str, name: &str, fits: u64, may_fit: u64, over: Severity) {
    let by = |bytes| sent(name, bytes).to(channel).by(rule);
    let due = [None, Some(Severity::AtRisk), Some(Severity::AtRisk), Some(over)];
    assert_eq!([by(fits), by(fits + 1), by(may_fit), by(may_fit + 1)], due, "{rule} on {channel}");
}

#[test]
fn sizes_of_the_channel_table_hold_to_the_byte() {
    for (rule, channel, name, limit) in [
        ("size.messenger", "messenger", "a.jpg", 25),
        ("size.messenger", "messenger", "a.mp4", 25),
        ("size.wa.chatapi", "whatsapp:chat-api", "a.jpg", 1),
        ("size.wa.chatapi", "whatsapp:chat-api", "a.pdf", 1),
        ("size.wa.twilio", "whatsapp:twilio", "a.pdf", 16),
        ("size.wa.messagebird.image", "whatsapp:messagebird", "a.png", 16),
        ("size.wa.messagebird.other", "whatsapp:messagebird", "a.mp4", 100),
        ("size.wa.vonage.image", "whatsapp:vonage", "a.png", 16),
        ("size.wa.vonage.other", "whatsapp:vonage", "a.mp3", 100),
        ("size.wa.360dialog.image", "whatsapp:360dialog", "a.png", 16),
        ("size.wa.360dialog.other", "whatsapp:360dialog", "a.pdf", 100),
        ("size.wechat.image", "wechat", "a.png", 5),
        ("size.wechat.other", "wechat", "a.pdf", 25),
        ("size.twitter.image", "twitter", "a.gif", 5),
        ("size.twitter.other", "twitter", "a.mp4", 20),
        ("size.line", "line", "a.mp3", 10),
        ("size.telegram.image", "telegram", "a.bmp", 5),
        ("size.telegram.other", "telegram", "a.zip", 50),
        ("size.viber.image", "viber", "a.jpg", 1),
        ("size.viber.other", "viber", "a.tar", 50),
        ("size.sms.twilio", "sms:twilio", "a.jpg", 1),
        ("size.sms.messagebird", "sms:messagebird", "a.wav", 1),
        ("size.sms.vonage", "sms:vonage", "a.txt", 1),
    ] {
        around(rule, channel, name, limit * MB, limit * MIB, Severity::Link);
    }
}

#[test]
fn whatsapp_limits_hold_behind_every_provider() {
    for provider in ["chat-api", "twilio", "messagebird", "vonage", "360dialog"] {
        let channel = format!("whatsapp:{provider}");
        around("wa.size.image", &channel, "a.jpg", 5 * MB, 5 * MIB, Severity::Link);
        around("wa.size.audio", &channel, "a.mp3", 16 * MB, 16 * MIB, Severity::Link);
        around("wa.size.video", &channel, "a.mp4", 16 * MB, 16 * MIB, Severity::Link);
        around("wa.size.sticker", &channel, "a.webp", 100_000, 102_400, Severity::Link);
        let disputed = !["chat-api", "twilio"].contains(&provider);
        let over = if disputed { Severity::AtRisk } else { Severity::Link };
        around("wa.size.document", &channel, "a.pdf", 16 * MB, 16 * MIB, over);
    }
}

#[test]
fn the_strictest_limit_decides() {
    for (channel, name, bytes, due) in [
        ("whatsapp:chat-api", "a.jpg", MB, Verdict::WillSend),
        ("whatsapp:chat-api", "a.jpg", MIB + 1, Verdict::WillSendAsLink),
        ("whatsapp:twilio", "a.jpg", 5 * MB, Verdict::WillSend),
        ("whatsapp:twilio", "a.jpg", 6 * MB, Verdict::WillSendAsLink),
        ("whatsapp:twilio", "a.mp4", 16 * MB, Verdict::WillSend),
        ("whatsapp:twilio", "a.pdf", 17 * MB, Verdict::WillSendAsLink),
        ("whatsapp:vonage", "a.jpg", 6 * MB, Verdict::WillSendAsLink),
        ("whatsapp:vonage", "a.mp4", 17 * MB, Verdict::WillSendAsLink),
        ("whatsapp:vonage", "a.pdf", 17 * MB, Verdict::AtRisk),
        ("messenger", "a.mp4", 20 * MB, Verdict::WillSend),
        ("messenger", "a.mp4", 24 * MB, Verdict::WillFail),
        ("telegram", "a.zip", 20 * MB + 1, Verdict::AtRisk),
    ] {
        assert_eq!(sent(name, bytes).to(channel).verdict, due, "{channel} {name} {bytes}");
    }
}

#[test]
fn the_platform_takes_its_types_and_no_others() {
    let rules = Rules::embedded();
    for known in &rules.file_types {
        let Effect::UploadTypes(types) = &rules.rule("platform.types").unwrap().effect else { panic!("types") };
        let refused = sent(&format!("a.{}", known.extension), 9).to("telegram").by("platform.types");
        assert_eq!(refused.is_none(), types.contains(&known.extension), "{}", known.extension);
    }
    let renamed = sent("a.jpg", 9).with(|sent| sent.name = "photo".into()).to("telegram");
    assert_eq!(renamed.verdict, Verdict::WillFail);
    assert_eq!(renamed.reasons[0].fix.as_deref(), Some("cp photo photo-repaired.jpg"));
    assert_eq!(
        sent("A.JPG", 9).with(|sent| sent.inspection.media_type.extension = "jpg".into()).to("line").verdict,
        Verdict::WillSend
    );
}

#[test]
fn the_platform_takes_20_mb() {
    around("platform.max_size", "telegram", "a.zip", 20 * MB, 20 * MIB, Severity::Fails);
}

#[test]
fn whatsapp_takes_its_types_and_gets_links_for_others() {
    for (name, rule, fired) in [
        ("a.jpg", "wa.types.image", false),
        ("a.jpeg", "wa.types.image", false),
        ("a.png", "wa.types.image", false),
        ("a.webp", "wa.types.image", false),
        ("a.gif", "wa.types.image", true),
        ("a.bmp", "wa.types.image", true),
        ("a.mp3", "wa.types.audio", false),
        ("a.ogg", "wa.types.audio", false),
        ("a.opus", "wa.types.audio", false),
        ("a.amr", "wa.types.audio", false),
        ("a.aac", "wa.types.audio", false),
        ("a.wav", "wa.types.audio", true),
        ("a.m4a", "wa.types.audio", true),
        ("a.pdf", "wa.types.document", false),
        ("a.doc", "wa.types.document", false),
        ("a.docx", "wa.types.document", false),
        ("a.pptx", "wa.types.document", false),
        ("a.xlsx", "wa.types.document", false),
        ("a.ppt", "wa.types.document", true),
        ("a.xls", "wa.types.document", true),
        ("a.txt", "wa.types.document", true),
        ("a.zip", "wa.types.document", true),
        ("a.mp4", "wa.types.video", false),
        ("a.mov", "wa.types.video", true),
        ("a.mpg", "wa.types.video", true),
        ("a.3gp", "wa.types.video", true),
    ] {
        let due = fired.then_some(Severity::Link);
        assert_eq!(sent(name, 9).to("whatsapp:twilio").by(rule), due, "{name}");
    }
    // Content decides what a name leaves open: 3GP without a picture, and MPEG that is sound.
    let sound = |sent: &mut Sent| (sent.inspection.kind, sent.inspection.details.video) = (Kind::Audio, vec![]);
    // (m4a and its kin, which public documents name in its place, make it a warning.)
    assert_eq!(sent("a.3gp", 9).with(sound).to("whatsapp:twilio").by("wa.types.audio"), Some(Severity::Warning));
    let mpeg = sent("a.mpeg", 9).with(sound).with(|sent| sent.inspection.media_type.name = "audio/mpeg".into());
    assert_eq!(mpeg.to("whatsapp:twilio").verdict, Verdict::WillSend);
}

#[test]
fn heic_is_an_image_to_convert() {
    let judged = sent("a.heic", 9).to("whatsapp:twilio");
    assert_eq!((judged.verdict, judged.by("wa.heic")), (Verdict::WillFail, Some(Severity::Fails)));
    assert!(judged.reasons.iter().all(|reason| reason.fix.as_ref().is_some_and(|fix| fix.starts_with("convert - "))));
}

#[test]
fn mp4_is_h264_and_aac() {
    let with = |picture, sound| {
        sent("a.mp4", 9).with(|sent| {
            (sent.inspection.details.video, sent.inspection.details.audio) = (vec![video(picture)], vec![audio(sound)]);
        })
    };
    assert_eq!(with("h264", "aac").to("whatsapp:twilio").by("wa.video.codec"), None);
    for (picture, sound) in [("hevc", "aac"), ("h264", "mp3"), ("mpeg4", "opus")] {
        let judged = with(picture, sound).to("whatsapp:twilio");
        assert_eq!((judged.verdict, judged.by("wa.video.codec")), (Verdict::WillFail, Some(Severity::Fails)));
        assert_eq!(with(picture, sound).to("telegram").verdict, Verdict::WillSend);
    }
}

#[test]
fn ogg_is_opus() {
    let vorbis = |name| sent(name, 9).with(|sent| sent.inspection.details.audio = vec![audio("vorbis")]);
    for name in ["a.ogg", "a.opus"] {
        assert_eq!(sent(name, 9).to("whatsapp:vonage").by("wa.ogg.opus"), None, "{name}");
        assert_eq!(vorbis(name).to("whatsapp:vonage").by("wa.ogg.opus"), Some(Severity::Fails), "{name}");
    }
}

#[test]
fn webp_is_a_sticker() {
    // wa.webp.sticker_only: the limit of images does not apply, that of stickers does.
    let judged = sent("a.webp", 200_000).to("whatsapp:twilio");
    assert_eq!((judged.by("wa.size.sticker"), judged.by("wa.size.image")), (Some(Severity::Link), None));
    assert_eq!(sent("a.webp", 200_000).to("telegram").by("wa.size.sticker"), None);
}

#[test]
fn a_photo_has_less_than_85_megapixels() {
    let of = |megapixels| sent("a.jpg", 9).with(|sent| sent.inspection.details.megapixels = Some(megapixels));
    let by = |megapixels, channel| of(megapixels).to(channel).by("image.megapixels");
    assert_eq!([by(84.9, "messenger"), by(85.0, "messenger")], [None, Some(Severity::Fails)]);
    assert_eq!([by(84.9, "telegram"), by(85.0, "telegram")], [None, Some(Severity::AtRisk)]);
}

#[test]
fn a_video_of_high_resolution_is_at_risk() {
    let of = |width, height| {
        sent("a.mp4", 9).with(|sent| {
            (sent.inspection.details.width, sent.inspection.details.height) = (Some(width), Some(height));
        })
    };
    let by = |width, height| of(width, height).to("line").by("video.resolution");
    assert_eq!([by(1920, 1080), by(1080, 1920), by(1920, 1200)], [None, None, Some(Severity::AtRisk)]);
}

#[test]
fn the_customer_service_window_is_open_for_less_than_its_hours() {
    for (channel, rule, hours, closed, verdict) in [
        ("whatsapp:twilio", "wa.csw", 24, Severity::NeedsTemplate, Verdict::NeedsTemplate),
        ("messenger", "messenger.window", 168, Severity::Fails, Verdict::WillFail),
        ("instagram", "instagram.window", 24, Severity::Fails, Verdict::WillFail),
        ("wechat", "wechat.window", 24, Severity::Fails, Verdict::WillFail),
    ] {
        let open = sent("a.jpg", 9).hours_ago(hours - 1).to(channel);
        assert_eq!(
            (open.by(rule).filter(|severity| *severity > Severity::Warning), open.verdict),
            (None, Verdict::WillSend),
            "{channel}"
        );
        let shut = sent("a.jpg", 9).hours_ago(hours).to(channel);
        assert_eq!((shut.by(rule), shut.verdict), (Some(closed), verdict), "{channel}");
        let late = Duration::from_mins(hours * 60 - 9);
        let late = sent("a.jpg", 9).with(|sent| sent.last_inbound = LastInbound::Ago(late)).to(channel);
        assert_eq!((late.by(rule), late.verdict), (Some(Severity::Warning), Verdict::WillSend), "{channel}");
    }
    for free in ["twitter", "line", "telegram", "viber", "sms:vonage"] {
        assert_eq!(sent("a.jpg", 9).hours_ago(9999).to(free).verdict, Verdict::WillSend, "{free}");
    }
}

#[test]
fn the_window_comes_before_type_and_size() {
    // fallback.link, wa.trouble.session: a link is free-form text too.
    for (name, bytes) in [("a.zip", 9), ("a.jpg", 9 * MB), ("a.gif", 9)] {
        assert_eq!(sent(name, bytes).hours_ago(1).to("whatsapp:twilio").verdict, Verdict::WillSendAsLink);
        assert_eq!(sent(name, bytes).hours_ago(25).to("whatsapp:twilio").verdict, Verdict::NeedsTemplate);
    }
    assert_eq!(sent("a.zip", 21 * MIB).hours_ago(25).to("whatsapp:twilio").verdict, Verdict::WillFail);
}

#[test]
fn a_business_begins_with_a_template() {
    // wa.conv.initiate, wa.csw.auto_template, template.only_wa
    let never = |name: &str| sent(name, 9).with(|sent| sent.last_inbound = LastInbound::Never);
    let judged = never("a.jpg").to("whatsapp:twilio");
    assert_eq!(
        (judged.verdict, judged.by("wa.conv.initiate")),
        (Verdict::NeedsTemplate, Some(Severity::NeedsTemplate))
    );
    let template = |name: &str| never(name).with(|sent| sent.template = true);
    assert_eq!(template("a.jpg").to("whatsapp:twilio").verdict, Verdict::WillSend);
    let sound = template("a.mp3").to("whatsapp:twilio");
    assert_eq!((sound.verdict, sound.by("wa.csw.auto_template")), (Verdict::WillFail, Some(Severity::Fails)));
    let elsewhere = sent("a.jpg", 9).with(|sent| sent.template = true).to("line");
    assert_eq!((elsewhere.verdict, elsewhere.by("template.only_wa")), (Verdict::WillFail, Some(Severity::Fails)));
}

#[test]
fn a_link_is_no_header_of_a_template() {
    let closed = sent("a.zip", 9).hours_ago(25).with(|sent| sent.template = true).to("whatsapp:twilio");
    assert_eq!(closed.verdict, Verdict::WillFail);
}

#[test]
fn text_with_sound_is_sent_apart() {
    let by = |name, text| sent(name, 9).with(|sent| sent.with_text = text).to("whatsapp:twilio").by("wa.body.separate");
    assert_eq!([by("a.mp3", true), by("a.mp3", false), by("a.jpg", true)], [Some(Severity::Fails), None, None]);
}

#[test]
fn type_extension_and_content_agree() {
    let declared =
        |name, declared| sent(name, 9).with(|sent| sent.declared_type = Some(declared)).to("whatsapp:twilio");
    let rule = "wa.trouble.content_type";
    for (name, of, due) in [
        ("a.png", "image/png", None),
        ("a.png", "IMAGE/PNG; charset=binary", None),
        ("a.png", "image/jpg", Some(Severity::Fails)),
        ("a.png", "text/html", Some(Severity::Fails)),
        ("a.jpg", "image/jpg", Some(Severity::Warning)),
        ("a.ogg", "audio/ogg; codecs=opus", None),
        ("a.ogg", "audio/opus", Some(Severity::Warning)),
    ] {
        assert_eq!(declared(name, of).by(rule), due, "{name} as {of}");
    }
    let misnamed = || sent("a.png", 9).with(|sent| sent.name = "a.jpg".into());
    assert_eq!(misnamed().to("whatsapp:twilio").by(rule), Some(Severity::Fails));
    assert_eq!(misnamed().to("line").by("file.agreement"), Some(Severity::AtRisk));
    let quiet = |name: &str, content: &str| {
        sent("a.txt", 9).with(|sent| {
            (sent.name, sent.inspection.media_type.name) = (name.into(), content.into());
        })
    };
    for (name, content) in
        [("a.log", "text/csv"), ("a.csv", "text/plain"), ("a.txt", "application/xml"), ("a.tgz", "application/gzip")]
    {
        assert_eq!(quiet(name, content).to("line").by("file.agreement"), None, "{name} with {content}");
    }
}

#[test]
fn what_a_file_does_not_show_is_said() {
    let judged = sent("a.jpg", 9).to("whatsapp:twilio");
    for rule in [
        "platform.file_id",
        "platform.delete",
        "network.cloudfront_allowlist",
        "wa.conv.business",
        "wa.csw",
        "bot.exit",
        "wa.trouble.fetch",
        "wa.trouble.client",
        "wa.trouble.terms",
        "wa.trouble.number",
    ] {
        assert!(judged.not_checked.iter().any(|unknown| unknown.rule == rule && !unknown.fix.is_empty()), "{rule}");
    }
    let number = judged.not_checked.iter().find(|unknown| unknown.rule == "wa.trouble.number").unwrap();
    assert!(number.fix.contains("https://wa.me/"));
    assert!(
        sent("a.jpg", 9).hours_ago(1).to("whatsapp:twilio").not_checked.iter().all(|unknown| unknown.rule != "wa.csw")
    );
}

#[test]
fn sentences_without_consequence_are_kept_and_change_nothing() {
    let rules = Rules::embedded();
    for id in [
        "platform.zip_if_over",
        "platform.role",
        "platform.sources",
        "platform.download_check",
        "platform.check_first",
        "platform.channel_differs",
        "msg.kinds",
        "wa.conv.24h",
        "wa.conv.any_type",
        "wa.conv.user",
        "wa.conv.after_reply",
        "wa.csw.pricing",
        "wa.trouble.session",
        "wa.trouble.size",
    ] {
        let rule = rules.rule(id).unwrap_or_else(|| panic!("{id}"));
        assert!(matches!(rule.effect, Effect::Info(_)) && rule.says.len() > 20, "{id}");
    }
}

#[test]
fn an_empty_or_cut_file_fails() {
    for fault in [Fault::Empty, Fault::Truncated, Fault::Malformed] {
        let judged = sent("a.jpg", 9).with(|sent| sent.inspection.details.fault = Some(fault)).to("line");
        assert_eq!((judged.verdict, judged.by("file.content")), (Verdict::WillFail, Some(Severity::Fails)));
    }
}

#[test]
fn a_password_and_macros_are_worth_a_warning() {
    let judged = sent("a.pdf", 9).with(|sent| sent.inspection.details.encrypted = Some(true)).to("line");
    assert_eq!((judged.verdict, judged.by("file.protected")), (Verdict::WillSend, Some(Severity::Warning)));
}

#[test]
fn public_documents_warn_and_decide_when_asked_to() {
    let stereo = || sent("a.ogg", 9).with(|sent| sent.inspection.details.audio[0].channels = Some(2));
    let late = || sent("a.jpg", 9).hours_ago(26);
    let observed = |sent: Sent| sent.with(|sent| sent.column = Column::Observed);
    for (made, channel, rule, due) in [
        (&stereo as &dyn Fn() -> Sent, "whatsapp:vonage", "wa.ogg.mono", Severity::Fails),
        (&late, "messenger", "messenger.window", Severity::Fails),
        (&|| sent("a.mp4", 15 * MB), "wechat", "size.wechat.other", Severity::Link),
        (&|| sent("a.pdf", 9), "line", "line.types", Severity::Link),
    ] {
        assert_eq!(made().to(channel).by(rule), Some(Severity::Warning), "{rule}");
        assert_eq!(observed(made()).to(channel).by(rule), Some(due), "{rule}");
    }
    // Where the public documents allow more, the seeds decide unless told otherwise.
    for (name, bytes, channel, before, after) in [
        ("a.txt", 9, "whatsapp:twilio", Verdict::WillSendAsLink, Verdict::WillSend),
        ("a.mp4", 15 * MB, "line", Verdict::WillSendAsLink, Verdict::WillSend),
        ("a.jpg", 9 * MB, "telegram", Verdict::WillSendAsLink, Verdict::WillSend),
    ] {
        assert_eq!(sent(name, bytes).to(channel).verdict, before, "{name} {channel}");
        assert_eq!(observed(sent(name, bytes)).to(channel).verdict, after, "{name} {channel}");
    }
    let tag = observed(late()).to("messenger");
    assert!(tag.reasons[0].fix.as_ref().unwrap().contains("HUMAN_AGENT"));
}

#[test]
fn every_reason_is_given_with_its_source() {
    let judged = sent("a.gif", 21 * MIB).hours_ago(30).to("whatsapp:chat-api");
    let fired: Vec<&str> = judged.reasons.iter().map(|reason| reason.rule.as_str()).collect();
    assert_eq!(fired, ["platform.max_size", "wa.csw", "size.wa.chatapi", "wa.types.image", "wa.size.image"]);
    assert!(judged.reasons.iter().all(|reason| reason.source.contains(".txt") && reason.source.contains("line")));
}
