//! Parquet files as tables.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::column::writer::ColumnWriterImpl;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
    FloatType, Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use pushforward::table::{Block, Delimiter, Kind, Kinds, Look, ReadOptions, Reader, Table, TableError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::seeded::for_seeds;
use crate::table_files::{Folder, numbers, read_with, refused, texts};

/// A file that is written a row group at a time.
fn file(
    schema: &str,
    compression: Compression,
    groups: usize,
    write: impl Fn(usize, &mut SerializedRowGroupWriter<'_, File>),
) -> Vec<u8> {
    let folder = Folder::new();
    let path = folder.path().join("table.parquet");
    let schema = Arc::new(parse_message_type(schema).unwrap());
    // Small pages, so that a column has several.
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_data_page_row_count_limit(100)
        .set_write_batch_size(50)
        .build();
    let file = File::create(&path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    for number in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        write(number, &mut group);
        group.close().unwrap();
    }
    writer.close().unwrap();
    std::fs::read(path).unwrap()
}

/// Writes the next column.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    present: Option<&[i16]>,
) {
    let mut column = group.next_column().unwrap().unwrap();
    let writer: &mut ColumnWriterImpl<'_, T> = column.typed::<T>();
    writer.write_batch(values, present, None).unwrap();
    column.close().unwrap();
}

fn read(bytes: &[u8]) -> Block {
    read_with(bytes, &ReadOptions::default()).unwrap().0
}

#[test]
fn values_of_all_types_are_read_as_csv_would_have_them() {
    let schema = "message table {
        required boolean truth;
        required int32 small;
        required int64 large;
        required int32 unsigned (INTEGER(32, false));
        required int64 count (INTEGER(64, false));
        required float single;
        required double double;
        required fixed_len_byte_array(2) half (FLOAT16);
        required int32 price (DECIMAL(9, 2));
        required fixed_len_byte_array(16) sum (DECIMAL(38, 3));
        required int32 day (DATE);
        required int32 clock (TIME(MILLIS, true));
        required int64 moment (TIMESTAMP(NANOS, true));
        required int64 local (TIMESTAMP(MICROS, false));
        required int96 old;
        required binary text (STRING);
        required binary bytes;
    }";
    let bytes = file(schema, Compression::UNCOMPRESSED, 1, |_, group| {
        column::<BoolType>(group, &[true, false], None);
        column::<Int32Type>(group, &[-3, 7], None);
        column::<Int64Type>(group, &[i64::MAX, -1], None);
        column::<Int32Type>(group, &[-1, 5], None);
        column::<Int64Type>(group, &[-1, 5], None);
        column::<FloatType>(group, &[0.1, -2.5], None);
        column::<DoubleType>(group, &[0.1 + 0.2, 5e-324], None);
        let fixed = |bytes: Vec<u8>| FixedLenByteArray::from(bytes);
        column::<FixedLenByteArrayType>(group, &[fixed(vec![0x00, 0xbe]), fixed(vec![1, 0])], None);
        column::<Int32Type>(group, &[-5, 12_345], None);
        let sums = [-1_234_i128, 10_i128.pow(30)].map(|sum| fixed(sum.to_be_bytes().to_vec()));
        column::<FixedLenByteArrayType>(group, &sums, None);
        // 29 February of a leap year, and a day before 1970.
        column::<Int32Type>(group, &[19_782, -1], None);
        column::<Int32Type>(group, &[36_061_500, 0], None);
        column::<Int64Type>(group, &[1_709_210_096_000_000_789, -1_000_000_000], None);
        column::<Int64Type>(group, &[0, -62_135_596_800_000_000], None);
        // Julian day 2440588 is 1970-01-01.
        let mut old = [Int96::new(), Int96::new()];
        old[0].set_data(1_000_000_000, 0, 2_440_589);
        old[1].set_data(0, 0, 2_440_588);
        column::<Int96Type>(group, &old, None);
        let text = |text: &str| ByteArray::from(text);
        column::<ByteArrayType>(group, &[text("風, \"x\""), text("7")], None);
        column::<ByteArrayType>(group, &[ByteArray::from(vec![0xff, 0x01]), text("b")], None);
    });
    let block = read(&bytes);
    assert_eq!(texts(&block, "truth"), ["true", "false"]);
    assert_eq!(numbers(&block, "small"), [-3.0, 7.0]);
    assert_eq!(numbers(&block, "large"), [i64::MAX as f64, -1.0]);
    assert_eq!(numbers(&block, "unsigned"), [f64::from(u32::MAX), 5.0]);
    assert_eq!(numbers(&block, "count"), [u64::MAX as f64, 5.0]);
    assert_eq!(numbers(&block, "single"), [0.1, -2.5]);
    assert_eq!(numbers(&block, "double"), [0.1 + 0.2, 5e-324]);
    assert_eq!(numbers(&block, "half"), [-1.5, 2_f64.powi(-24)]);
    assert_eq!(numbers(&block, "price"), [-0.05, 123.45]);
    assert_eq!(numbers(&block, "sum"), [-1.234, 1e27]);
    assert_eq!(texts(&block, "day"), ["2024-02-29", "1969-12-31"]);
    assert_eq!(texts(&block, "clock"), ["10:01:01.500", "00:00:00"]);
    assert_eq!(texts(&block, "moment"), ["2024-02-29T12:34:56.000000789Z", "1969-12-31T23:59:59Z"]);
    assert_eq!(texts(&block, "local"), ["1970-01-01T00:00:00", "0001-01-01T00:00:00"]);
    assert_eq!(texts(&block, "old"), ["1970-01-02T00:00:01", "1970-01-01T00:00:00"]);
    assert_eq!(texts(&block, "text"), ["風, \"x\"", "7"]);
    assert_eq!(texts(&block, "bytes"), ["ff01", "b"]);
    let look = Look::of(&block, &Kinds::new()).unwrap();
    for name in ["day", "clock", "moment", "local", "old"] {
        let column = look.columns.iter().find(|column| column.name == name).unwrap();
        assert_eq!(column.kind, Kind::Date, "{name}");
    }
}

