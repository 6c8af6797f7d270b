-- Clubs, courts, markers, clips, kiosk passes. Conventions: see 0001.
--
-- References are not enforced while migrations run (they are checked at the end of this one), so that a table can be
-- rebuilt: with them, DROP TABLE would take the gaps of every recording along.

-- Tenants. A number is never given out again: it stands in session ids and folder names.
CREATE TABLE clubs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL COLLATE NOCASE UNIQUE,
    -- IANA name, e.g. Europe/Paris: what "today" means for this club.
    timezone   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Courts: the places of a club that are recorded.
CREATE TABLE terrains (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    club_id    INTEGER NOT NULL REFERENCES clubs (id) ON DELETE RESTRICT,
    name       TEXT NOT NULL COLLATE NOCASE,
    -- The truth about which camera looks at which court. cameras.terrain_id follows it (the lowest court of a camera
    -- that several courts share), and so does cameras.club_id of a camera that had no club; the statements that write
    -- courts and cameras see to it.
    camera_id  INTEGER REFERENCES cameras (id) ON DELETE SET NULL,
    enabled    INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (club_id, name)
) STRICT;
CREATE INDEX terrains_camera ON terrains (camera_id);

-- Numbers that stood at users and cameras before there were clubs become clubs, so that nobody loses sight of
-- anything.
INSERT INTO clubs (id, name, timezone, created_at, updated_at)
SELECT id, 'Club ' || id, 'UTC', at, at
FROM (SELECT club_id AS id, min(created_at) AS at
      FROM (SELECT club_id, created_at FROM users
            UNION ALL SELECT club_id, created_at FROM cameras
            UNION ALL SELECT club_id, created_at FROM api_tokens)
      WHERE club_id > 0 GROUP BY club_id);
UPDATE users SET club_id = NULL WHERE club_id <= 0;
INSERT INTO terrains (id, club_id, name, camera_id, created_at, updated_at)
SELECT terrain_id, club_id, 'Court ' || terrain_id, min(id), created_at, created_at
FROM cameras WHERE club_id IS NOT NULL AND terrain_id > 0 GROUP BY terrain_id;
UPDATE cameras SET terrain_id = (SELECT min(t.id) FROM terrains t WHERE t.camera_id = cameras.id);

-- Recordings gain the kind `clip` and what a clip was cut from. A list in a CHECK cannot be changed in place.
CREATE TABLE recordings_new (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT NOT NULL CHECK (kind IN ('session', 'clip')),
    session_id   TEXT REFERENCES capture_sessions (id),
    camera_id    INTEGER REFERENCES cameras (id) ON DELETE SET NULL,
    -- The name then: a deleted camera's recordings can still be told apart.
    camera_name  TEXT NOT NULL,
    club_id      INTEGER NOT NULL DEFAULT 0,
    terrain_id   INTEGER,
    user_id      INTEGER REFERENCES users (id) ON DELETE SET NULL,
    -- Below the media folder, parts separated by "/": videos/<club>/<session>.mp4, then <session>_2.mp4 …; clips are
    -- videos/<club>/<session>_clip<n>.mp4.
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
    error        TEXT,
    -- Of a clip: the recording it was cut from; NULL when it came from the ring, or that recording is gone.
    clip_of      INTEGER REFERENCES recordings (id) ON DELETE SET NULL,
    CHECK (kind = 'clip' OR clip_of IS NULL)
) STRICT;
INSERT INTO recordings_new (id, kind, session_id, camera_id, camera_name, club_id, terrain_id, user_id, path, state,
    started_at, ended_at, planned_ms, duration_ms, size_bytes, frames, interrupted, locked, mode, codec, audio_codec,
    width, height, checksum, error)
SELECT id, kind, session_id, camera_id, camera_name, club_id, terrain_id, user_id, path, state,
    started_at, ended_at, planned_ms, duration_ms, size_bytes, frames, interrupted, locked, mode, codec, audio_codec,
    width, height, checksum, error
FROM recordings;
-- Numbers of deleted recordings stay used up.
DELETE FROM sqlite_sequence WHERE name = 'recordings_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'recordings_new', seq FROM sqlite_sequence WHERE name = 'recordings';
DROP TABLE recordings;
ALTER TABLE recordings_new RENAME TO recordings;
CREATE INDEX recordings_session ON recordings (session_id, id);
CREATE INDEX recordings_club ON recordings (club_id, started_at);
CREATE INDEX recordings_unfinished ON recordings (state) WHERE state IN ('open', 'deleting');
CREATE INDEX recordings_clip_of ON recordings (clip_of) WHERE clip_of IS NOT NULL;

-- Moments of a session that somebody wants to find again.
CREATE TABLE markers (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id   TEXT NOT NULL REFERENCES capture_sessions (id),
    -- NULL when nothing was being recorded, or that recording is gone.
    recording_id INTEGER REFERENCES recordings (id) ON DELETE SET NULL,
    at           INTEGER NOT NULL,
    -- On the recording's edited timeline.
    offset_ms    INTEGER,
    label        TEXT,
    user_id      INTEGER REFERENCES users (id) ON DELETE SET NULL,
    -- The clip that was kept of it.
    clip_id      INTEGER REFERENCES recordings (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX markers_session ON markers (session_id, at);
CREATE INDEX markers_recording ON markers (recording_id) WHERE recording_id IS NOT NULL;
CREATE INDEX markers_clip ON markers (clip_id) WHERE clip_id IS NOT NULL;

-- Not NULL = a kiosk pass: it opens this court and nothing else. It goes with its court, for a pass that lost its
-- court would open more than before.
ALTER TABLE api_tokens ADD COLUMN terrain_id INTEGER REFERENCES terrains (id) ON DELETE CASCADE;

-- When it was ended by hand. Such a row stays, its end moved to that of the last access token made from it, so that a
-- restart does not revive that token.
ALTER TABLE sign_ins ADD COLUMN ended_at INTEGER;

-- Refused sign-ins are the one thing in the audit that strangers can write: they are bounded (see MAX_REFUSED).
CREATE INDEX audit_refused ON audit (id) WHERE action = 'login.refused';

-- Nothing may point at what is not there; a count other than 0 undoes the migration.
CREATE TABLE references_checked (dangling INTEGER NOT NULL CHECK (dangling = 0)) STRICT;
INSERT INTO references_checked SELECT count(*) FROM pragma_foreign_key_check;
DROP TABLE references_checked;
