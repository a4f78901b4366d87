//! Reading tables as people have them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use pushforward::table::{
    Block, Cells, Column, Delimiter, Encoding, Kind, Kinds, Look, Missing, Output, ReadOptions, Reader,
    Table, split_names,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::seeded::for_seeds;
use crate::snapshot::snapshot;
use crate::table_files::{Folder, block, numbers, read, read_with, refused, texts};

fn options(change: impl FnOnce(&mut ReadOptions)) -> ReadOptions {
    let mut options = ReadOptions::default();
    change(&mut options);
    options
}

#[test]
fn separators_are_found() {
    let said = |text: &str| {
        let (block, said) = read_with(text, &ReadOptions::default()).unwrap();
        assert_eq!(numbers(&block, "a"), [1.5, 3.0], "{text}");
        assert_eq!(numbers(&block, "b"), [2.0, 4.25], "{text}");
        said
    };
    assert_eq!(said("a,b\n1.5,2\n3,4.25\n"), "");
    assert_eq!(said("a;b\n1.5;2\n3;4.25\n"), "cells are separated by `;`");
    assert_eq!(said("a\tb\n1.5\t2\n3\t4.25\n"), "cells are separated by a tab");
    assert_eq!(said("a|b\n1.5|2\n3|4.25\n"), "cells are separated by `|`");
    assert_eq!(said("a b\n1.5 2\n3 4.25\n"), "cells are separated by a space");
    assert_eq!(said("a;b\n1,5;2\n3;4,25\n"), "cells are separated by `;`; numbers have a decimal comma");
    assert_eq!(said("a,b\n\"1,5\",2\n3,\"4,25\"\n"), "numbers have a decimal comma");
    // One column, which a comma would split; thousands that are grouped, where that is clear.
    assert_eq!(numbers(&read("a\n1,5\n-2,5\n"), "a"), [1.5, -2.5]);
    assert_eq!(numbers(&read("a;b\n1.234,5;2\n-2.345.678,25;3\n"), "a"), [1234.5, -2_345_678.25]);
    assert_eq!(numbers(&read("a,b\n\"1,234.5\",2\n5,3\n"), "a"), [1234.5, 5.0]);
}

#[test]
fn lines_end_as_they_may_and_blank_ones_are_no_rows() {
    for end in ["\n", "\r\n"] {
        let lines = ["a,b", "1,2", "", "   ", "3,4", "", "5,6"];
        let block = read(lines.join(end));
        assert_eq!(numbers(&block, "a"), [1.0, 3.0, 5.0]);
        assert_eq!(block.lines(), [2, 5, 7], "{end:?}");
    }
}

#[test]
fn a_line_is_counted_through_line_ends_within_cells() {
    for end in ["\n", "\r\n"] {
        let text = ["a,note", "1,\"two\nlines\"", "2,one", "3,\"x\n\ny\"", "4,z"].join(end);
        assert_eq!(read(text).lines(), [2, 4, 5, 8], "{end:?}");
    }
}

#[test]
fn encodings_are_found_by_their_mark_or_given() {
    let text = "température,wind\n1,2\n";
    let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect()
    };
    let latin1: Vec<u8> = text.chars().map(|sign| sign as u8).collect();
    let given = options(|options| options.encoding = Some("latin1".parse().unwrap()));
    for block in [
        read(text),
        read(format!("\u{feff}{text}")),
        read(utf16([0xff, 0xfe], u16::to_le_bytes)),
        read(utf16([0xfe, 0xff], u16::to_be_bytes)),
        read_with(&latin1, &given).unwrap().0,
    ] {
        assert_eq!(numbers(&block, "température"), [1.0]);
    }
    let compressed = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    // Two members, as `cat a.gz b.gz` gives.
    let mut gz = compressed(text);
    gz.extend(compressed("3,4\n"));
    assert_eq!(numbers(&read(gz), "température"), [1.0, 3.0]);
}

