-- From version 1 to 2: jobs, inventories, notifications, tags, policies, locks and capacity.

-- Counters, so that describing a vault counts nothing.
ALTER TABLE vaults ADD COLUMN archives INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vaults ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vaults ADD COLUMN changed INTEGER; -- first change since the last inventory; null: none
ALTER TABLE vaults ADD COLUMN inventory INTEGER; -- when the last inventory was taken; null: never
ALTER TABLE vaults ADD COLUMN inventory_archives INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vaults ADD COLUMN inventory_bytes INTEGER NOT NULL DEFAULT 0;

UPDATE vaults SET
    archives = (SELECT count(*) FROM archives WHERE vault = vaults.id),
    bytes = (SELECT coalesce(sum(size), 0) FROM archives WHERE vault = vaults.id),
    changed = (SELECT min(created) FROM archives WHERE vault = vaults.id);

CREATE TRIGGER archive_counted AFTER INSERT ON archives BEGIN
    UPDATE vaults SET archives = archives + 1, bytes = bytes + new.size, changed = coalesce(changed, new.created)
    WHERE id = new.vault;
END;

CREATE TRIGGER archive_discounted AFTER DELETE ON archives BEGIN
    UPDATE vaults SET archives = archives - 1, bytes = bytes - old.size WHERE id = old.vault;
END;

-- The order of an inventory: by date, and by row within a millisecond.
DROP INDEX archives_of_vault;
CREATE INDEX archives_by_date ON archives (vault, created);

-- What a daily inventory still lists although it was deleted since. Empty where inventories are taken on demand.
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

CREATE INDEX deleted_archives_by_date ON deleted_archives (vault, created, sequence);

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

CREATE INDEX jobs_of_vault ON jobs (vault, id);
CREATE INDEX jobs_in_progress ON jobs (is_inventory, due) WHERE state = 0;
CREATE INDEX jobs_by_end ON jobs (forget) WHERE forget IS NOT NULL;
CREATE INDEX jobs_of_content ON jobs (content) WHERE content IS NOT NULL;
CREATE INDEX expedited_jobs ON jobs (created) WHERE tier = 'Expedited';

-- Bytes asked for at the Standard tier, which the data retrieval policy limits.
CREATE TABLE retrievals (
    at INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;

CREATE INDEX retrievals_by_date ON retrievals (at, bytes);

CREATE TABLE notifications (
    vault INTEGER PRIMARY KEY REFERENCES vaults (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    events TEXT NOT NULL -- a JSON list
) STRICT;

-- Messages on their way to the endpoint of a topic.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    message_id TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL
) STRICT;

CREATE INDEX deliveries_by_date ON deliveries (next);
CREATE INDEX deliveries_of_job ON deliveries (job);

-- One row: the seed of the key that signs them.
CREATE TABLE notification_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seed BLOB NOT NULL
) STRICT;

CREATE TABLE tags (
    vault INTEGER NOT NULL REFERENCES vaults (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (vault, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_policies (
    vault INTEGER PRIMARY KEY REFERENCES vaults (id) ON DELETE CASCADE,
    policy TEXT NOT NULL
) STRICT;

CREATE TABLE locks (
    vault INTEGER PRIMARY KEY REFERENCES vaults (id) ON DELETE CASCADE,
    lock_id TEXT NOT NULL,
    policy TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER -- null once locked
) STRICT;

-- At most one row: the account's data retrieval policy. None: no limit.
CREATE TABLE retrieval_policy (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    strategy TEXT NOT NULL,
    bytes_per_hour INTEGER
) STRICT;

CREATE TABLE capacity_units (
    capacity_id TEXT PRIMARY KEY,
    started INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
