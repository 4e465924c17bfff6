-- From version 2 to 3: notes of uploads that have ended are bounded.

-- A number in its vault, of notes that may be dropped when there are too many: the upload was aborted, or its archive was
-- deleted. Null: its archive is there.
ALTER TABLE ended_uploads ADD COLUMN spent INTEGER;

UPDATE ended_uploads SET spent = numbered.nth FROM (
    SELECT upload_id, row_number() OVER (PARTITION BY vault ORDER BY forget, rowid) AS nth FROM ended_uploads
    WHERE NOT EXISTS (SELECT 1 FROM archives WHERE archives.archive_id = ended_uploads.archive_id)
) AS numbered WHERE ended_uploads.upload_id = numbered.upload_id;

-- This one also finds the notes of a vault.
DROP INDEX ended_uploads_of_vault;
CREATE INDEX ended_uploads_of_vault ON ended_uploads (vault, spent);
CREATE INDEX ended_uploads_of_archive ON ended_uploads (archive_id) WHERE archive_id IS NOT NULL;