/// Rows in three groups, in which every third number and every fourth text is missing.
fn with_nulls(compression: Compression) -> Vec<u8> {
    let schema = "message table { optional double x; optional binary t (STRING); required int32 n; }";
    file(schema, compression, 3, |number, group| {
        let rows = || (0..5000).map(|row| 5000 * number as i32 + row);
        let present = |every: i32| rows().map(|row| i16::from(row % every != 0)).collect::<Vec<_>>();
        let values: Vec<f64> = rows().filter(|row| row % 3 != 0).map(|row| f64::from(row) / 7.0).collect();
        column::<DoubleType>(group, &values, Some(&present(3)));
        let values: Vec<ByteArray> = rows()
            .filter(|row| row % 4 != 0)
            .map(|row| ByteArray::from(format!("t{}", row % 9).as_str()))
            .collect();
        column::<ByteArrayType>(group, &values, Some(&present(4)));
        column::<Int32Type>(group, &rows().collect::<Vec<_>>(), None);
    })
}

#[test]
fn nulls_are_missing_in_every_compression() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let block = read(&with_nulls(compression));
        assert_eq!(block.rows(), 15_000, "{compression}");
        let (x, t, n) = (numbers(&block, "x"), texts(&block, "t"), numbers(&block, "n"));
        for row in 0..15_000 {
            assert_eq!((n[row], block.lines()[row]), (row as f64, row as u64 + 1));
            match row % 3 {
                0 => assert!(x[row].is_nan(), "row {row} of {compression}"),
                _ => assert_eq!(x[row], row as f64 / 7.0),
            }
            let text = format!("t{}", row % 9);
            assert_eq!(t[row], if row % 4 == 0 { "-" } else { &text });
        }
    }
}

#[test]
fn a_null_is_missing_whatever_else_marks_missing_values() {
    let given = ReadOptions { missing_markers: vec!["7".to_string()], ..ReadOptions::default() };
    let block = read_with(with_nulls(Compression::SNAPPY), &given).unwrap().0;
    assert!(numbers(&block, "x")[3].is_nan());
    assert!(numbers(&block, "n")[7].is_nan() && numbers(&block, "n")[8] == 8.0);
}

