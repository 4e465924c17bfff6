//! Reading an inventory: the output of an inventory job, in JSON or CSV, of any length, as it arrives.
//!
//! An inventory of a million archives is 400 MB of JSON, which is neither held nor parsed whole: bytes go in
//! ([`InventoryReader::push`]), archives come out ([`InventoryReader::poll_archive`]), and in between is at most what was
//! pushed last and one unfinished archive. What cannot be read is an error that says where, and so is an output that
//! breaks off: whoever compares an inventory with a list of their own must not miss an archive without being told.
//!
//! **Source:** API reference, "Get Job Output (GET output)", "Response Body".

mod continuation;
mod csv;
mod events;
mod json;

use std::fmt;

use crate::date;
use crate::error::{ErrorCode, UploadError};
use crate::glacier::ArchiveId;
use crate::glacier::initiate_job::InventoryFormat;
use crate::tree_hash::TreeHash;
pub use continuation::{format, next_job};
use csv::Csv;
use json::Document;

/// Bytes in the longest line of CSV or string of JSON that is read. One archive has under 3,000: the description's 1,024
/// characters, each perhaps escaped, and the other columns.
pub const MAX_ITEM_LEN: usize = 64 << 10;

/// Names of the columns, in the order of CSV; JSON has them as keys, in any order.
mod field {
    pub(super) const ARCHIVE_ID: &str = "ArchiveId";
    pub(super) const DESCRIPTION: &str = "ArchiveDescription";
    pub(super) const CREATION_DATE: &str = "CreationDate";
    pub(super) const SIZE: &str = "Size";
    pub(super) const TREE_HASH: &str = "SHA256TreeHash";
}

/// One archive of an inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveEntry {
    /// What names it.
    pub archive_id: ArchiveId,
    /// What was written about it; empty where nothing was. Not a [`Description`](crate::glacier::Description): other
    /// clients have written what they liked.
    pub description: String,
    /// Milliseconds since 1970.
    pub created_at_ms: u64,
    /// Bytes.
    pub size: u64,
    /// Of all its bytes.
    pub tree_hash: TreeHash,
}

/// What an inventory says of itself. CSV says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InventoryHead {
    /// `arn:aws:glacier:{region}:{account}:vaults/{name}`.
    pub vault_arn: Option<String>,
    /// When it was taken, in milliseconds since 1970.
    pub inventory_date_ms: Option<u64>,
}

/// Reads an inventory piece by piece.
///
/// After each [`push`](Self::push), and once more after [`finish`](Self::finish), call
/// [`poll_archive`](Self::poll_archive) until it gives `None`. Only `None` after `finish` means that the inventory was
/// read to its end. What is pushed without polling is held.
#[derive(Debug)]
pub struct InventoryReader {
    input: Input,
    form: Form,
    archives: u64,
    failed: Option<InventoryError>,
}

#[derive(Debug)]
enum Form {
    Csv(Csv),
    Json(Box<Document>),
}

impl InventoryReader {
    /// A reader of an output whose length is not known. Prefer [`of_len`](Self::of_len): CSV that breaks off at the end
    /// of a line cannot be told from a shorter one.
    pub fn new(format: InventoryFormat) -> Self {
        let form = match format {
            InventoryFormat::Csv => Form::Csv(Csv::default()),
            InventoryFormat::Json => Form::Json(Box::default()),
        };
        Self { input: Input::default(), form, archives: 0, failed: None }
    }

    /// A reader of an output of exactly `len` bytes: `InventorySizeInBytes` of the job, or what GetJobOutput announced.
    pub fn of_len(format: InventoryFormat, len: u64) -> Self {
        let mut reader = Self::new(format);
        reader.input.expected = Some(len);
        reader
    }

