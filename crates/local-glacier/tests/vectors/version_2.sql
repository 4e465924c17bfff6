-- A database of version 2 as the program wrote it, dumped by Python's sqlite3: one upload that was completed, one whose archive
-- was deleted, three that were aborted, and one in progress.
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE access_policies (
    vault INTEGER PRIMARY KEY REFERENCES vaults (id) ON DELETE CASCADE,
    policy TEXT NOT NULL
) STRICT;
CREATE TABLE archives (
    archive_id TEXT PRIMARY KEY,
    vault INTEGER NOT NULL REFERENCES vaults (id),
    content INTEGER NOT NULL UNIQUE REFERENCES contents (id),
    description TEXT,
    created INTEGER NOT NULL,
    size INTEGER NOT NULL,
    tree_hash BLOB NOT NULL
) STRICT;
INSERT INTO "archives" VALUES('U54tcmsCcumcB42lcDmFPU-ojcWe7qOKmzfqBdd0jVmlUaxrn_AGerleyAlLYxrGVzlaEI8VdtxcaTEQsERhO6RxCQpUtYlee_tIM6qgLVEVC12xL_mLofPmbPfO3fzCHbAbvrSQaT',1,1,NULL,1795291320382,4,X'79F076ABDD19A752DB7267BFFF2F9022161D120DEA919FDACA2FFDFC24CA8C96');
CREATE TABLE capacity_units (
    capacity_id TEXT PRIMARY KEY,
    started INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE TABLE contents (
    id INTEGER PRIMARY KEY
) STRICT;
INSERT INTO "contents" VALUES(1);
INSERT INTO "contents" VALUES(2);
CREATE TABLE deleted_archives (
    vault INTEGER NOT NULL REFERENCES vaults (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL, -- the row it had among the archives
    archive_id TEXT NOT NULL,
    description TEXT,
    created INTEGER NOT NULL,
    size INTEGER NOT NULL,
    tree_hash BLOB NOT NULL,
    deleted INTEGER NOT NULL
) STRICT;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    message_id TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL
) STRICT;
CREATE TABLE ended_uploads (
    upload_id TEXT PRIMARY KEY,
    vault INTEGER NOT NULL REFERENCES vaults (id),
    forget INTEGER NOT NULL,
    archive_id TEXT, -- null: aborted
    size INTEGER,
    tree_hash BLOB
) STRICT;
INSERT INTO "ended_uploads" VALUES('1EvaX4YiBiVfg-G5a77fBN6l3WZEQxMejBnGnH0k5-Igpt1J9ALwR9WLbvltAE55xUbpr9M4c9XhStCTN8blelITXuql',1,1803067320382,'U54tcmsCcumcB42lcDmFPU-ojcWe7qOKmzfqBdd0jVmlUaxrn_AGerleyAlLYxrGVzlaEI8VdtxcaTEQsERhO6RxCQpUtYlee_tIM6qgLVEVC12xL_mLofPmbPfO3fzCHbAbvrSQaT',4,X'79F076ABDD19A752DB7267BFFF2F9022161D120DEA919FDACA2FFDFC24CA8C96');
INSERT INTO "ended_uploads" VALUES('76tvU-uboH3tE5YxlpL67cLwHPWQT0GhSoFd6iWtvJA3ZGQfGJxRAjgpjMGkJc7KignaGWm4-YonpDqAyo5_DmMQHe6l',1,1803067320391,'OS9saK239N9Lv-uqtwlDmr1gAmi8nblxoqUvrT558qJPq6CZoV0pBr30CKodhIbSJzbYqM768I0d9bzdovaCghLgdOHMrCLcfrauzN_7e3QLzmSahEIpSOByCrALqU6CeGoHDDoxMW',7,X'1185F37D33B0F89E331F101A51BB8E51165C7EFDA15950B86A3EBCBB363F898E');
INSERT INTO "ended_uploads" VALUES('LfjG6j8--AMtNGBrBlNYuyAvXU79nTLCw1u8FTGdFkcFk9qt2HYmmk1ZBiurqrpTCc_vfv3cwUGdS5sar_jVrYhbriVx',1,1795377720402,NULL,NULL,NULL);
INSERT INTO "ended_uploads" VALUES('V-hxB8-ky1aC-9ct4o1nuNRI0HsH6143zeRGOvfMDeD11TJzw3HY6dJwDev8NUFNScF9vCtQCknGEjvXR3hkJa1Edj-6',1,1795377720407,NULL,NULL,NULL);
INSERT INTO "ended_uploads" VALUES('rx2Y6QgRt5uaOXXPXQjYgo8eE_md3HjsBLuFnd1AsCSI46nvLcVIXPBXv3IkTnyMIY1JxgoEq-io8Rru8yhRRcVEBP5B',2,1795377720411,NULL,NULL,NULL);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- order of initiation, never used twice: markers of lists are made of it
    job_id TEXT NOT NULL UNIQUE,
    vault INTEGER NOT NULL REFERENCES vaults (id),
    state INTEGER NOT NULL DEFAULT 0, -- 0 in progress, 1 succeeded, 2 failed
    message TEXT NOT NULL,
    description TEXT,
    topic TEXT,
    created INTEGER NOT NULL,
    due INTEGER NOT NULL, -- when work on it ends
    completed INTEGER,
    forget INTEGER, -- when job and output go; null while in progress
    is_inventory INTEGER NOT NULL,
    -- Of retrievals:
    archive_id TEXT,
    archive_description TEXT,
    archive_size INTEGER,
    archive_tree_hash BLOB,
    first_byte INTEGER, -- of the retrieved range
    end_byte INTEGER, -- one past the last
    tree_hash BLOB, -- of the range, where it has one
    tier TEXT,
    content INTEGER REFERENCES contents (id), -- once succeeded, so that the bytes outlive the archive
    -- Of inventories:
    format TEXT,
    start_date INTEGER,
    end_date INTEGER,
    most INTEGER,
    marker TEXT,
    next_marker TEXT,
    file TEXT, -- a name in files/, once succeeded
    size INTEGER -- of that file
) STRICT;
CREATE TABLE locks (
    vault INTEGER PRIMARY KEY REFERENCES vaults (id) ON DELETE CASCADE,
    lock_id TEXT NOT NULL,
    policy TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER -- null once locked
) STRICT;
CREATE TABLE notification_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seed BLOB NOT NULL
) STRICT;
INSERT INTO "notification_key" VALUES(1,X'4C1323CEC446A71EEA2427EBE6A64B5D37476F29175F31D431B3F361118BFEAB');
CREATE TABLE notifications (
    vault INTEGER PRIMARY KEY REFERENCES vaults (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    events TEXT NOT NULL -- a JSON list
) STRICT;
CREATE TABLE retrieval_policy (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    strategy TEXT NOT NULL,
    bytes_per_hour INTEGER
) STRICT;
CREATE TABLE retrievals (
    at INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE segments (
    content INTEGER NOT NULL REFERENCES contents (id),
    first_byte INTEGER NOT NULL,
    len INTEGER NOT NULL CHECK (len > 0),
    file TEXT NOT NULL, -- a name in files/
    tree_hash BLOB NOT NULL,
    leaves BLOB NOT NULL, -- hashes of the 1 MiB leaves, one after the other
    PRIMARY KEY (content, first_byte)
) STRICT;
INSERT INTO "segments" VALUES(1,0,4,'357703128fe43d6285e4ed0e91ee16fa',X'79F076ABDD19A752DB7267BFFF2F9022161D120DEA919FDACA2FFDFC24CA8C96',X'79F076ABDD19A752DB7267BFFF2F9022161D120DEA919FDACA2FFDFC24CA8C96');
CREATE TABLE tags (
    vault INTEGER NOT NULL REFERENCES vaults (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (vault, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: markers of lists are made of it
    upload_id TEXT NOT NULL UNIQUE,
    vault INTEGER NOT NULL REFERENCES vaults (id),
    content INTEGER NOT NULL UNIQUE REFERENCES contents (id),
    description TEXT,
    part_size INTEGER NOT NULL,
    created INTEGER NOT NULL,
    active INTEGER NOT NULL -- last part or list
) STRICT;
INSERT INTO "uploads" VALUES(6,'dkjT_r4orrpGbHCVqvaUgHEbSr1tTFuqrLBl2B0a5a4BXhSxJEe6I3XgkJ7gS9UbLaaKRop9dvNWv-4uBgV5MYtuTOyH',2,2,NULL,1048576,1795291320414,1795291320414);
CREATE TABLE vaults (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE BINARY,
    created INTEGER NOT NULL
, archives INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, changed INTEGER, inventory INTEGER, inventory_archives INTEGER NOT NULL DEFAULT 0, inventory_bytes INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "vaults" VALUES(1,'demo',1795291320282,1,4,1795291320382,NULL,0,0);
INSERT INTO "vaults" VALUES(2,'films',1795291320282,0,0,NULL,NULL,0,0);
CREATE INDEX uploads_of_vault ON uploads (vault, id);
CREATE INDEX uploads_by_activity ON uploads (active);
CREATE INDEX ended_uploads_by_end ON ended_uploads (forget);
CREATE INDEX ended_uploads_of_vault ON ended_uploads (vault);
CREATE TRIGGER archive_counted AFTER INSERT ON archives BEGIN
    UPDATE vaults SET archives = archives + 1, bytes = bytes + new.size, changed = coalesce(changed, new.created)
    WHERE id = new.vault;
END;
CREATE TRIGGER archive_discounted AFTER DELETE ON archives BEGIN
    UPDATE vaults SET archives = archives - 1, bytes = bytes - old.size WHERE id = old.vault;
END;
CREATE INDEX archives_by_date ON archives (vault, created);
CREATE INDEX deleted_archives_by_date ON deleted_archives (vault, created, sequence);
CREATE INDEX jobs_of_vault ON jobs (vault, id);
CREATE INDEX jobs_in_progress ON jobs (is_inventory, due) WHERE state = 0;
CREATE INDEX jobs_by_end ON jobs (forget) WHERE forget IS NOT NULL;
CREATE INDEX jobs_of_content ON jobs (content) WHERE content IS NOT NULL;
CREATE INDEX expedited_jobs ON jobs (created) WHERE tier = 'Expedited';
CREATE INDEX retrievals_by_date ON retrievals (at, bytes);
CREATE INDEX deliveries_by_date ON deliveries (next);
CREATE INDEX deliveries_of_job ON deliveries (job);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('uploads',6);
COMMIT;
PRAGMA user_version = 2;
