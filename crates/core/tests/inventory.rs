//! Inventories as the service writes them, and as nobody should: whole, cut anywhere, cut short, and damaged.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "inventory/damage.rs"]
mod damage;
#[path = "inventory/encoder.rs"]
mod encoder;
#[expect(dead_code, reason = "no fractions are drawn here")]
#[path = "sim/rng.rs"]
mod rng;

use encoder::{HEADING, Text, archives, csv, csv_line, json};
use glacier_core::glacier::initiate_job::InventoryFormat::{self, Csv, Json};
use glacier_core::inventory::{ArchiveEntry, InventoryError, InventoryReader, Place, Problem};
use rng::Rng;

/// What a reader makes of the pieces: the archives up to the end or the first error.
fn read<'a>(
    mut reader: InventoryReader,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<ArchiveEntry>, Option<InventoryError>) {
    let mut archives = Vec::new();
    for piece in pieces {
        reader.push(piece);
        while let Some(archive) = reader.poll_archive() {
            match archive {
                Ok(archive) => archives.push(archive),
                Err(error) => return (archives, Some(error)),
            }
        }
    }
    reader.finish();
    loop {
        match reader.poll_archive() {
            None => return (archives, None),
            Some(Ok(archive)) => archives.push(archive),
            Some(Err(error)) => return (archives, Some(error)),
        }
    }
}

fn read_whole(format: InventoryFormat, output: &[u8]) -> (Vec<ArchiveEntry>, Option<InventoryError>) {
    read(InventoryReader::new(format), [output])
}

/// Pieces of 1 to `most` bytes.
fn cut_at_random<'a>(output: &'a [u8], most: u64, rng: &mut Rng) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = output;
    while !rest.is_empty() {
        let len = usize::try_from(1 + rng.below(most)).unwrap().min(rest.len());
        let (piece, more) = rest.split_at(len);
        pieces.push(piece);
        rest = more;
    }
    pieces
}

#[test]
fn both_formats_of_the_same_archives_read_alike() {
    for seed in 0..2000 {
        let mut rng = Rng(seed);
        let expected = archives(&mut rng, 8);
        for (format, output) in [(Json, json(&expected)), (Csv, csv(&expected, "\n")), (Csv, csv(&expected, "\r\n"))] {
            let pieces = cut_at_random(output.as_bytes(), 400, &mut rng);
            let read = read(InventoryReader::of_len(format, output.len() as u64), pieces);
            assert_eq!(read, (expected.clone(), None), "seed {seed}\n{output}");
        }
    }
}

#[test]
fn an_output_cut_at_any_byte_reads_the_same() {
    let expected = archives(&mut Rng(1), 6);
    for (format, output) in [(Json, json(&expected)), (Csv, csv(&expected, "\r\n"))] {
        let output = output.as_bytes();
        for at in 0..=output.len() {
            let (first, second) = output.split_at(at);
            assert_eq!(read(InventoryReader::new(format), [first, second]), (expected.clone(), None), "cut at {at}");
        }
        assert_eq!(read(InventoryReader::new(format), output.chunks(1)), (expected.clone(), None));
    }
}

#[test]
fn an_output_that_breaks_off_is_an_error_and_never_a_shorter_inventory() {
    let expected = archives(&mut Rng(2), 4);
    for (format, output) in [(Json, json(&expected)), (Csv, csv(&expected, "\n"))] {
        let (output, len) = (output.as_bytes(), output.len() as u64);
        for at in 0..output.len() {
            let cut = &output[..at];
            let (archives, error) = read(InventoryReader::of_len(format, len), [cut]);
            assert_eq!(error.unwrap().problem, Problem::Length { expected: len, read: at as u64 });
            assert_eq!(archives, expected[..archives.len()]);
            // Without the length, only the end of a line of CSV can pass for the end.
            let (archives, error) = read_whole(format, cut);
            assert_eq!(archives, expected[..archives.len()]);
            if format == Csv && cut.ends_with(b"\n") {
                assert_eq!(error, None, "cut at {at}");
            } else {
                assert_eq!(error.unwrap().problem, Problem::CutOff, "cut at {at}");
            }
        }
        let (_, error) = read(InventoryReader::of_len(format, len - 1), [output]);
        assert_eq!(error.unwrap().problem, Problem::Length { expected: len - 1, read: len });
    }
}

#[test]
fn the_last_line_of_csv_needs_no_end_where_the_length_is_known() {
    let expected = archives(&mut Rng(3), 2);
    let output = csv(&expected, "\n");
    let output = output.trim_end().as_bytes();
    assert_eq!(read(InventoryReader::of_len(Csv, output.len() as u64), [output]), (expected, None));
    assert_eq!(read_whole(Csv, HEADING.as_bytes()).1.unwrap().problem, Problem::CutOff);
    let heading = format!("{HEADING}\n\n");
    assert_eq!(read_whole(Csv, heading.as_bytes()), (Vec::new(), None), "an empty vault");
}

