//! Inventories in CSV, which is not the CSV of RFC 4180: a quote in a description is written `\"`, and a backslash is
//! written as it is.
//!
//! A reader that looks for the closing quote is lost at `"ends with a backslash\",…` or `"a,1\\"2",…`. But no other
//! column can hold a comma, so the description is what stands between the first comma of a line and the third but last;
//! and since each quote inside got exactly one backslash, taking away one before each quote gives back what was written,
//! whatever it was.

use super::{ArchiveEntry, Input, InventoryError, MAX_ITEM_LEN, Place, Problem, field, read_date};
use crate::glacier::ArchiveId;
use crate::range::parse_decimal;
use crate::tree_hash::TreeHash;

const HEADING: [&str; 5] = [field::ARCHIVE_ID, field::DESCRIPTION, field::CREATION_DATE, field::SIZE, field::TREE_HASH];

/// How far the lines are read.
#[derive(Debug, Default)]
pub(super) struct Csv {
    /// Lines that are read, the heading among them.
    lines: u64,
    /// So many bytes of the next line are there and do not end it.
    scanned: usize,
}

impl Csv {
    pub(super) fn poll(&mut self, input: &mut Input) -> Result<Option<ArchiveEntry>, InventoryError> {
        while let Some(line) = self.next_line(input)? {
            self.lines += 1;
            let archive = if self.lines == 1 { read_heading(line).map(|()| None) } else { read_line(line) };
            match archive {
                Ok(None) => {}
                Ok(archive) => return Ok(archive),
                Err(problem) => return Err(InventoryError { place: Place::Line(self.lines), problem }),
            }
        }
        if input.ended && self.lines == 0 {
            return Err(InventoryError::whole(Problem::CutOff));
        }
        Ok(None)
    }

    /// The next line without its end, or `None` where it has not arrived whole.
    fn next_line<'a>(&mut self, input: &'a mut Input) -> Result<Option<&'a [u8]>, InventoryError> {
        let rest = input.rest();
        let here = |problem| Err(InventoryError { place: Place::Line(self.lines + 1), problem });
        let len = match rest[self.scanned..].iter().position(|byte| *byte == b'\n') {
            Some(more) => self.scanned + more,
            None if rest.len() > MAX_ITEM_LEN => return here(Problem::TooLong),
            None if !input.ended || rest.is_empty() => {
                self.scanned = rest.len();
                return Ok(None);
            }
            // Where the length is known, it is right, and the last line is whole although nothing ends it.
            None if input.expected.is_some() => rest.len(),
            None => return here(Problem::CutOff),
        };
        if len > MAX_ITEM_LEN {
            return here(Problem::TooLong);
        }
        self.scanned = 0;
        let end = if len < rest.len() { 1 } else { 0 };
        let line = &input.take(len + end)[..len];
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

fn read_heading(line: &[u8]) -> Result<(), Problem> {
    let names = str::from_utf8(line).ok().and_then(columns);
    if names.is_some_and(|names| names.map(without_quotes) == HEADING) { Ok(()) } else { Err(Problem::Heading) }
}

/// An archive, or `None` of an empty line.
fn read_line(line: &[u8]) -> Result<Option<ArchiveEntry>, Problem> {
    if line.is_empty() {
        return Ok(None);
    }
    let line = str::from_utf8(line).map_err(|_| Problem::NotText)?;
    let [archive_id, description, creation_date, size, tree_hash] = columns(line).ok_or(Problem::Columns)?;
    let unreadable = |field| Problem::Unreadable { field };
    Ok(Some(ArchiveEntry {
        archive_id: ArchiveId::new(without_quotes(archive_id)).map_err(|_| unreadable(field::ARCHIVE_ID))?,
        description: read_description(description).ok_or(unreadable(field::DESCRIPTION))?,
        created_at_ms: read_date(without_quotes(creation_date)).ok_or(unreadable(field::CREATION_DATE))?,
        size: parse_decimal(without_quotes(size)).ok_or(unreadable(field::SIZE))?,
        tree_hash: TreeHash::from_hex(without_quotes(tree_hash)).map_err(|_| unreadable(field::TREE_HASH))?,
    }))
}

/// The five columns of a line, as they are written.
fn columns(line: &str) -> Option<[&str; 5]> {
    let (archive_id, rest) = line.split_once(',')?;
    let mut from_end = rest.rsplitn(4, ',');
    let [tree_hash, size, creation_date] = [from_end.next()?, from_end.next()?, from_end.next()?];
    Some([archive_id, from_end.next()?, creation_date, size, tree_hash])
}

/// A column whose alphabet has no quote.
fn without_quotes(column: &str) -> &str {
    column.strip_prefix('"').and_then(|column| column.strip_suffix('"')).unwrap_or(column)
}

