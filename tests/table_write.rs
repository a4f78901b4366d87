//! Writing: a file is complete or absent, and never one that is read.

use std::fs;
use std::io::Write;
use std::path::Path;

use pushforward::table::{Output, OutputError};

use crate::table_files::Folder;

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_there_when_it_is_complete_and_nothing_beside_it_is_touched() {
    let folder = Folder::new();
    let precious = folder.file("my.part", "precious");
    let path = folder.path().join("my.csv");
    let output = Output::check(&path, &[]).unwrap();
    assert_eq!(names(&folder), ["my.part"]);
    let mut writer = output.writer().unwrap();
    writer.write_all(b"half").unwrap();
    writer.flush().unwrap();
    assert!(!path.exists());
    drop(writer);
    assert_eq!(names(&folder), ["my.part"]);
    output.write(b"whole\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "whole\n");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    // What was there stays until the new file is complete.
    let mut rows = output.rows(&["row", "log, p"]).unwrap();
    rows.write_numbers(&[0.0, -1.5e-7]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "whole\n");
    rows.write(["1", "x\"y"]).unwrap();
    rows.write_numbers(&[2.0, f64::NAN]).unwrap();
    rows.finish().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "row,\"log, p\"\n0,-1.5e-7\n1,\"x\"\"y\"\n2,\n");
    assert_eq!(names(&folder), ["my.csv", "my.part"]);
}

#[test]
fn what_cannot_be_written_is_refused_before_any_work() {
    let folder = Folder::new();
    let input = folder.file("in.csv", "a\n1\n");
    let refused = |path: &Path| folder.plain(&Output::check(path, &[&input]).unwrap_err().to_string());
    assert_eq!(refused(&input), "in.csv is the file in.csv, which is read; give another name for the output");
    let around = folder.path().join("sub/../in.csv");
    fs::create_dir(folder.path().join("sub")).unwrap();
    assert!(
        refused(&around).ends_with("is the file in.csv, which is read; give another name for the output")
    );
    assert_eq!(refused(&folder.path().join("sub")), "sub is a folder; give the name of a file in it");
    assert_eq!(
        refused(Path::new("/nonexistent/s.csv")),
        "/nonexistent/s.csv cannot be written: there is no folder /nonexistent; create it first"
    );
    assert!(refused(&input.join("x.csv")).starts_with("in.csv/x.csv cannot be written: "));
    let kept = folder.file("kept.csv", "1");
    let mut permissions = fs::metadata(&kept).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&kept, permissions).unwrap();
    assert_eq!(
        refused(&kept),
        "kept.csv exists and is read-only; give another name for the output, or make it writable"
    );
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    #[test]
    fn links_lead_to_their_file() {
        let folder = Folder::new();
        let input = folder.file("in.csv", "a\n1\n");
        let hard = folder.path().join("hard.csv");
        fs::hard_link(&input, &hard).unwrap();
        let soft = folder.path().join("soft.csv");
        symlink(&input, &soft).unwrap();
        for path in [&hard, &soft] {
            assert!(matches!(Output::check(path, &[&input]), Err(OutputError::Input { .. })));
        }
        // A link stays one.
        Output::check(&soft, &[]).unwrap().write(b"new").unwrap();
        assert!(fs::symlink_metadata(&soft).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&input).unwrap(), "new");
    }

    #[test]
    fn a_file_keeps_its_permissions_and_a_new_one_has_those_of_new_files() {
        let folder = Folder::new();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let old = folder.file("old.csv", "1");
        fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
        Output::check(&old, &[]).unwrap().write(b"2").unwrap();
        assert_eq!(mode(&old), 0o640);
        let plain = folder.file("plain.csv", "1");
        let new = folder.path().join("new.csv");
        Output::check(&new, &[]).unwrap().write(b"2").unwrap();
        assert_eq!(mode(&new), mode(&plain));
    }

    #[test]
    fn devices_are_written_to_and_a_full_one_is_an_error() {
        let null = Path::new("/dev/null");
        let device = fs::metadata(null).unwrap().ino();
        Output::check(null, &[]).unwrap().write(b"x").unwrap();
        assert_eq!(fs::metadata(null).unwrap().ino(), device);
        let full = Path::new("/dev/full");
        if full.exists() {
            let output = Output::check(full, &[]).unwrap();
            let message = output.write(b"x").unwrap_err().to_string();
            assert!(message.starts_with("/dev/full cannot be written: No space left on device"), "{message}");
            let mut rows = output.rows(&["a"]).unwrap();
            rows.write_numbers(&[1.0]).unwrap();
            assert!(rows.finish().is_err());
        }
    }
}
