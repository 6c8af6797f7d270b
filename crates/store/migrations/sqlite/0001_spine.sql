-- The spine: people, cameras, capture sessions, recordings, events, settings.
--
-- Units and conventions, true for every table:
--   * times   INTEGER, milliseconds since 1970-01-01T00:00:00Z, names end in _at (or are from_at / to_at)
--   * lengths INTEGER milliseconds (_ms) or bytes (_bytes)
--   * flags   INTEGER 0 or 1
--   * words   TEXT from a fixed list; the list is a CHECK here and an enum in entity.rs
--   * secrets never stand here in clear: either a one-way hash, or sealed with XChaCha20-Poly1305 under the key file,
--     the table, the row's number and the column being part of what is authenticated. A sealed value moved to another
--     row or column does not open.
--   * tables are STRICT: a value of the wrong type is an error of the statement, not a surprise of the next reader.
--   * numbers of deleted rows are not given out again (AUTOINCREMENT): they stand in file names, logs and sealed data.

-- People who can sign in. Invariant (kept by control): at least one enabled SUPER_ADMIN once set-up is done.
CREATE TABLE users (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Compared without regard to ASCII case, so that "Admin" cannot pose as "admin".
    username        TEXT NOT NULL COLLATE NOCASE UNIQUE,
    -- Argon2id, PHC string. Cost and salt are inside it.
    password_hash   TEXT NOT NULL,
    role            TEXT NOT NULL CHECK (role IN ('SUPER_ADMIN', 'CLUB_ADMIN', 'PLAYER')),
    -- NULL for super administrators. Clubs get a table, and this a reference, with the courts.
    club_id         INTEGER,
    enabled         INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    -- Part of every access token; one more than before = everything issued earlier is void at once.
    token_version   INTEGER NOT NULL DEFAULT 0,
    -- Sealed. For RTSP and ONVIF; generated, never the login password. NULL until its owner asks for one.
    stream_password BLOB,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    last_login_at   INTEGER
) STRICT;

-- One row per browser or program that signed in and has not signed out: what a refresh token stands for.
CREATE TABLE sign_ins (
    -- Random; stands in access tokens too, so that signing out here ends them there.
    id         TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- SHA-256 of the refresh token (256 random bits: needs no slow hash).
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_ins_user ON sign_ins (user_id);

-- Long-lived tokens for programs. Works only while its maker is enabled.
CREATE TABLE api_tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    -- SHA-256 of the token (256 random bits).
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    -- At most the maker's role; checked when made and again on each use.
    role       TEXT NOT NULL CHECK (role IN ('SUPER_ADMIN', 'CLUB_ADMIN', 'PLAYER')),
    club_id    INTEGER,
    read_only  INTEGER NOT NULL DEFAULT 0 CHECK (read_only IN (0, 1)),
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;

-- Video sources, as people or the configuration file describe them.
CREATE TABLE cameras (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The name in paths: [a-z][a-z0-9-]{0,62}; reserved words are refused by control.
    slug                 TEXT NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 63),
    name                 TEXT NOT NULL COLLATE NOCASE,
    -- An entry of the source list.
    connection_type      TEXT NOT NULL,
    -- Printable URLs: without user information, values of secret query keys as ***. The true one is in `secrets`
    -- whenever it differs.
    primary_stream_url   TEXT,
    secondary_stream_url TEXT,
    snapshot_url         TEXT,
    username             TEXT,
    -- JSON objects.
    connection_config    TEXT NOT NULL DEFAULT '{}',
    cloud_config         TEXT NOT NULL DEFAULT '{}',
    -- Sealed JSON: {"password": …, "primary_stream_url": …, …}. NULL when there is no secret.
    secrets              BLOB,
    manufacturer         TEXT,
    model                TEXT,
    firmware_version     TEXT,
    serial_number        TEXT,
    club_id              INTEGER,
    terrain_id           INTEGER,
    enabled              INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    always_on            INTEGER NOT NULL DEFAULT 0 CHECK (always_on IN (0, 1)),
    -- JSON array of strings.
    tags                 TEXT NOT NULL DEFAULT '[]',
    -- JSON array of the fields that the configuration file sets; not empty = declared in the file, key is the slug.
    declared_fields      TEXT NOT NULL DEFAULT '[]',
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL
) STRICT;
-- One name per club; cameras without a club share the club 0.
CREATE UNIQUE INDEX cameras_name ON cameras (coalesce(club_id, 0), name COLLATE NOCASE);

-- What was observed about a camera. Apart from `cameras` because it is written often and may be lost without harm
-- (these writes are not synchronous), while what people say may not.
CREATE TABLE camera_health (
    camera_id         INTEGER PRIMARY KEY REFERENCES cameras (id) ON DELETE CASCADE,
    level             TEXT NOT NULL DEFAULT 'unknown'
                      CHECK (level IN ('excellent', 'good', 'fair', 'poor', 'offline', 'unknown')),
    checked_at        INTEGER,
    -- When media last flowed.
    last_seen_at      INTEGER,
    -- Consecutive failures: the place in the back-off table, which survives a restart.
    failures          INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    next_attempt_at   INTEGER,
    suspended         INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1)),
    -- Redacted sentence.
    last_error        TEXT,
    -- 0–100 over thirty days; NULL before anything was observed.
    uptime_percentage REAL CHECK (uptime_percentage BETWEEN 0 AND 100)
) STRICT;