#[test]
fn a_file_without_header_is_recognised() {
    let (block, said) = read_with("5.0,12.8,4.7\n2.8,10.6,4.5\n", &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&block, "column_3"), [4.7, 4.5]);
    assert_eq!(block.lines(), [1, 2]);
    assert_eq!(
        said,
        "the first line is a row of numbers, so columns are named column_1 to column_3 (--header if it has the \
         names)"
    );
    // Texts beside fractions; and years, which are names.
    assert_eq!(texts(&read("5.1,3.5,setosa\n4.9,3.0,setosa\n"), "column_3"), ["setosa", "setosa"]);
    assert_eq!(numbers(&read("place,2010,2011\nx,1,2\n"), "2011"), [2.0]);
    let given = options(|options| options.header = Some(true));
    assert_eq!(numbers(&read_with("2010,2011\n1,2\n", &given).unwrap().0, "2010"), [1.0]);
}

#[test]
fn missing_cells_are_nan_and_none() {
    let block = read("a,b\n1,x\n,NA\nNA,\n n/a ,null\nNaN,?\nNone,y\n");
    assert!(numbers(&block, "a").iter().skip(1).all(|value| value.is_nan()));
    assert_eq!(texts(&block, "b"), ["x", "-", "-", "-", "-", "y"]);
    let given = options(|options| options.missing_markers = vec!["-9999".to_string()]);
    assert!(numbers(&read_with("a\n1\n-9999.0\n", &given).unwrap().0, "a")[1].is_nan());
    assert_eq!(
        refused("a\n1\nNA\n2\n", &given),
        "table.csv, line 3, column `a`: `NA` is not a finite number; if it marks a missing value, \
         give it as --missing-marker; if the column is text, as --kind NAME=category"
    );
}

#[test]
fn rows_with_missing_cells_are_counted_by_column() {
    let block = read("a,b,c\n1,2,x\n,3,y\n4,,\n5,6,z\n");
    let (kept, dropped) = Missing::Drop.apply(&block).unwrap();
    assert_eq!(kept.lines(), [2, 5]);
    assert_eq!(
        dropped.to_string(),
        "2 of 4 rows are left out: cells are missing in `a` (1), `b` (1) and `c` (1)"
    );
    let (kept, dropped) = Missing::Model.apply(&block).unwrap();
    assert_eq!((kept.rows(), dropped.rows), (4, 0));
    assert_eq!(dropped.to_string(), "missing cells, in `a` (1), `b` (1) and `c` (1)");
    let message = Missing::Error.apply(&block).unwrap_err().to_string();
    assert_eq!(
        message,
        "line 3, column `a` has no value; leave such rows out (--missing drop), or leave the column out"
    );
    let empty = read("a,b\n1,\n2,\n,3\n");
    let message = Missing::Drop.apply(&empty).unwrap_err().to_string();
    assert_eq!(
        message,
        "each of the 3 rows has a missing cell, most often in column `b` (2 rows); leave that column out"
    );
}

#[test]
fn columns_are_chosen_by_name() {
    assert_eq!(split_names("température,\"wind, max\",风"), ["température", "wind, max", "风"]);
    let folder = Folder::new();
    let path = folder.file("table.csv", "température,\"wind, max\",风\n1,2,3\n4,5,6\n");
    let open = || Reader::open(&path, &ReadOptions::default()).unwrap();
    let mut reader = open();
    reader.select(&split_names("风,\"wind, max\"")).unwrap();
    let block = reader.read_all().unwrap();
    assert_eq!(block.to_table(&["风", "wind, max"]).unwrap().values(), [3.0, 2.0, 6.0, 5.0]);
    assert_eq!(open().select(&["风", "风"]).unwrap_err().to_string(), "column `风` is chosen twice");
    let mut reader = open();
    reader.read_as_text(&["风"]).unwrap();
    assert_eq!(texts(&reader.read_all().unwrap(), "风"), ["3", "6"]);
    let mut reader = open();
    reader.read_as(&"风=category,température=real".parse().unwrap()).unwrap();
    assert_eq!(texts(&reader.read_all().unwrap(), "风"), ["3", "6"]);
    let error = open().read_as(&"temperature=real".parse().unwrap()).unwrap_err().to_string();
    assert!(error.contains("(did you mean `température`?)"), "{error}");
    // One line too many is one too many, also where nothing of it is chosen.
    let mut reader =
        Reader::open(folder.file("b.csv", "a,b\n1,x\n2,y,z\n"), &ReadOptions::default()).unwrap();
    reader.select(&["a"]).unwrap();
    assert!(reader.read_all().unwrap_err().to_string().contains("line 3: 3 cells, but the first line has 2"));
}