/// The description that is written so, or `None` where quotes do not match. Some stores write it without quotes.
fn read_description(column: &str) -> Option<String> {
    let Some(quoted) = column.strip_prefix('"') else {
        return Some(column.to_owned());
    };
    let mut pieces = quoted.strip_suffix('"')?.split('"').peekable();
    let mut description = String::with_capacity(quoted.len());
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            description.push_str(piece);
        } else {
            description.push_str(piece.strip_suffix('\\')?);
            description.push('"');
        }
    }
    Some(description)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "A-_9";
    const DATE: &str = "2011-12-12T14:19:01.5Z";
    const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn description(column: &str) -> Result<String, Problem> {
        let line = format!("{ID},{column},{DATE},7,{HASH}");
        read_line(line.as_bytes()).map(|archive| archive.unwrap().description)
    }

    #[test]
    fn every_column_is_read_with_quotes_and_without() {
        for line in [
            format!("{ID},\"my photos\",{DATE},7,{HASH}"),
            format!("\"{ID}\",\"my photos\",\"{DATE}\",\"7\",\"{HASH}\""),
            format!("{ID},my photos,{DATE},7,{HASH}"),
        ] {
            let archive = read_line(line.as_bytes()).unwrap().unwrap();
            assert_eq!((archive.archive_id.as_str(), archive.description.as_str()), (ID, "my photos"));
            assert_eq!((archive.created_at_ms, archive.size), (1_323_699_541_500, 7));
            assert_eq!(archive.tree_hash.to_string(), HASH);
        }
    }

    #[test]
    fn descriptions_come_back_whatever_quotes_and_backslashes_they_have() {
        for (column, expected) in [
            ("\"\"", ""),
            ("", ""),
            (r#""a,b""#, "a,b"),
            (r#""say \"hi\"""#, r#"say "hi""#),
            // The example of the documented defect: `a,1\"2` is written so.
            (r#""a,1\\"2""#, r#"a,1\"2"#),
            (r#""ends with \""#, r"ends with \"),
            (r#""ends with \\""#, r"ends with \\"),
            (r#""ends with \"""#, r#"ends with ""#),
            (r#""\\\\""#, r"\\\\"),
            (r#""\",\"""#, r#"",""#),
            (r"back\slash", r"back\slash"),
            ("a,b", "a,b"),
        ] {
            assert_eq!(description(column).as_deref(), Ok(expected), "{column}");
        }
        let row = format!("{ID},\"x\",{DATE},7,{HASH}");
        let column = format!("\"{}\"", row.replace('"', "\\\""));
        assert_eq!(description(&column).as_deref(), Ok(row.as_str()), "a description that looks like a line");
    }

    #[test]
    fn lines_that_are_none_say_which_column() {
        let unreadable = |field| Problem::Unreadable { field };
        for (line, problem) in [
            ("A".to_owned(), Problem::Columns),
            (format!("{ID},{DATE},7,{HASH}"), Problem::Columns),
            (format!(",x,{DATE},7,{HASH}"), unreadable(field::ARCHIVE_ID)),
            (format!("A B,x,{DATE},7,{HASH}"), unreadable(field::ARCHIVE_ID)),
            (format!("\"{ID},x,{DATE},7,{HASH}"), unreadable(field::ARCHIVE_ID)),
            (format!("{ID},\",{DATE},7,{HASH}"), unreadable(field::DESCRIPTION)),
            (format!("{ID},\"x,{DATE},7,{HASH}"), unreadable(field::DESCRIPTION)),
            (format!("{ID},\"x\"y\",{DATE},7,{HASH}"), unreadable(field::DESCRIPTION)),
            (format!("{ID},\"RFC \"\"4180\"\"\",{DATE},7,{HASH}"), unreadable(field::DESCRIPTION)),
            (format!("{ID},x,2011-12-32T14:19:01Z,7,{HASH}"), unreadable(field::CREATION_DATE)),
            (format!("{ID},x,1969-12-31T14:19:01Z,7,{HASH}"), unreadable(field::CREATION_DATE)),
            (format!("{ID},x,{DATE},-7,{HASH}"), unreadable(field::SIZE)),
            (format!("{ID},x,{DATE},18446744073709551616,{HASH}"), unreadable(field::SIZE)),
            (format!("{ID},x,{DATE},7,{}", &HASH[1..]), unreadable(field::TREE_HASH)),
            (format!("{ID},x,{DATE},7,{HASH},more"), unreadable(field::CREATION_DATE)),
        ] {
            assert_eq!(read_line(line.as_bytes()), Err(problem), "{line}");
        }
        assert_eq!(read_line(b"\xff"), Err(Problem::NotText));
    }

    #[test]
    fn the_heading_names_the_columns_in_order() {
        for good in [
            "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash",
            "\"ArchiveId\",ArchiveDescription,CreationDate,Size,\"SHA256TreeHash\"",
        ] {
            assert_eq!(read_heading(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in [
            "",
            "ArchiveId",
            "ArchiveId,CreationDate,ArchiveDescription,Size,SHA256TreeHash",
            "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash,Tier",
            "<!doctype html>",
        ] {
            assert_eq!(read_heading(bad.as_bytes()), Err(Problem::Heading), "{bad}");
        }
    }
}