/// Takes every way to cut a line into five columns and keeps those in which the four of fixed alphabets have them.
#[test]
fn a_line_of_csv_can_be_read_in_one_way_only() {
    let is = |text: &str, legal: fn(u8) -> bool| !text.is_empty() && text.bytes().all(legal);
    for seed in 0..500 {
        for archive in archives(&mut Rng(seed), 4) {
            let line = csv_line(&archive);
            let commas: Vec<usize> = line.match_indices(',').map(|(at, _)| at).collect();
            let mut readings = Vec::new();
            for (a, id_end) in commas.iter().enumerate() {
                for (b, description_end) in commas.iter().enumerate().skip(a + 1) {
                    for (c, date_end) in commas.iter().enumerate().skip(b + 1) {
                        for size_end in &commas[c + 1..] {
                            let fits =
                                is(&line[..*id_end], |byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
                                    && is(&line[description_end + 1..*date_end], |byte| {
                                        b"0123456789-:.TZ".contains(&byte)
                                    })
                                    && is(&line[date_end + 1..*size_end], |byte| byte.is_ascii_digit())
                                    && is(&line[size_end + 1..], |byte| byte.is_ascii_hexdigit());
                            if fits {
                                readings.push(&line[id_end + 2..description_end - 1]);
                            }
                        }
                    }
                }
            }
            assert_eq!(readings, [archive.description.replace('"', "\\\"")], "seed {seed}: {line}");
        }
    }
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_ends_the_reading() {
    let expected = archives(&mut Rng(4), 3);
    let lines: Vec<String> = expected.iter().map(csv_line).collect();
    let [first, second, third] = lines.as_slice() else { panic!("three archives") };
    let output = format!("{HEADING}\n{first}\n{}\n{third}\n", &second[..second.len() - 1]);
    let (archives, error) = read_whole(Csv, output.as_bytes());
    assert_eq!(archives, expected[..1]);
    let problem = Problem::Unreadable { field: "SHA256TreeHash" };
    assert_eq!(error, Some(InventoryError { place: Place::Line(3), problem }));
}

#[test]
fn other_writers_of_json_are_understood() {
    let mut rng = Rng(5);
    for _ in 0..300 {
        let expected = archives(&mut rng, 4);
        let document: serde_json::Value = serde_json::from_str(&json(&expected)).unwrap();
        let pretty = serde_json::to_string_pretty(&document).unwrap();
        assert_eq!(read_whole(Json, pretty.as_bytes()), (expected.clone(), None), "{pretty}");
        let escaped = Text::escaping_everything(&document);
        assert_eq!(read_whole(Json, escaped.as_bytes()), (expected, None), "{escaped}");
    }
}

#[test]
fn nothing_that_arrives_makes_it_panic_or_depends_on_the_cuts() {
    for seed in 0..12_000 {
        let mut rng = Rng(seed);
        let format = if seed % 2 == 0 { Json } else { Csv };
        let output = damage::output(format, &mut rng);
        let whole = read_whole(format, &output);
        let pieces = cut_at_random(&output, 30, &mut rng);
        assert_eq!(read(InventoryReader::new(format), pieces), whole, "seed {seed}");
        if format == Json {
            damage::compare_with_serde(&output, &whole, seed);
        }
    }
}

#[test]
fn a_million_archives_are_read_from_pieces() {
    const ARCHIVES: u64 = 1_000_000;
    let archive = &archives(&mut Rng(6), 1)[0];
    for (format, begin, item, end) in [
        (Csv, format!("{HEADING}\n"), csv_line(archive) + "\n", String::new()),
        (
            Json,
            r#"{"ArchiveList":["#.to_owned(),
            encoder::json_archive(archive) + ",",
            encoder::json_archive(archive) + "]}",
        ),
    ] {
        let mut reader = InventoryReader::new(format);
        let piece = item.repeat(100);
        let (started, mut bytes) = (std::time::Instant::now(), 0);
        reader.push(begin.as_bytes());
        for _ in 0..ARCHIVES / 100 {
            reader.push(piece.as_bytes());
            bytes += piece.len();
            while let Some(read) = reader.poll_archive() {
                assert_eq!(read.unwrap().size, archive.size);
            }
        }
        reader.push(end.as_bytes());
        reader.finish();
        while let Some(read) = reader.poll_archive() {
            read.unwrap();
        }
        assert_eq!(reader.archives(), ARCHIVES + u64::from(format == Json));
        let (seconds, megabytes) = (started.elapsed().as_secs_f64(), bytes / 1_000_000);
        println!("{ARCHIVES} archives of {} in {seconds:.2} s, {megabytes} MB", format.as_str());
    }
}
