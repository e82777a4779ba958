//! Export of the raw telemetry to Parquet, partitioned by day, for analysts' own tools.
//!
//! `day=2026-11-21/part-0.parquet` under the target, as Hive, DuckDB, Spark and pyarrow find partitions. Days are of the ingest time in
//! UTC. Columns: `position`, `ingest_time`, `tenant`, `source`, `kind`, `raw` (bytes exactly as they came); zstd. Files are written
//! under another name and renamed when whole. What is exported is not encrypted: whoever asks for it decides where it may lie.

use crate::bytes::wide;
use crate::log::{Damage, Position, Readers, Record};
use crate::{Error, Result};
use habitus_model::IngestTime;
use jiff::Timestamp;
use jiff::tz::Offset;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SCHEMA: &str = "message record {
    REQUIRED INT64 position (INTEGER(64,false));
    REQUIRED INT64 ingest_time (TIMESTAMP(MILLIS,true));
    REQUIRED BYTE_ARRAY tenant (STRING);
    REQUIRED BYTE_ARRAY source (STRING);
    REQUIRED BYTE_ARRAY kind (STRING);
    REQUIRED BYTE_ARRAY raw;
}";
/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;
/// Bytes of raw records in one row group: what is held in memory for each open day.
const GROUP_BYTES: usize = 32 * 1024 * 1024;
/// Days that are written at once; records come nearly in the order of time.
const DAYS_MAX: usize = 4;
/// Parts of one day; beyond, something is wrong with the target.
const PARTS_MAX: u32 = 100_000;

/// What is to be exported, and where to.
pub struct Export<'a> {
    /// Not before this time.
    pub from: IngestTime,
    /// Before this time.
    pub until: IngestTime,
    /// The directory under which days are put. Parts that are there already stay.
    pub target: &'a Path,
    /// The name of a kind of record; `None` leaves records of this kind out.
    pub kind_name: &'a dyn Fn(u8) -> Option<&'static str>,
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// Records written.
    pub records: u64,
    /// Files written, in order.
    pub files: Vec<PathBuf>,
    /// What of the log could not be read.
    pub damage: Damage,
}

/// Writes the records of a range of time to Parquet. Reads the whole log.
///
/// # Errors
/// [`Error::Full`], [`Error::Io`], [`Error::Parquet`]; or of reading. Files that are whole by then stay.
pub fn export(readers: &Readers, what: &Export<'_>) -> Result<Exported> {
    let mut exported = Exported::default();
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    let mut reader = readers.from(Position(0));
    for record in reader.by_ref() {
        let record = record?;
        let at = record.entry.ingested;
        let Some(kind) = (what.kind_name)(record.entry.kind) else {
            continue;
        };
        if at < what.from || at >= what.until {
            continue;
        }
        let name = day_name(at)?;
        if !days.contains_key(&name) {
            if days.len() >= DAYS_MAX
                && let Some((_, oldest)) = days.pop_first()
            {
                exported.files.push(oldest.finish()?);
            }
            days.insert(name.clone(), Day::begin(what.target, &name)?);
        }
        if let Some(day) = days.get_mut(&name) {
            day.push(record, kind)?;
            exported.records += 1;
        }
    }
    for (_, day) in days {
        exported.files.push(day.finish()?);
    }
    exported.files.sort();
    exported.damage = reader.damage();
    Ok(exported)
}

fn day_name(at: IngestTime) -> Result<String> {
    let at = Timestamp::from_millisecond(at.as_millis()).map_err(|_| Error::Encoding("a day"))?;
    Ok(format!("day={}", Offset::UTC.to_datetime(at).date()))
}

/// One file, and the rows that wait for its next row group.
struct Day {
    writer: SerializedFileWriter<File>,
    path: PathBuf,
    rows: Rows,
}

#[derive(Default)]
struct Rows {
    positions: Vec<i64>,
    times: Vec<i64>,
    tenants: Vec<ByteArray>,
    sources: Vec<ByteArray>,
    kinds: Vec<ByteArray>,
    raws: Vec<ByteArray>,
    bytes: usize,
}

impl Day {
    fn begin(target: &Path, name: &str) -> Result<Self> {
        let folder = target.join(name);
        fs::create_dir_all(&folder).map_err(Error::io("make a directory"))?;
        let path = (0..PARTS_MAX)
            .map(|part| folder.join(format!("part-{part}.parquet")))
            .find(|path| !path.exists())
            .ok_or(Error::Parquet("too many parts of one day".to_owned()))?;
        let schema = parse_message_type(SCHEMA).map_err(parquet_error)?;
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(parquet_error)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .build();
        let file = File::create(unfinished(&path)).map_err(Error::io("make a file"))?;
        let writer =
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).map_err(parquet_error)?;
        Ok(Self {
            writer,
            path,
            rows: Rows::default(),
        })
    }

    fn push(&mut self, record: Record, kind: &'static str) -> Result<()> {
        let Record { position, entry } = record;
        self.rows.bytes += entry.frame_bytes();
        // The type says that it is unsigned; the bits are the same.
        self.rows
            .positions
            .push(i64::from_le_bytes(position.0.to_le_bytes()));
        self.rows.times.push(entry.ingested.as_millis());
        self.rows.tenants.push(entry.tenant.as_str().into());
        self.rows.sources.push(entry.source.as_str().into());
        self.rows.kinds.push(kind.into());
        self.rows.raws.push(entry.payload.into());
        if self.rows.bytes >= GROUP_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        if rows.positions.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(parquet_error)?;
        write_column::<Int64Type>(&mut group, &rows.positions)?;
        write_column::<Int64Type>(&mut group, &rows.times)?;
        for column in [&rows.tenants, &rows.sources, &rows.kinds, &rows.raws] {
            write_column::<ByteArrayType>(&mut group, column)?;
        }
        group.close().map(|_| ()).map_err(parquet_error)
    }

    fn finish(mut self) -> Result<PathBuf> {
        self.flush()?;
        let file = self.writer.into_inner().map_err(parquet_error)?;
        file.sync_all().map_err(Error::io("sync a file"))?;
        fs::rename(unfinished(&self.path), &self.path).map_err(Error::io("rename a file"))?;
        if let Some(folder) = self.path.parent() {
            let folder = File::open(folder).map_err(Error::io("open a directory"))?;
            folder.sync_all().map_err(Error::io("sync a directory"))?;
        }
        Ok(self.path)
    }
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("parquet.tmp")
}