#[test]
fn what_cannot_be_read_is_said_with_its_place_and_what_to_do() {
    let folder = Folder::new();
    let mut messages = String::new();
    let mut add = |about: &str, message: String| messages.push_str(&format!("{about}\n  {message}\n"));
    let plain = ReadOptions::default();
    let latin1: Vec<u8> = "température,b\n1,2\n".chars().map(|sign| sign as u8).collect();
    let cell: Vec<u8> = "a,b\n1,é\n2,è\n".chars().map(|sign| sign as u8).collect();
    let semicolon = options(|options| options.delimiter = Some(Delimiter::SEMICOLON));
    let no_comma = options(|options| options.decimal_comma = Some(false));
    let truncated = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all("a,b\n1,2\n".repeat(99).as_bytes()).unwrap();
        let whole = encoder.finish().unwrap();
        whole[..whole.len() - 12].to_vec()
    };
    add("an empty file", refused("", &plain));
    add("a file of blank lines", refused("\n  \n", &plain));
    add("a name that two columns have", refused("a,b,a\n1,2,3\n", &plain));
    add("a row taken for names", refused("1,2,1\n3,4,5\n", &options(|options| options.header = Some(true))));
    add("a line with too many cells", refused("a,b\n1,2\n1,5,2\n", &plain));
    add("a line with too few cells", refused("a,b\n1,2\n\n\"x\ny\"\n", &plain));
    add("a cell that is no number", refused("a,b\n1,2\n3,oops\n", &plain));
    add("a quote that is not closed", refused("a,b\n1,2\n3,\"4\n5,6\n7,8\n", &plain));
    add("an infinite cell", refused("a,b\n1,2\n-inf,3\n", &plain));
    add("a number too large to be one", refused("a,b\n1,2\n1e999,3\n", &plain));
    add("a comma that may be decimal", refused("a;b\n1,500;2\n2,250;3\n", &plain));
    add("a decimal comma where none is", refused("a;b\n1,5;2\n3,5;2\n", &no_comma));
    add("a point beside decimal commas", {
        let given = options(|options| options.decimal_comma = Some(true));
        refused("a;b\n1,5;2\n1.25;2\n", &given)
    });
    add("a separator that is not there", refused("a,b\n1,2\n3,4\n", &semicolon));
    add("a name that is not UTF-8", refused(latin1, &plain));
    add("a cell that is not UTF-8", refused(cell, &plain));
    add("UTF-16 without a mark", refused([97, 0, 10, 0, 49, 0, 10, 0], &plain));
    add("a workbook", refused(b"PK\x03\x04....", &plain));
    add("a gzip file cut short", refused(truncated, &plain));
    let missing = Reader::open(folder.path().join("none.csv"), &plain).err().unwrap().to_string();
    add("no file", folder.plain(&missing));
    let inside = Reader::open(folder.path().join("."), &plain).err().unwrap().to_string();
    assert!(inside.ends_with("cannot be opened: is a directory"), "{inside}");
    let names = folder.file("names.csv", "temp_min_c,temp_max_c,wind_m_s\n1,2,3\n");
    for name in ["temp_mn_c", "Wind_m_s", "pressure"] {
        let mut reader = Reader::open(&names, &plain).unwrap();
        let message = reader.select(&[name]).unwrap_err().to_string();
        add("a column that is not there", folder.plain(&message));
    }
    add("not a delimiter", "ab".parse::<Delimiter>().unwrap_err());
    add("not an encoding", "latin".parse::<Encoding>().unwrap_err());
    let holed = folder.file("holed.csv", "a\n1\n\"\"\n");
    let message = Table::read(&holed, &[], |_| true).unwrap_err().to_string();
    add("a missing cell of a table", folder.plain(&message));
    snapshot("table_reading_errors", &messages);
}