-- The tracks of a stream when it was last seen, so that a client can be told them before the camera answers.
CREATE TABLE remembered_streams (
    camera_id   INTEGER NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    stream      TEXT NOT NULL CHECK (stream IN ('main', 'sub')),
    -- JSON of control::remember, parameter sets in base64.
    description TEXT NOT NULL,
    seen_at     INTEGER NOT NULL,
    PRIMARY KEY (camera_id, stream)
) STRICT, WITHOUT ROWID;

-- Capture sessions: a person's reservation of a camera's stream. Rows stay when a session is over; recordings refer
-- to them. Invariant: closed_at is set exactly when state is CLOSED.
CREATE TABLE capture_sessions (
    -- sess_<club>_<terrain>_<unix seconds>; court-less sess_0_<camera>_<unix seconds>.
    id               TEXT PRIMARY KEY,
    camera_id        INTEGER REFERENCES cameras (id) ON DELETE SET NULL,
    -- 0 without a court.
    club_id          INTEGER NOT NULL DEFAULT 0,
    terrain_id       INTEGER,
    user_id          INTEGER REFERENCES users (id) ON DELETE SET NULL,
    state            TEXT NOT NULL CHECK (state IN ('CREATING_SESSION', 'SESSION_CREATED', 'STARTING_RECORDING',
                     'RECORDING', 'STOPPING', 'COMPLETE', 'FAILED', 'CLOSED')),
    created_at       INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    closed_at        INTEGER,
    -- Redacted sentence.
    error            TEXT,
    CHECK ((state = 'CLOSED') = (closed_at IS NOT NULL))
) STRICT;
CREATE INDEX capture_sessions_open ON capture_sessions (created_at) WHERE closed_at IS NULL;

-- Recorded files. Order of effects: a row exists from the moment before the file is opened (`open`), is sealed after
-- the file was synced, and goes after the file was unlinked. A state only ever moves
--     open → sealed | failed,   sealed | failed → deleting,   deleting → (no row).
-- At start only `open` and `deleting` rows are looked at.
CREATE TABLE recordings (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT NOT NULL CHECK (kind IN ('session')),
    session_id   TEXT REFERENCES capture_sessions (id),
    camera_id    INTEGER REFERENCES cameras (id) ON DELETE SET NULL,
    -- The name then: a deleted camera's recordings can still be told apart.
    camera_name  TEXT NOT NULL,
    club_id      INTEGER NOT NULL DEFAULT 0,
    terrain_id   INTEGER,
    user_id      INTEGER REFERENCES users (id) ON DELETE SET NULL,
    -- Below the media folder, parts separated by "/": videos/<club>/<session>.mp4, then <session>_2.mp4 …
    path         TEXT NOT NULL UNIQUE CHECK (path NOT LIKE '/%' AND path NOT LIKE '%..%'),
    state        TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'sealed', 'failed', 'deleting')),
    -- The click, which is zero of the edited timeline: pictures before it are in the file but hidden.
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    planned_ms   INTEGER NOT NULL CHECK (planned_ms > 0),
    duration_ms  INTEGER NOT NULL DEFAULT 0,
    -- Bytes of media; a reserve that was not needed is not counted.
    size_bytes   INTEGER NOT NULL DEFAULT 0,
    frames       INTEGER NOT NULL DEFAULT 0,
    -- The process died while it was open; the repair sealed it.
    interrupted  INTEGER NOT NULL DEFAULT 0 CHECK (interrupted IN (0, 1)),
    -- Neither retention nor people may delete it.
    locked       INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),
    mode         TEXT NOT NULL CHECK (mode IN ('copy', 'encode')),
    codec        TEXT,
    audio_codec  TEXT,
    width        INTEGER,
    height       INTEGER,
    -- SHA-256 in hex, when somebody asked for it.
    checksum     TEXT,
    error        TEXT
) STRICT;
CREATE INDEX recordings_session ON recordings (session_id, id);
CREATE INDEX recordings_club ON recordings (club_id, started_at);
CREATE INDEX recordings_unfinished ON recordings (state) WHERE state IN ('open', 'deleting');

-- Holes in a recording, with the reason. Never overlapping, in order of from_at.
CREATE TABLE gaps (
    id           INTEGER PRIMARY KEY,
    recording_id INTEGER NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    from_at      INTEGER NOT NULL,
    -- NULL while it lasts.
    to_at        INTEGER,
    -- Where it begins on the file's own timeline.
    offset_ms    INTEGER NOT NULL,
    -- A word of hub::GapCause.
    cause        TEXT NOT NULL
) STRICT;
CREATE INDEX gaps_recording ON gaps (recording_id, from_at);

-- What happened. Bounded: the oldest go (see MAX_EVENTS). No references, so that an event outlives what it is about.
CREATE TABLE events (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    -- A stable word: camera_online, camera_offline, recording_started, …
    kind         TEXT NOT NULL,
    camera_id    INTEGER,
    session_id   TEXT,
    recording_id INTEGER,
    -- Redacted sentence.
    message      TEXT NOT NULL,
    -- JSON.
    data         TEXT NOT NULL DEFAULT 'null'
) STRICT;
CREATE INDEX events_camera ON events (camera_id, id);
CREATE INDEX events_session ON events (session_id, id);

-- Who did what. Only ever added to.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    user_id INTEGER,
    -- The name then.
    actor   TEXT NOT NULL,
    -- A stable word: login, camera.create, recording.delete, …
    action  TEXT NOT NULL,
    -- camera/3, user/1, …
    target  TEXT NOT NULL,
    address TEXT,
    -- JSON, without secrets.
    details TEXT NOT NULL DEFAULT 'null'
) STRICT;

-- Settings that people change while Vigie runs; values are JSON.
CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
