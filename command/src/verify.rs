//! `pushforward verify`: the checker on a file of certificates.

use std::path::PathBuf;
use std::process::ExitCode;

use pushforward::checker::verify;

/// Arguments of `verify`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A file of certificates, that `audit --certificate` or `Report::certificates` wrote; not a model.
    file: PathBuf,
}

/// Reads the file and prints which claims hold, or why one is rejected.
pub fn run(arguments: &Arguments) -> ExitCode {
    let file = arguments.file.display();
    let text = match std::fs::read(&arguments.file) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => text,
            _ => {
                eprintln!(
                    "pushforward verify: {file} is no file of certificates, which are text. Those of a model or a\n  \
                     layer are written by `pushforward audit MODEL --certificate FILE`."
                );
                return ExitCode::FAILURE;
            }
        },
        Err(error) => {
            eprintln!("pushforward verify: {file}: {error}");
            return ExitCode::FAILURE;
        }
    };
    match verify(&text) {
        Ok(claims) => {
            let lines: String = claims.iter().map(|claim| format!("  accepted: {claim}\n")).collect();
            let plural = if claims.len() == 1 { "certificate" } else { "certificates" };
            super::say(&format!("{lines}{} {plural} in {file}, all accepted\n", claims.len()));
            ExitCode::SUCCESS
        }
        Err(rejection) => {
            eprintln!("pushforward verify: {file}: not accepted: {rejection}");
            if !text.starts_with("certificate ") {
                eprintln!("  Certificates are written by `pushforward audit MODEL --certificate FILE`.");
            }
            ExitCode::FAILURE
        }
    }
}