    /// Takes the next bytes of the output, cut wherever the network cut them.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.input.push(bytes);
        }
    }

    /// Tells that there are no more bytes.
    pub fn finish(&mut self) {
        self.input.ended = true;
        let read = self.input.received();
        if let Some(expected) = self.input.expected.filter(|expected| *expected != read) {
            self.failed.get_or_insert(InventoryError::whole(Problem::Length { expected, read }));
        }
    }

    /// The next archive; `None` until more is pushed, or at the end.
    ///
    /// # Errors
    /// [`InventoryError`] for the first place that cannot be read. It is given again for every further call, so that a
    /// failed reader is never taken for one that is done.
    pub fn poll_archive(&mut self) -> Option<Result<ArchiveEntry, InventoryError>> {
        if let Some(error) = &self.failed {
            return Some(Err(error.clone()));
        }
        let polled = match &mut self.form {
            Form::Csv(csv) => csv.poll(&mut self.input),
            Form::Json(document) => document.poll(&mut self.input),
        };
        match polled {
            Ok(archive) => {
                self.archives += u64::from(archive.is_some());
                archive.map(Ok)
            }
            Err(error) => {
                self.failed = Some(error.clone());
                self.input = Input::default();
                Some(Err(error))
            }
        }
    }

    /// How many archives were given so far.
    pub fn archives(&self) -> u64 {
        self.archives
    }

    /// What the inventory says of itself, as far as it was read. The service writes it before the archives; others need
    /// not.
    pub fn head(&self) -> InventoryHead {
        match &self.form {
            Form::Csv(_) => InventoryHead::default(),
            Form::Json(document) => document.head(),
        }
    }
}

/// Bytes that have arrived and are not read yet.
#[derive(Debug, Default)]
struct Input {
    bytes: Vec<u8>,
    /// How many of them are read.
    read: usize,
    /// How many came before them.
    passed: u64,
    ended: bool,
    expected: Option<u64>,
}

impl Input {
    fn push(&mut self, bytes: &[u8]) {
        self.passed += self.read as u64;
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.read..]
    }

    /// The next `len` bytes, which are there, are read.
    fn take(&mut self, len: usize) -> &[u8] {
        let start = self.read;
        self.read += len;
        &self.bytes[start..self.read]
    }

    /// Where the next byte stands in the output, counted from 0.
    fn at(&self) -> u64 {
        self.passed + self.read as u64
    }

    fn received(&self) -> u64 {
        self.passed + self.bytes.len() as u64
    }
}

/// `CreationDate` and `InventoryDate`. No archive is older than the service, which is of 2012.
fn read_date(text: &str) -> Option<u64> {
    date::unix_ms(text).and_then(|ms| u64::try_from(ms).ok())
}

/// Why an inventory cannot be read, and where. What is written there is left out: descriptions are private.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub problem: Problem,
}

/// A place in an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// All of it.
    Whole,
    /// A line of CSV, counted from 1, which is the heading.
    Line(u64),
    /// An archive in JSON, counted from 1.
    Archive(u64),
    /// A byte of JSON, counted from 0.
    Byte(u64),
}

/// What is wrong at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A value is not in its form.
    Unreadable {
        /// Its name.
        field: &'static str,
    },
    /// A value is not there.
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// A value is there more than once.
    Twice {
        /// Its name.
        field: &'static str,
    },
    /// A line has fewer than five columns.
    Columns,
    /// The first line does not name the five columns.
    Heading,
    /// Bytes that are no UTF-8.
    NotText,
    /// More than [`MAX_ITEM_LEN`].
    TooLong,
    /// Not JSON.
    Syntax,
    /// JSON nested deeper than is read.
    TooDeep,
    /// JSON of another shape.
    NotInventory,
    /// It ends too early.
    CutOff,
    /// It has another length than was announced.
    Length {
        /// As announced.
        expected: u64,
        /// As arrived.
        read: u64,
    },
}

impl InventoryError {
    fn whole(problem: Problem) -> Self {
        Self { place: Place::Whole, problem }
    }
}

