-- Version 1. Times are milliseconds since 1970 in UTC; what is JSON says so. An index on one column is in the order of the
-- ids as well, which is that of the pages.

-- One row for each check that came to an end.
CREATE TABLE checks (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,           -- ranges, endpoints, media, feed
    seconds REAL    NOT NULL,
    failing INTEGER NOT NULL            -- 1: not all was well
) STRICT;
CREATE INDEX checks_at ON checks (failing, at);

-- A verdict that changed.
CREATE TABLE transitions (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL,         -- range, endpoint, media, site
    subject   TEXT    NOT NULL,         -- a prefix, the name of an endpoint, a channel
    before    TEXT,                     -- the verdict until then; NULL: it is the first
    after     TEXT    NOT NULL,
    layer     TEXT,
    mechanism TEXT,
    failing   INTEGER NOT NULL,         -- 1: the new verdict accuses
    evidence  TEXT    NOT NULL          -- JSON
) STRICT;
CREATE INDEX transitions_at ON transitions (failing, at);
CREATE INDEX transitions_subject ON transitions (subject);

-- What one check of an endpoint came to; seconds of each phase that was reached.
CREATE TABLE endpoint_results (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    endpoint  TEXT    NOT NULL,
    direction TEXT    NOT NULL,         -- send, receive
    path      TEXT    NOT NULL,         -- direct, proxy
    verdict   TEXT    NOT NULL,
    layer     TEXT,
    mechanism TEXT,
    reason    TEXT,
    failing   INTEGER NOT NULL,
    dns       REAL,
    connect   REAL,
    tls       REAL,
    http      REAL,
    transfer  REAL
) STRICT;
CREATE INDEX endpoint_results_at ON endpoint_results (failing, at);
CREATE INDEX endpoint_results_endpoint ON endpoint_results (endpoint);

-- What one media file that was sent came to.
CREATE TABLE media_results (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    endpoint  TEXT    NOT NULL,
    kind      TEXT    NOT NULL,         -- image, video, audio, document
    verdict   TEXT    NOT NULL,
    failing   INTEGER NOT NULL,
    seconds   REAL,
    detail    TEXT    NOT NULL          -- JSON
) STRICT;
CREATE INDEX media_results_at ON media_results (failing, at);

-- A range that came into a published list or left it. The same change is kept once, however often it is told.
CREATE TABLE feed_changes (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    source   TEXT    NOT NULL,          -- ip-ranges, list-cloudfront-ips
    change   TEXT    NOT NULL,          -- added, withdrawn, returned, dropped
    prefix   TEXT    NOT NULL,
    list     TEXT    NOT NULL,          -- global, regional-edge
    serial   TEXT,                      -- of the list that shows it
    previous TEXT,                      -- of the list before
    UNIQUE (at, source, change, prefix, list)
) STRICT;
