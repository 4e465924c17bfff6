-- Times are milliseconds since 1970. Hashes are 32 raw bytes.

CREATE TABLE vaults (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE BINARY,
    created INTEGER NOT NULL
) STRICT;

-- A run of bytes, in order: the one body of an UploadArchive, or the parts of a multipart upload. Completing an upload
-- hands its content to the archive, so no byte is copied and no row is rewritten however many parts there are.
CREATE TABLE contents (
    id INTEGER PRIMARY KEY
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

CREATE TABLE archives (
    archive_id TEXT PRIMARY KEY,
    vault INTEGER NOT NULL REFERENCES vaults (id),
    content INTEGER NOT NULL UNIQUE REFERENCES contents (id),
    description TEXT,
    created INTEGER NOT NULL,
    size INTEGER NOT NULL,
    tree_hash BLOB NOT NULL
) STRICT;

CREATE INDEX archives_of_vault ON archives (vault, size);

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

CREATE INDEX uploads_of_vault ON uploads (vault, id);
CREATE INDEX uploads_by_activity ON uploads (active);

-- What became of uploads, so that a client who lost an answer may ask again.
CREATE TABLE ended_uploads (
    upload_id TEXT PRIMARY KEY,
    vault INTEGER NOT NULL REFERENCES vaults (id),
    forget INTEGER NOT NULL,
    archive_id TEXT, -- null: aborted
    size INTEGER,
    tree_hash BLOB
) STRICT;

CREATE INDEX ended_uploads_by_end ON ended_uploads (forget);
CREATE INDEX ended_uploads_of_vault ON ended_uploads (vault);