impl fmt::Display for InventoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Whole => f.write_str("the inventory")?,
            Place::Line(line) => write!(f, "line {line} of the inventory")?,
            Place::Archive(number) => write!(f, "archive {number} of the inventory")?,
            Place::Byte(byte) => write!(f, "byte {byte} of the inventory")?,
        }
        match self.problem {
            Problem::Unreadable { field } => write!(f, " has a {field} that cannot be read"),
            Problem::Missing { field } => write!(f, " has no {field}"),
            Problem::Twice { field } => write!(f, " has a second {field}"),
            Problem::Columns => f.write_str(" has not the five columns of an archive"),
            Problem::Heading => f.write_str(" does not name the five columns of an inventory"),
            Problem::NotText => f.write_str(" is not UTF-8"),
            Problem::TooLong => write!(f, " begins something of more than {MAX_ITEM_LEN} bytes"),
            Problem::Syntax => f.write_str(" is not what JSON has there"),
            Problem::TooDeep => write!(f, " is nested deeper than {}", events::MAX_DEPTH),
            Problem::NotInventory => f.write_str(" is no list of archives"),
            Problem::CutOff => f.write_str(" breaks off"),
            Problem::Length { expected, read } => write!(f, " has {read} bytes instead of {expected}"),
        }
    }
}

impl std::error::Error for InventoryError {}

impl From<InventoryError> for UploadError {
    fn from(error: InventoryError) -> Self {
        Self::new(ErrorCode::InventoryUnreadable, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_where_and_what() {
        for (place, problem, text) in [
            (Place::Line(7), Problem::Columns, "line 7 of the inventory has not the five columns of an archive"),
            (
                Place::Line(1),
                Problem::Heading,
                "line 1 of the inventory does not name the five columns of an inventory",
            ),
            (
                Place::Archive(3),
                Problem::Unreadable { field: field::SIZE },
                "archive 3 of the inventory has a Size that cannot be read",
            ),
            (
                Place::Archive(3),
                Problem::Missing { field: field::ARCHIVE_ID },
                "archive 3 of the inventory has no ArchiveId",
            ),
            (Place::Byte(0), Problem::Syntax, "byte 0 of the inventory is not what JSON has there"),
            (Place::Byte(9), Problem::TooDeep, "byte 9 of the inventory is nested deeper than 32"),
            (Place::Line(2), Problem::TooLong, "line 2 of the inventory begins something of more than 65536 bytes"),
            (Place::Whole, Problem::CutOff, "the inventory breaks off"),
            (Place::Whole, Problem::Length { expected: 5, read: 3 }, "the inventory has 3 bytes instead of 5"),
        ] {
            let error = InventoryError { place, problem };
            assert_eq!(error.to_string(), text);
            assert_eq!(UploadError::from(error).code, ErrorCode::InventoryUnreadable);
        }
    }

    #[test]
    fn a_failed_reader_stays_failed_and_holds_nothing() {
        let mut reader = InventoryReader::new(InventoryFormat::Csv);
        reader.push(b"something else\n");
        let error = reader.poll_archive().unwrap().unwrap_err();
        assert_eq!(error.place, Place::Line(1));
        reader.push(b"ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n");
        reader.finish();
        assert_eq!(reader.poll_archive(), Some(Err(error.clone())));
        assert_eq!(reader.poll_archive(), Some(Err(error)));
        assert_eq!(reader.input.bytes.capacity(), 0);
    }

    #[test]
    fn nothing_is_held_but_the_last_push_and_one_unfinished_archive() {
        const LINE: &str =
            "A,\"x\",2011-12-12T14:19:01Z,7,00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
        let mut reader = InventoryReader::new(InventoryFormat::Csv);
        reader.push(b"ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n");
        let output = LINE.repeat(100);
        for piece in output.as_bytes().chunks(997).cycle().take(10_000) {
            reader.push(piece);
            while reader.poll_archive().is_some_and(|archive| archive.is_ok()) {}
            assert!(reader.input.bytes.capacity() <= 2 * (997 + LINE.len()));
        }
        assert!(reader.archives() > 90_000);
    }
}
