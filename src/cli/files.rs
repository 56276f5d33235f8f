//! Writes the files of a report: each appears whole or not at all.

use crate::report;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Opens a file to read from its beginning, as often as is needed: a pipe would be waited for, and is empty the
/// second time.
pub(super) fn open_plain(path: &Path) -> io::Result<File> {
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        Err(ErrorKind::IsADirectory.into())
    } else if kind.is_file() {
        File::open(path)
    } else {
        Err(io::Error::other("it is no plain file"))
    }
}

/// Why a report could not be written.
#[derive(Debug)]
pub(super) struct WriteError {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = report::line(&self.path.to_string_lossy());
        match self.error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                write!(f, "cannot write to {path}: {}", self.error.kind())
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                write!(
                    f,
                    "cannot write to {path}: no space left; the files there are as before"
                )
            }
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                write!(
                    f,
                    "cannot write to {path}: it is, or lies in, a file and not a directory"
                )
            }
            _ => write!(f, "cannot write to {path}: {}", self.error),
        }
    }
}

impl std::error::Error for WriteError {}

/// A new file beside its place, with the permissions that an ordinary new file gets.
fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".fivenines-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

/// Makes the directory and sees whether files can be made in it, before hours of work rely on it.
pub(super) fn prepare(directory: &Path) -> Result<(), WriteError> {
    std::fs::create_dir_all(directory)
        .and_then(|()| temporary(directory))
        .map(drop)
        .map_err(|error| WriteError {
            path: directory.to_owned(),
            error,
        })
}

/// Writes all files, then puts all in their places: if one cannot be written, none is changed.
pub(super) fn write(directory: &Path, files: &[(String, String)]) -> Result<(), WriteError> {
    let at = |name: &str| {
        let path = directory.join(name);
        move |error| WriteError { path, error }
    };
    prepare(directory)?;
    let mut written = Vec::new();
    for (name, text) in files {
        let file = temporary(directory)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.as_file().sync_all()?;
                Ok(file)
            })
            .map_err(at(name))?;
        written.push((name, file));
    }
    for (name, file) in written {
        file.persist(directory.join(name))
            .map_err(|error| at(name)(error.error))?;
    }
    // The names reach the disk too, where the system can be asked for it.
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}

/// A file that is being written, and appears when it is whole.
#[derive(Debug)]
pub(super) struct Begun {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

/// Begins a file, which replaces one of the same name once it is whole.
pub(super) fn begin(path: &Path) -> Result<Begun, WriteError> {
    let wrong = |error| WriteError {
        path: path.to_owned(),
        error,
    };
    // Found out before hours of work rely on it.
    if path.is_dir() {
        return Err(wrong(ErrorKind::IsADirectory.into()));
    }
    let file = temporary(folder(path)).map_err(wrong)?;
    Ok(Begun {
        path: path.to_owned(),
        file: BufWriter::new(file),
    })
}

impl Begun {
    /// What to write to.
    pub(super) fn writer(&mut self) -> &mut (impl Write + use<>) {
        &mut self.file
    }

    /// What went wrong when it was written.
    pub(super) fn wrong(&self, error: io::Error) -> WriteError {
        WriteError {
            path: self.path.clone(),
            error,
        }
    }

    /// Puts the file into its place.
    pub(super) fn finish(self) -> Result<(), WriteError> {
        let wrong = |error| WriteError {
            path: self.path.clone(),
            error,
        };
        let file = self.file.into_inner();
        let file = file.map_err(|error| wrong(error.into_error()))?;
        file.as_file().sync_all().map_err(wrong)?;
        file.persist(&self.path)
            .map_err(|error| wrong(error.error))?;
        Ok(())
    }
}

/// Takes a file away, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), WriteError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(WriteError {
            path: path.to_owned(),
            error,
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The folder that a file lies in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes a new file; `false` if there is one of that name, which stays as it is.
pub(super) fn create(path: &Path, text: &str) -> Result<bool, WriteError> {
    let wrong = |error| WriteError {
        path: path.to_owned(),
        error,
    };
    // A link that leads nowhere is in the way, too.
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let mut file = temporary(folder(path)).map_err(wrong)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(wrong)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(wrong(error.error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_files_appear_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a/b");
        let files = [
            ("x".to_owned(), "1".to_owned()),
            ("y".to_owned(), "2".to_owned()),
        ];
        write(&target, &files).unwrap();
        write(&target, &[("x".to_owned(), "3".to_owned())]).unwrap();
        assert_eq!(names(&target), ["x", "y"]);
        assert_eq!(std::fs::read_to_string(target.join("x")).unwrap(), "3");
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report");
        std::fs::write(&path, "").unwrap();
        for path in [path.clone(), path.join("deeper")] {
            let text = write(&path, &[]).unwrap_err().to_string();
            assert!(text.contains("a file and not a directory"), "{text}");
        }
    }

    #[test]
    fn a_failure_leaves_the_old_files_alone() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &[("x".to_owned(), "old".to_owned())]).unwrap();
        // A directory where a file should go: found only when everything is written.
        std::fs::create_dir(dir.path().join("w")).unwrap();
        let files = [
            ("w".to_owned(), String::new()),
            ("x".to_owned(), "new".to_owned()),
        ];
        assert!(write(dir.path(), &files).is_err());
        assert_eq!(
            std::fs::read_to_string(dir.path().join("x")).unwrap(),
            "old"
        );
        assert_eq!(names(dir.path()), ["w", "x"]);
    }
}