#[test]
fn columns_are_chosen_and_blocks_are_rows_in_order() {
    let folder = Folder::new();
    let path = folder.file("table.parquet", with_nulls(Compression::SNAPPY));
    let mut reader = Reader::open(&path, &ReadOptions::default()).unwrap();
    assert_eq!(reader.columns(), ["x", "t", "n"]);
    reader.select(&["n"]).unwrap();
    reader.read_as_text(&["n"]).unwrap();
    let mut rows = 0;
    while let Some(block) = reader.next_block(4000).unwrap() {
        assert_eq!(texts(&block, "n")[0], rows.to_string());
        rows += block.rows();
    }
    assert_eq!(rows, 15_000);
    let kept = Table::read(&path, &["n"], |cell| cell("t").as_deref() == Some("t1")).unwrap();
    assert_eq!(kept.row(0), [1.0]);
    let error = Table::read(&path, &["x"], |_| true).unwrap_err().to_string();
    assert!(error.contains("line 1, column `x` has no value"), "{error}");
}

#[test]
fn members_of_structures_are_columns_and_lists_are_left_out() {
    let schema = "message table {
        required group place { required double lat; optional double lon; }
        optional group tags (LIST) { repeated group list { optional binary element (STRING); } }
    }";
    let bytes = file(schema, Compression::SNAPPY, 1, |_, group| {
        column::<DoubleType>(group, &[1.0, 2.0], None);
        column::<DoubleType>(group, &[3.0], Some(&[0, 1]));
        let mut tags = group.next_column().unwrap().unwrap();
        let values = [ByteArray::from("a"), ByteArray::from("b")];
        tags.typed::<ByteArrayType>().write_batch(&values, Some(&[3, 3]), Some(&[0, 0])).unwrap();
        tags.close().unwrap();
    });
    let (block, said) = read_with(&bytes, &ReadOptions::default()).unwrap();
    assert_eq!(numbers(&block, "place.lat"), [1.0, 2.0]);
    assert!(numbers(&block, "place.lon")[0].is_nan() && numbers(&block, "place.lon")[1] == 3.0);
    assert_eq!(
        said,
        "it is a Parquet file, whose rows count as lines, from 1; lists are left out: `tags.list.element`"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_that_says_why() {
    let whole = with_nulls(Compression::SNAPPY);
    let plain = ReadOptions::default();
    let message = refused(&whole[..whole.len() - 9], &plain);
    assert!(message.starts_with("table.csv cannot be read to its end: "), "{message}");
    let mut altered = whole.clone();
    altered[40..90].fill(0xff);
    assert!(refused(&altered, &plain).contains("cannot be read to its end"));
    let given = ReadOptions { delimiter: Some(Delimiter::TAB), ..ReadOptions::default() };
    assert_eq!(
        refused(&whole, &given),
        "table.csv is a Parquet file: options on delimiters, decimal commas, headers and encodings are of text files"
    );
    let schema = "message table { required double x; }";
    let infinite = file(schema, Compression::SNAPPY, 1, |_, group| {
        column::<DoubleType>(group, &[1.0, f64::NAN, f64::NEG_INFINITY], None);
    });
    let folder = Folder::new();
    let path = folder.file("table.parquet", infinite);
    let error = Reader::open(path, &plain).unwrap().read_all().unwrap_err();
    assert!(matches!(error, TableError::Cell { line: 3, .. }), "{error}");
}

#[test]
fn no_altered_byte_makes_the_reader_panic() {
    let schema =
        "message table { optional double x; required binary t (STRING); required int32 day (DATE); }";
    let whole = file(schema, Compression::SNAPPY, 1, |_, group| {
        column::<DoubleType>(group, &[1.0, 2.0, 3.0], Some(&[1, 0, 1, 1]));
        let texts = ["a", "b", "a", "c"].map(ByteArray::from);
        column::<ByteArrayType>(group, &texts, None);
        column::<Int32Type>(group, &[1, i32::MAX, i32::MIN, 4], None);
    });
    assert_eq!(read(&whole).rows(), 4);
    for_seeds(2000, |seed| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut altered = whole.clone();
        for _ in 0..random.random_range(1..4) {
            let place = random.random_range(4..altered.len());
            altered[place] = random.random();
        }
        if seed % 7 == 0 {
            altered.truncate(random.random_range(4..whole.len()));
        }
        // Whatever it is, it has a text.
        let said = match read_with(&altered, &ReadOptions::default()) {
            Ok((_, said)) => said,
            Err(error) => error.to_string(),
        };
        if said.is_empty() { Err("nothing is said".to_string()) } else { Ok(()) }
    });
}