fn write_column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, File>, values: &[T::T]) -> Result<()> {
    let column = group.next_column().map_err(parquet_error)?;
    let mut column = column.ok_or(Error::Encoding("a column"))?;
    let written = column
        .typed::<T>()
        .write_batch(values, None, None)
        .map_err(parquet_error)?;
    debug_assert_eq!(wide(written), wide(values.len()));
    column.close().map_err(parquet_error)
}

fn parquet_error(error: ParquetError) -> Error {
    if let ParquetError::External(inner) = &error
        && let Some(inner) = inner.downcast_ref::<std::io::Error>()
    {
        return Error::io("write a Parquet file")(std::io::Error::from(inner.kind()));
    }
    Error::Parquet(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::entry::sample;
    use crate::log::{Entry, Log, Settings};
    use crate::storage::FaultFs;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    use std::process::Command;

    const DAY_MS: i64 = 86_400_000;
    /// 2026-11-20T00:00:00Z.
    const START_MS: i64 = 1_795_132_800_000;

    fn at(ms: i64) -> IngestTime {
        IngestTime::from_millis(START_MS + ms).unwrap()
    }

    fn log(entries: &[Entry]) -> Readers {
        let (mut log, _) = Log::open(Arc::new(FaultFs::new()), Settings::default()).unwrap();
        log.append(entries).unwrap();
        log.commit().unwrap();
        log.readers()
    }

    fn read(path: &Path) -> Vec<(u64, i64, String, String, String, Vec<u8>)> {
        let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap());
        rows.map(|row| {
            let text = |index| row.get_string(index).unwrap().clone();
            let raw = row.get_bytes(5).unwrap().data().to_vec();
            let time = row.get_timestamp_millis(1).unwrap();
            (row.get_ulong(0).unwrap(), time, text(2), text(3), text(4), raw)
        })
        .collect()
    }

    #[test]
    fn records_are_found_under_their_days_with_their_bytes() {
        let mut entries: Vec<Entry> = (0..300).map(sample).collect();
        for (index, entry) in entries.iter_mut().enumerate() {
            entry.ingested = at(i64::try_from(index).unwrap() * DAY_MS / 100);
        }
        // A straggler of the first day, and bytes that are no text.
        entries[250].ingested = at(5);
        entries[3].payload = vec![0xff, 0xfe, 0];
        let folder = tempfile::tempdir().unwrap();
        let what = Export {
            from: at(0),
            until: at(2 * DAY_MS),
            target: folder.path(),
            kind_name: &|kind| (kind != 4).then_some("event"),
        };
        let exported = export(&log(&entries), &what).unwrap();
        let names: Vec<_> = exported
            .files
            .iter()
            .map(|path| path.strip_prefix(folder.path()).unwrap())
            .collect();
        assert_eq!(
            names,
            [
                Path::new("day=2026-11-20/part-0.parquet"),
                Path::new("day=2026-11-21/part-0.parquet")
            ]
        );
        let mut found: Vec<_> = exported.files.iter().flat_map(|path| read(path)).collect();
        found.sort();
        let expected: Vec<_> = (0..)
            .zip(&entries)
            .filter(|(_, entry)| entry.kind != 4 && entry.ingested < at(2 * DAY_MS))
            .map(|(position, entry)| {
                let time = entry.ingested.as_millis();
                let (tenant, source) = (entry.tenant.as_str().to_owned(), entry.source.to_string());
                (
                    position,
                    time,
                    tenant,
                    source,
                    "event".to_owned(),
                    entry.payload.clone(),
                )
            })
            .collect();
        assert_eq!(found, expected);
        assert_eq!(wide(found.len()), exported.records);
        let again = export(&log(&entries), &what).unwrap();
        assert!(again.files[0].ends_with("part-1.parquet"), "what is there stays");
        read_elsewhere(&exported.files[0]);
    }

    /// What another implementation makes of the file.
    fn read_elsewhere(path: &Path) {
        const SCRIPT: &str = "import sys, pyarrow.parquet as p; t = p.ParquetFile(sys.argv[1]).read(); \
            print(t.num_rows, *t.column_names, t.column('ingest_time')[0].as_py().isoformat())";
        let output = Command::new("python3").args(["-c", SCRIPT]).arg(path).output();
        match output {
            Ok(output) if output.status.success() => {
                let text = String::from_utf8(output.stdout).unwrap();
                assert!(
                    text.contains("position ingest_time tenant source kind raw 2026-11-20T00:00:00"),
                    "{text}"
                );
            }
            _ => println!("skipped: no python3 with pyarrow here"),
        }
    }
}
