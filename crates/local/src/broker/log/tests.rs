use std::{fs::File, io::Write};

use tempfile::TempDir;

use super::{
    batch::samples::{Compress, Sample},
    *,
};

const SEGMENT_BYTES: u64 = 1_000;

struct Fixture {
    folder: TempDir,
    log: PartitionLog,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder).unwrap();
        Self { folder, log }
    }

    fn reopened(self) -> Self {
        drop(self.log);
        let log = open(&self.folder).unwrap();
        Self { folder: self.folder, log }
    }

    fn append(&self, sample: &Sample) -> Result<i64, LogError> {
        let batch = sample.bytes();
        let header = BatchHeader::parse(&batch).unwrap();
        self.log.append(&header, &batch).map(|appended| appended.base_offset)
    }

    fn fill(&self, batches: i64) {
        for number in 0..batches {
            self.append(&Sample::of(&[number * 10, number * 10 + 5])).unwrap();
        }
    }

    fn segments(&self) -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| Segment::base_offset_of(path).is_some());
        paths.sort();
        paths
    }

    fn next_offset(&self) -> i64 {
        self.log.bounds().high_watermark
    }
}

fn open(folder: &TempDir) -> Result<PartitionLog, RecoveryError> {
    PartitionLog::open(folder.path().to_owned(), SEGMENT_BYTES, Arc::new(OpenFiles::new(2)))
}

fn headers(mut bytes: &[u8]) -> Vec<BatchHeader> {
    let mut headers = Vec::new();
    while let Ok(header) = BatchHeader::parse(bytes) {
        batch::verify(&header, &bytes[..header.total_bytes as usize]).unwrap();
        bytes = &bytes[header.total_bytes as usize..];
        headers.push(header);
    }
    assert!(bytes.is_empty(), "a batch was cut");
    headers
}

#[test]
fn every_offset_is_found_across_segments() {
    let fixture = Fixture::new();
    fixture.fill(100);
    assert!(fixture.segments().len() > 5);
    for offset in 0..200 {
        let bytes = fixture.log.read(offset, 1_000, Oversized::Refused).unwrap();
        let first = headers(&bytes)[0];
        assert!((first.base_offset..=first.last_offset()).contains(&offset), "{offset} in {first:?}");
    }
    assert!(fixture.log.read(200, 1_000, Oversized::Refused).unwrap().is_empty());
    for offset in [-1, 201] {
        let read = fixture.log.read(offset, 1_000, Oversized::Refused);
        assert!(matches!(read, Err(LogError::OutOfRange { .. })));
    }
}

#[test]
fn every_offset_of_a_long_segment_is_found_through_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let files = Arc::new(OpenFiles::new(2));
    let log = PartitionLog::open(folder.path().to_owned(), 1 << 30, files).unwrap();
    let mut sample = Sample::of(&[1]);
    sample.value = vec![7; 5_000];
    let batch = sample.bytes();
    let header = BatchHeader::parse(&batch).unwrap();
    for _ in 0..200 {
        log.append(&header, &batch).unwrap();
    }
    for offset in 0..200 {
        let bytes = log.read(offset, 6_000, Oversized::Refused).unwrap();
        assert_eq!(headers(&bytes)[0].base_offset, offset);
    }
}

#[test]
fn a_read_returns_whole_batches_within_its_limit() {
    let fixture = Fixture::new();
    fixture.fill(3);
    let one = u64::from(headers(&fixture.log.read(0, 1_000, Oversized::Refused).unwrap())[0].total_bytes);
    let count = |most, oversized| headers(&fixture.log.read(0, most, oversized).unwrap()).len();
    assert_eq!(count(one * 2 + 1, Oversized::Refused), 2);
    assert_eq!(count(one - 1, Oversized::Refused), 0);
    assert_eq!(count(one - 1, Oversized::Allowed), 1);
}

#[test]
fn a_torn_tail_is_cut_and_the_log_goes_on() {
    for torn in [1, 12, 60, 61, 80] {
        let fixture = Fixture::new();
        fixture.fill(3);
        let batch = Sample::of(&[1, 2, 3]).bytes();
        let last = fixture.segments().pop().unwrap();
        File::options().append(true).open(last).unwrap().write_all(&batch[..torn]).unwrap();
        let fixture = fixture.reopened();
        assert_eq!(fixture.next_offset(), 6);
        assert_eq!(fixture.append(&Sample::of(&[1])).unwrap(), 6);
        assert_eq!(headers(&fixture.reopened().log.read(0, 1_000, Oversized::Refused).unwrap()).len(), 4);
    }
}

#[test]
fn a_batch_whose_records_did_not_reach_the_disk_is_cut() {
    let fixture = Fixture::new();
    fixture.fill(3);
    let last = fixture.segments().pop().unwrap();
    let mut bytes = fs::read(&last).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&last, bytes).unwrap();
    assert_eq!(fixture.reopened().next_offset(), 4);
}

#[test]
fn damage_before_the_last_segment_is_an_error() {
    let fixture = Fixture::new();
    fixture.fill(100);
    let first = &fixture.segments()[0];
    let bytes = fs::read(first).unwrap();
    fs::write(first, &bytes[..bytes.len() - 1]).unwrap();
    assert!(matches!(open(&fixture.folder), Err(RecoveryError::Damaged { .. })));
}