#[test]
#[cfg(not(feature = "parquet"))]
fn a_parquet_file_without_its_feature_is_recognised() {
    assert_eq!(
        refused(b"PAR1....PAR1", &ReadOptions::default()),
        "table.csv is not a text file: it is a Parquet file, which this build cannot read; build with --features \
         parquet, or save it as CSV"
    );
}

#[test]
fn a_table_has_the_rows_that_are_kept() {
    let folder = Folder::new();
    let path = folder.file("table.csv", "a,b,kind\n1,2,x\n3,oops,y\n");
    let read = |columns: &[&str]| Table::read(&path, columns, |_| true);
    let error = read(&["a", "b"]).unwrap_err().to_string();
    assert!(error.contains("line 3, column `b`: `oops` is not a finite number"), "{error}");
    assert!(read(&["c"]).unwrap_err().to_string().contains("the columns are `a`, `b`, `kind`"));
    assert!(read(&[]).is_err());
    let kept = Table::read(&path, &["b", "a"], |cell| cell("kind").as_deref() == Some("x")).unwrap();
    assert_eq!((kept.rows(), kept.row(0)), (1, [2.0, 1.0].as_slice()));
}

#[test]
fn a_row_number_without_a_name_is_recognised() {
    let rows: String = (1..=40)
        .map(|row| format!("\"{row}\",{},{}\n", 0.37 * f64::from(row * row % 11), 50 + row % 9))
        .collect();
    let block = read(format!("\"\",\"eruptions\",\"waiting\"\n{rows}"));
    let look = Look::of(&block, &Kinds::new()).unwrap();
    assert_eq!(look.used(), ["eruptions", "waiting"]);
    assert_eq!(
        (&look.columns[0].kind, look.columns[0].why.as_str()),
        (&Kind::Identifier, "it has no name and counts the rows")
    );
}

#[test]
fn blocks_are_rows_in_order() {
    let folder = Folder::new();
    let text: String = (0..10_000).map(|row| format!("{row},{}\n", row % 7)).collect();
    let mut reader =
        Reader::open(folder.file("long.csv", format!("a,b\n{text}")), &ReadOptions::default()).unwrap();
    let mut whole = Block::default();
    let mut sizes = Vec::new();
    while let Some(block) = reader.next_block(4096).unwrap() {
        sizes.push(block.rows());
        match whole.rows() {
            0 => whole = block,
            _ => whole.append(block).unwrap(),
        }
    }
    assert_eq!(sizes, [4096, 4096, 1808]);
    assert!(numbers(&whole, "a").iter().enumerate().all(|(row, value)| *value == row as f64));
    assert!(whole.lines().iter().enumerate().all(|(row, line)| *line == row as u64 + 2));
    assert!(whole.append(block(&[("c", vec![1.0])])).is_err());
}

/// Letters of a text, some of which CSV gives a meaning.
fn text(random: &mut ChaCha8Rng, letters: &str, most: usize) -> String {
    let letters: Vec<char> = letters.chars().collect();
    let length = random.random_range(0..=most);
    (0..length).map(|_| letters[random.random_range(0..letters.len())]).collect()
}

