//! Every metric: its name, what it says, and its labels.
//!
//! A label has values of a closed list, or of the configuration, or is a listed prefix: nothing that a network answers ever
//! becomes one.

/// What a family of series is.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// The name, in base units.
    pub name: &'static str,
    /// What the number says, and where to look next.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

/// Declares constants, and the list of all of them.
macro_rules! descriptors {
    ($($constant:ident: $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(#[doc = concat!("`", $name, "`")]
        pub const $constant: Descriptor = Descriptor { name: $name, help: $help, labels: &[$($label),*] };)*

        /// All of them.
        pub const ALL: &[Descriptor] = &[$($constant),*];
    };
}

descriptors! {
    RANGE_VERDICT: "egressd_range_verdict" ["list", "family", "verdict"]
        "Listed ranges by what the last check says of them. A range is blocked only on evidence; undetermined says that the \
         evidence does not suffice. Absent before the first result. Which ranges: /api/v1/ranges.";
    RANGE_BLOCKED: "egressd_range_blocked" ["prefix", "list", "mechanism"]
        "1 for each range that is blocked or partly blocked, with how; open ranges have no series. The rule that fixes it: \
         egressd export FORMAT --only missing.";
    RANGE_BLOCKED_OMITTED: "egressd_range_blocked_omitted" []
        "Blocked ranges without a series of their own in egressd_range_blocked, which is bounded. All are in /api/v1/ranges.";
    ENDPOINT_UP: "egressd_endpoint_up" ["endpoint", "direction", "path"]
        "1 where transfers with the endpoint pass, 0 where they fail, always or at some of its addresses. Absent where the \
         evidence does not suffice, so that absence is never health.";
    ENDPOINT_FAILURE: "egressd_endpoint_failure" ["endpoint", "layer", "mechanism"]
        "1 for each endpoint that fails, with the first layer that does and how; mechanism is none where nobody interferes \
         as far as is known. What to do: egressd explain MECHANISM, and /api/v1/diagnoses.";
    ENDPOINT_PHASE: "egressd_endpoint_phase_seconds" ["endpoint", "phase"]
        "Median time of a phase in the last check over the addresses of the endpoint, over the path that programs take. \
         Absent where the phase was not reached or failed.";
    MEDIA_SEND: "egressd_media_send_success" ["endpoint", "kind"]
        "1 for each kind of file that arrived as it was sent the last time, 0 for each that did not; absent where none is sent. \
         What breaks it: egressd media send --config F.";
    FEED_INFO: "egressd_feed_info" ["source", "serial"]
        "1 for the list in force: which publication, and its serial where it has one.";
    FEED_TIMESTAMP: "egressd_feed_timestamp_seconds" []
        "When the list in force was published, in seconds since 1970; absent where it has no date. Firewalls that were set up \
         from an old list block what was added since.";
    FEED_PREFIXES: "egressd_feed_prefixes" ["list", "family"]
        "Prefixes in the list in force.";
    ALLOWLIST_MISSING: "egressd_allowlist_missing_prefixes" ["audit"]
        "Listed prefixes that a rule set does not allow, by the name of the audit in the configuration; absent where the rule \
         set could not be read. The rules: egressd audit, then egressd export FORMAT --only missing.";
    DIAGNOSIS: "egressd_diagnosis" ["id", "severity"]
        "1 for each cause that was found; a cause that was not has no series. What it rests on and what to do: egressd \
         explain ID, and /api/v1/diagnoses.";
    CONTROLS_OK: "egressd_controls_ok" []
        "1 while addresses that must answer did in the last check, 0 where they did not: then the own uplink is the first \
         suspect and nothing is called blocked.";
    PAUSED: "egressd_judgement_paused" ["reason"]
        "1 while verdicts are held as they were, since nothing could be judged: the own uplink is down, or this host lacks \
         descriptors or processor time.";
    MAINTENANCE: "egressd_maintenance" []
        "1 while a maintenance window is open: verdicts are made, and changes are not announced.";
    STATE_WRITABLE: "egressd_state_writable" []
        "0 while results cannot be kept on disk, for which the log has the reason; checks go on.";
    FLAPPING: "egressd_flapping" ["subject"]
        "Ranges or endpoints whose verdict changes so often that it is held as it was; which: /api/v1/history.";
    CHECK_LAST_SUCCESS: "egressd_check_last_success_timestamp_seconds" ["check"]
        "When a check last came to a result, in seconds since 1970; absent before the first.";
    CHECK_DURATION: "egressd_check_duration_seconds" ["check"]
        "How long the last check took.";
    CHECK_INTERVAL: "egressd_check_interval_seconds" ["check"]
        "The longest time between two checks, as configured; each is cut short at random by 5 to 15 %.";
    CHECK_NEXT: "egressd_check_next_timestamp_seconds" ["check"]
        "When a check is due next, in seconds since 1970. A time that lies minutes in the past says that the daemon hangs.";
    CHECKS_FAILED: "egressd_checks_failed_total" ["check"]
        "Checks that came to no result because this host or the configuration did not let them; the log says why.";
    CHECKS_LATE: "egressd_checks_late_total" ["check"]
        "Checks that began later than they were due, because the one before still ran or the host was busy.";
    PROBES: "egressd_probes_total" ["outcome"]
        "Connection attempts to listed ranges by what came of them. A fall to zero with checks under way is a fault here.";
    RELOAD_SUCCESSFUL: "egressd_config_last_reload_successful" []
        "0 while the configuration file is wrong and the one before it stays in force: egressd config check FILE says where.";
    BUILD_INFO: "egressd_build_info" ["version"]
        "1, with the version of the program.";
    HTTP_REQUESTS: "egressd_http_requests_total" ["route", "code"]
        "Answered requests by route and status.";
    HTTP_CONNECTIONS: "egressd_http_connections" []
        "Open connections of clients.";
    HTTP_REFUSED: "egressd_http_connections_refused_total" ["reason"]
        "Connections that were closed by the server, by reason: idle ones that made place for new ones, such as came when all \
         were busy, and broken TLS handshakes.";
    WEBHOOK_EVENTS: "egressd_webhook_events_total" ["outcome"]
        "Events for the webhook by what became of them: delivered, refused by the receiver for good, given up after the last \
         try, or dropped because the queue was full.";
    WEBHOOK_QUEUE: "egressd_webhook_queue_length" []
        "Events that wait for the webhook's receiver.";
}
