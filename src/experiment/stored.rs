//! Records as bytes: the files of shards and of runs that were ended early.
//!
//! A file is a magic number, the version of the format, its kind, and *frames*, each a length and a value;
//! then the length that no frame has, and a checksum of all before it. So what is no such file, what a later
//! format wrote, what was not copied whole and what was damaged on the way are told apart before any value
//! is believed. The first frame is a header; the others are read one by one, so that no file need fit into
//! memory. The checksum guards against accidents, not against forgers.

use super::Options;
use crate::model::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;

/// What every file begins with; no text does.
const MAGIC: [u8; 8] = *b"5nines\0\n";

/// Raised whenever a frame changes its form.
const FORMAT: u32 = 7;

/// The length that stands before the checksum.
const END: u64 = u64::MAX;

/// The version that counts for "the same bytes".
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Groups of some blocks of a run.
    Shard = 1,
    /// Where a run was ended.
    Checkpoint = 2,
}

/// The first frame of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardHeader {
    /// [`VERSION`] of the program that wrote it.
    pub version: String,
    /// The scenario's.
    pub hash: String,
    /// The seed of the run.
    pub seed: u64,
    /// How many histories the whole run has.
    pub replications: u64,
    /// How requests are simulated.
    pub method: Method,
    /// The same, if it was asked for by name.
    pub typed: Option<Method>,
    /// Whether outages are forced.
    pub forced: bool,
    /// The blocks.
    pub blocks: Range<u64>,
    /// Which part of how many it was called.
    pub part: (u64, u64),
}

/// The first frame of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointHeader {
    /// [`VERSION`] of the program that wrote it.
    pub version: String,
    /// The scenario's hash.
    pub hash: String,
    /// The scenario's file, as it was typed.
    pub file: String,
    /// What was asked of the run.
    pub options: Options,
    /// Whether break-even factors were asked for.
    pub break_even: bool,
}

/// Why a file cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoredError {
    /// It is something else.
    Foreign,
    /// A later program wrote it, in this format.
    Newer(u32),
    /// It is of another kind.
    Kind(Kind),
    /// It ends too early.
    Cut,
    /// Its checksum does not match.
    Damaged,
    /// It is whole, and holds something that this build does not know.
    Unknown,
    /// It cannot be read.
    Io(io::Error),
}

impl fmt::Display for StoredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("was not written by `fivenines shard` or an ended run"),
            Self::Newer(format) => write!(
                f,
                "is in format {format} of a later fivenines, and {VERSION} reads format {FORMAT}: \
                 use the program that wrote it"
            ),
            Self::Kind(Kind::Shard) => {
                f.write_str("is a shard: `fivenines merge` puts shards together")
            }
            Self::Kind(Kind::Checkpoint) => f.write_str(
                "is the checkpoint of a run: `fivenines run --resume DIR` goes on from it",
            ),
            Self::Cut => f.write_str("ends too early: copy it again, or make it again"),
            Self::Damaged => f.write_str(
                "is damaged, its checksum does not match: copy it again, or make it again",
            ),
            Self::Unknown => f.write_str(
                "was written by another build of the same version: make it again with this one",
            ),
            Self::Io(error) => match error.kind() {
                ErrorKind::NotFound => f.write_str("there is no such file"),
                ErrorKind::IsADirectory => f.write_str("is a directory"),
                ErrorKind::PermissionDenied => f.write_str("may not be read (permission denied)"),
                _ => write!(f, "cannot be read: {error}"),
            },
        }
    }
}

impl std::error::Error for StoredError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Foreign
            | Self::Newer(_)
            | Self::Kind(_)
            | Self::Cut
            | Self::Damaged
            | Self::Unknown => None,
        }
    }
}

impl From<io::Error> for StoredError {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::UnexpectedEof {
            Self::Cut
        } else {
            Self::Io(error)
        }
    }
}

/// FNV-1a over 64 bits.
#[derive(Clone, Copy, Debug)]
struct Checksum(u64);

impl Checksum {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Writes one file.
#[derive(Debug)]
pub struct Writer<W> {
    inner: W,
    sum: Checksum,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(inner: W, kind: Kind) -> io::Result<Self> {
        let sum = Checksum::new();
        let mut writer = Self { inner, sum };
        writer.put(&MAGIC)?;
        writer.put(&FORMAT.to_le_bytes())?;
        writer.put(&[kind as u8])?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.add(bytes);
        self.inner.write_all(bytes)
    }

    /// Writes the next value.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn frame(&mut self, value: &impl Serialize) -> io::Result<()> {
        let bytes = postcard::to_stdvec(value).map_err(io::Error::other)?;
        self.put(&(bytes.len() as u64).to_le_bytes())?;
        self.put(&bytes)
    }

    /// Ends the file, and gives back what it was written to.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.put(&END.to_le_bytes())?;
        let sum = self.sum.0.to_le_bytes();
        self.inner.write_all(&sum)?;
        self.inner.flush()?;
        Ok(self.inner)
    }
}