#[test]
fn a_restart_keeps_records_and_start() {
    let fixture = Fixture::new();
    fixture.fill(100);
    fixture.log.delete_before(51).unwrap();
    let before = fixture.log.read(51, 10_000, Oversized::Refused).unwrap();
    let fixture = fixture.reopened();
    assert_eq!(fixture.log.bounds(), Bounds { start_offset: 51, high_watermark: 200 });
    assert_eq!(fixture.log.read(51, 10_000, Oversized::Refused).unwrap(), before);
}

#[test]
fn a_repeated_batch_is_answered_with_its_offset_also_after_a_restart() {
    let fixture = Fixture::new();
    let sent = |sequence| Sample { producer: Some((9, 0, sequence)), ..Sample::of(&[1, 2]) };
    assert_eq!(fixture.append(&sent(0)).unwrap(), 0);
    assert_eq!(fixture.append(&sent(2)).unwrap(), 2);
    assert_eq!(fixture.append(&sent(0)).unwrap(), 0);
    let fixture = fixture.reopened();
    assert_eq!(fixture.append(&sent(2)).unwrap(), 2);
    assert_eq!(fixture.append(&sent(4)).unwrap(), 4);
    assert!(matches!(
        fixture.append(&sent(8)),
        Err(LogError::Sequence(SequenceError::OutOfOrder { expected: 6, found: 8 }))
    ));
    assert_eq!(fixture.next_offset(), 6);
}

#[test]
fn deleting_records_moves_the_start_and_removes_their_files() {
    let fixture = Fixture::new();
    fixture.fill(100);
    let files = fixture.segments().len();
    assert_eq!(fixture.log.delete_before(101).unwrap(), 101);
    assert!(fixture.segments().len() < files);
    assert!(matches!(fixture.log.read(100, 1_000, Oversized::Refused), Err(LogError::OutOfRange { .. })));
    assert_eq!(headers(&fixture.log.read(101, 1_000, Oversized::Refused).unwrap())[0].base_offset, 100);
    assert_eq!(fixture.log.delete_before(7).unwrap(), 101);
    assert!(matches!(fixture.log.delete_before(201), Err(LogError::OutOfRange { .. })));
}

#[test]
fn the_next_offset_survives_the_deletion_of_all_records() {
    let fixture = Fixture::new();
    fixture.fill(10);
    fixture.log.delete_before(20).unwrap();
    assert_eq!(fixture.log.stored_bytes(), 0);
    let fixture = fixture.reopened();
    assert_eq!(fixture.log.bounds(), Bounds { start_offset: 20, high_watermark: 20 });
    assert_eq!(fixture.append(&Sample::of(&[1])).unwrap(), 20);
}

#[test]
fn the_first_record_not_before_a_time_is_found() {
    let fixture = Fixture::new();
    fixture.fill(100);
    let at =
        |timestamp_ms| fixture.log.first_since(timestamp_ms).unwrap().map(|found| (found.offset, found.timestamp_ms));
    for offset in 0..200 {
        assert_eq!(at(offset * 5), Some((offset, offset * 5)));
        assert_eq!(at(offset * 5 - 1), Some((offset, offset * 5)));
    }
    assert_eq!(at(996), None);
    fixture.log.delete_before(151).unwrap();
    assert_eq!(at(0), Some((151, 755)));
}

#[test]
fn times_inside_compressed_batches_are_found() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let lz4 = |bytes: &[u8]| {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let snappy = |bytes: &[u8]| snap::raw::Encoder::new().compress_vec(bytes).unwrap();
    let framed_snappy = |bytes: &[u8]| {
        let mut framed = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
        for block in bytes.chunks(20) {
            let block = snap::raw::Encoder::new().compress_vec(block).unwrap();
            framed.extend_from_slice(&(block.len() as u32).to_be_bytes());
            framed.extend_from_slice(&block);
        }
        framed
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let codecs: [Compress; 5] = [(1, gzip), (2, snappy), (2, framed_snappy), (3, lz4), (4, zstd)];
    for compress in codecs {
        let fixture = Fixture::new();
        fixture.append(&Sample { compress, ..Sample::of(&[10, 30, 20, 50]) }).unwrap();
        let at = |timestamp_ms| fixture.log.first_since(timestamp_ms).unwrap().map(|found| found.offset);
        assert_eq!([at(0), at(11), at(31), at(51)], [Some(0), Some(1), Some(3), None], "codec {}", compress.0);
        let latest = fixture.log.latest_time().unwrap();
        assert_eq!(latest, Some(RecordTime { offset: 3, timestamp_ms: 50 }));
    }
}

#[test]
fn records_that_cannot_be_unfolded_are_an_error_for_the_time_search_only() {
    let fixture = Fixture::new();
    fixture.append(&Sample { compress: (4, |_| vec![1, 2, 3]), ..Sample::of(&[10, 20]) }).unwrap();
    assert!(matches!(fixture.log.first_since(15), Err(LogError::Io(_))));
    assert_eq!(headers(&fixture.log.read(0, 1_000, Oversized::Refused).unwrap()).len(), 1);
}

#[test]
fn appends_are_seen_by_those_who_wait() {
    let fixture = Fixture::new();
    let mut watch = fixture.log.watch();
    assert!(!watch.has_changed().unwrap());
    fixture.fill(1);
    assert_eq!(*watch.borrow_and_update(), 2);
    fixture.log.mark_deleted();
    assert!(watch.has_changed().unwrap());
    assert!(matches!(fixture.append(&Sample::of(&[1])), Err(LogError::Deleted)));
}
