//! Kafka to Parquet as one would write it: rdkafka, arrow-json, parquet.
//!
//!     straightforward BROKER TOPIC RECORDS FOLDER
//!
//! Reads from the beginning until it has so many records, writes a file of each 4,400 of them, and commits offsets behind
//! each. Says how many seconds it had of the processor, and how many passed.

use std::error::Error;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_json::ReaderBuilder;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rustix::time::{ClockId, clock_gettime};

/// As the function `load` has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rows of a file: what a batch of Penstock holds of records of this size.
const ROWS: usize = 4_400;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: straightforward BROKER TOPIC RECORDS FOLDER");
    let (broker, topic, wanted, folder) = (next()?, next()?, next()?.parse::<usize>()?, next()?);
    let began = Instant::now();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &broker)
        .set("group.id", format!("straightforward-rust-{}", std::process::id()))
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "50")
        .create()?;
    // Assigned by hand, so that nobody waits for a group to form.
    let metadata = consumer.fetch_metadata(Some(&topic), Duration::from_secs(10))?;
    let mut assigned = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        assigned.add_partition_offset(&topic, partition.id(), Offset::Beginning)?;
    }
    consumer.assign(&assigned)?;

    let schema = schema();
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?)).build();
    let (mut read, mut files) = (0, 0);
    while read < wanted {
        let rows = ROWS.min(wanted - read);
        let mut decoder = ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(rows).build_decoder()?;
        let mut taken = 0;
        while taken < rows {
            let Some(message) = consumer.poll(Duration::from_secs(1)) else {
                continue;
            };
            let message = message?;
            decoder.decode(message.payload().unwrap_or_default())?;
            taken += 1;
        }
        let batch = decoder.flush()?.ok_or("no rows")?;
        let file = File::create(format!("{folder}/{files}.parquet"))?;
        let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties.clone()))?;
        writer.write(&batch)?;
        writer.close()?;
        consumer.commit_consumer_state(CommitMode::Sync)?;
        read += rows;
        files += 1;
    }
    let wall = began.elapsed().as_secs_f64();
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    println!("{} {wall}", Duration::new(u64::try_from(cpu.tv_sec)?, u32::try_from(cpu.tv_nsec)?).as_secs_f64());
    Ok(())
}

fn schema() -> Arc<Schema> {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        field("id", DataType::Int64),
        field("at", DataType::Timestamp(TimeUnit::Microsecond, None)),
        field("customer", DataType::Int64),
        field("price", DataType::Float64),
        field("paid", DataType::Boolean),
        field("city", DataType::Utf8),
        field("agent", DataType::Utf8),
        field("note", DataType::Utf8),
    ]))
}