/// Reads one file.
#[derive(Debug)]
pub struct Reader<R> {
    inner: R,
    sum: Checksum,
}

impl<R: Read> Reader<R> {
    /// Begins a file.
    ///
    /// # Errors
    /// If it is none of this kind and format.
    pub fn new(inner: R, kind: Kind) -> Result<Self, StoredError> {
        let sum = Checksum::new();
        let mut reader = Self { inner, sum };
        let mut magic = Vec::new();
        reader
            .inner
            .by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut magic)?;
        if magic != MAGIC {
            let begun = !magic.is_empty() && MAGIC.starts_with(&magic);
            return Err(if begun {
                StoredError::Cut
            } else {
                StoredError::Foreign
            });
        }
        reader.sum.add(&magic);
        let format = u32::from_le_bytes(reader.take()?);
        if format != FORMAT {
            return Err(StoredError::Newer(format));
        }
        let [found] = reader.take()?;
        let other = [Kind::Shard, Kind::Checkpoint]
            .into_iter()
            .find(|&other| other as u8 == found);
        match other {
            Some(found) if found == kind => Ok(reader),
            Some(found) => Err(StoredError::Kind(found)),
            None => Err(StoredError::Damaged),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoredError> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes)?;
        self.sum.add(&bytes);
        Ok(bytes)
    }

    /// Reads the next value.
    ///
    /// # Errors
    /// If there is none, or it is something else.
    pub fn frame<T: DeserializeOwned>(&mut self) -> Result<T, StoredError> {
        let length = u64::from_le_bytes(self.take()?);
        if length == END {
            return Err(StoredError::Unknown);
        }
        let mut bytes = Vec::new();
        self.inner.by_ref().take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != length {
            return Err(StoredError::Cut);
        }
        self.sum.add(&bytes);
        match postcard::take_from_bytes(&bytes) {
            Ok((value, [])) => Ok(value),
            Ok(_) | Err(_) => Err(StoredError::Unknown),
        }
    }

    /// Reads all that is left, and says whether the file is as it was written.
    ///
    /// # Errors
    /// If it is not.
    pub fn verify(mut self) -> Result<(), StoredError> {
        let mut chunk = vec![0; 1 << 16];
        loop {
            let mut left = u64::from_le_bytes(self.take()?);
            if left == END {
                break;
            }
            while left > 0 {
                let most = (chunk.len() as u64).min(left) as usize;
                let read = match self.inner.read(&mut chunk[..most]) {
                    Ok(0) => return Err(StoredError::Cut),
                    Ok(read) => read,
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error.into()),
                };
                self.sum.add(&chunk[..read]);
                left -= read as u64;
            }
        }
        let sum = self.sum.0;
        let written = u64::from_le_bytes(self.take()?);
        let mut more = Vec::new();
        self.inner.take(1).read_to_end(&mut more)?;
        if written == sum && more.is_empty() {
            Ok(())
        } else {
            Err(StoredError::Damaged)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), Kind::Shard).unwrap();
        writer.frame(&"header".to_owned()).unwrap();
        writer.frame(&vec![f64::NEG_INFINITY, 0.1, -0.0]).unwrap();
        writer.finish().unwrap()
    }

    fn verified(bytes: &[u8]) -> Result<(), StoredError> {
        Reader::new(bytes, Kind::Shard)?.verify()
    }

    #[test]
    fn frames_come_back_to_the_bit() {
        let bytes = file();
        verified(&bytes).unwrap();
        let mut reader = Reader::new(bytes.as_slice(), Kind::Shard).unwrap();
        assert_eq!(reader.frame::<String>().unwrap(), "header");
        let values: Vec<f64> = reader.frame().unwrap();
        let bits = |value: f64| value.to_bits();
        let expected = [f64::NEG_INFINITY, 0.1, -0.0].map(bits);
        assert!(values.into_iter().map(bits).eq(expected));
        assert!(matches!(reader.frame::<u8>(), Err(StoredError::Unknown)));
    }

    #[test]
    fn every_cut_and_every_changed_bit_is_noticed() {
        let bytes = file();
        for length in 0..bytes.len() {
            let found = verified(&bytes[..length]);
            let right = if length == 0 {
                matches!(found, Err(StoredError::Foreign))
            } else {
                matches!(found, Err(StoredError::Cut))
            };
            assert!(right, "{length}: {found:?}");
        }
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(verified(&changed).is_err(), "bit {at}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(matches!(verified(&longer), Err(StoredError::Damaged)));
    }

    #[test]
    fn what_is_something_else_is_told_apart() {
        let check = |bytes: &[u8], kind, word: &str| {
            let error = Reader::new(bytes, kind).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        };
        check(b"fivenines: 1\n", Kind::Shard, "was not written by");
        check(&file(), Kind::Checkpoint, "is a shard");
        let mut newer = file();
        newer[8] = FORMAT as u8 + 1;
        check(&newer, Kind::Shard, "of a later fivenines");
    }
}