#[test]
fn numbers_that_are_written_under_any_names_are_read_with_the_same_bits() {
    for_seeds(64, |seed| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // Blanks around a name do not belong to it, and names differ.
        let width = random.random_range(1..5);
        let mut name = |place: usize| format!("{place}{}x", text(&mut random, "az \"',;|\téß风=:.-\n\r", 8));
        let names: Vec<String> = (0..width).map(&mut name).collect();
        let rows = random.random_range(0..20);
        let finite =
            std::iter::repeat_with(|| f64::from_bits(random.random())).filter(|value| value.is_finite());
        let values: Vec<f64> = finite.take(rows * width).collect();
        let folder = Folder::new();
        let path = folder.path().join("table.csv");
        let mut writer = Output::check(&path, &[]).unwrap().rows(&names).unwrap();
        values.chunks(width).for_each(|row| writer.write_numbers(row).unwrap());
        writer.finish().unwrap();
        // Nothing is looked for: a single column whose name has a semicolon could be two.
        let given = options(|options| {
            options.delimiter = Some(Delimiter::COMMA);
            options.header = Some(true);
        });
        let mut reader = Reader::open(&path, &given).map_err(|error| error.to_string())?;
        let block = reader.read_all().map_err(|error| error.to_string())?;
        if reader.columns() != names || block.rows() != rows {
            return Err(format!(
                "{names:?} came back as {:?}, {rows} rows as {}",
                reader.columns(),
                block.rows()
            ));
        }
        let read = if rows == 0 { Vec::new() } else { block.to_table(&names).unwrap().values().to_vec() };
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        if bits(&read) == bits(&values) { Ok(()) } else { Err(format!("{values:?} came back as {read:?}")) }
    });
}

#[test]
fn no_bytes_make_the_reader_or_the_look_panic() {
    for_seeds(600, |seed| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let letters = if seed % 2 == 0 { "01259,,,;\t|. \"\n\n\r-eNAé\u{feff}" } else { "01,\n" };
        let mut bytes = text(&mut random, letters, 60).into_bytes();
        if seed % 5 == 0 && !bytes.is_empty() {
            let place = random.random_range(0..bytes.len());
            bytes[place] = random.random();
        }
        let table = read_with(&bytes, &ReadOptions::default());
        let looked = table.and_then(|(table, _)| Look::of(&table, &Kinds::new()));
        // Whatever it is, it has a text.
        let said = looked.map_or_else(|error| error.to_string(), |look| format!("{look}{look:#}"));
        if said.is_empty() { Err("nothing is said".to_string()) } else { Ok(()) }
    });
}

#[test]
fn texts_that_are_written_are_read() {
    for_seeds(64, |seed| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let rows = random.random_range(1..20);
        let cells = (0..rows).map(|_| Some(format!("x{}y", text(&mut random, "a z\",\n\r;", 6))));
        let column = |name: &str, cells| Column { name: name.to_string(), cells };
        let texts = column("t", Cells::Text(cells.collect()));
        let numbers = column("n", Cells::Numbers((0..rows).map(|row| row as f64).collect()));
        let block = Block::new(vec![numbers, texts], (0..rows as u64).collect()).unwrap();
        let folder = Folder::new();
        let path = folder.path().join("table.csv");
        let mut writer = Output::check(&path, &[]).unwrap().rows(&["n", "t"]).unwrap();
        writer.write_block(&block).unwrap();
        writer.finish().unwrap();
        let given = options(|options| options.delimiter = Some(Delimiter::COMMA));
        let read = Reader::open(&path, &given).and_then(|mut reader| reader.read_all());
        let read = read.map_err(|error| error.to_string())?;
        match read.columns() == block.columns() {
            true => Ok(()),
            false => Err(format!("{:?} came back as {:?}", block.columns(), read.columns())),
        }
    });
}

#[test]
fn kinds_of_columns_whose_names_have_commas_are_read_and_written() {
    let kinds: Kinds = "a=positive,\"wind, max=circular:360\"".parse().unwrap();
    assert_eq!(kinds.to_string(), "a=positive,\"wind, max=circular:360\"");
}
