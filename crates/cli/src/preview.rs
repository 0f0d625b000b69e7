//! `penstock preview`: the very kernel on records from files, without Kafka, store or server.

mod definition;
mod lines;
mod records;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::sync::Arc;

use penstock_catalog::clock::{Clock, SystemClock};
use penstock_kernel::batch::Batch;
use penstock_kernel::facts::{AvroSchema, Facts, SchemaError, SchemaFact, Schemas};
use penstock_kernel::loaded::LoadStatistics;

use crate::args::{PreviewArgs, SchemaFile};
use crate::screen;
use definition::Definition;

/// Records that are loaded at once while none is rejected.
const CHUNK_RECORDS: usize = 1_000;
/// Bytes after which a chunk is loaded although it has fewer records.
const CHUNK_BYTES: usize = 8 << 20;

/// Prints what becomes of each record. Status 1 if the definition is refused or an input cannot be read.
pub fn run(args: &PreviewArgs) -> ExitCode {
    match preview(args) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough.
        Err(PreviewError::Output { source }) if source.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            screen::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Why a preview ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreviewError {
    /// A file cannot be read.
    #[error("cannot read `{path}`")]
    Input {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The definition is refused.
    #[error("`{path}`: {message}")]
    Definition {
        /// The file.
        path: String,
        /// What is wrong, where, and a hint.
        message: String,
    },
    /// A schema is none.
    #[error("`{path}`")]
    Schema {
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        source: SchemaError,
    },
    /// Standard output cannot be written.
    #[error("cannot write the result")]
    Output {
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn preview(args: &PreviewArgs) -> Result<(), PreviewError> {
    let definition = definition::read(&args.job)?;
    let facts = Facts::at(SystemClock.now_ms()).with_schemas(schemas(&args.schema)?);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut statistics = LoadStatistics::default();
    let mut chunk = records::Chunk::default();
    for path in &args.input {
        records::each(path, args.split, |value| {
            chunk.push(value);
            if chunk.len() >= CHUNK_RECORDS || chunk.bytes() >= CHUNK_BYTES {
                load(&definition, &facts, &mut chunk, &mut statistics, &mut out)?;
            }
            Ok(())
        })?;
    }
    load(&definition, &facts, &mut chunk, &mut statistics, &mut out)?;
    lines::statistics(&mut out, &statistics)
        .and_then(|()| out.flush())
        .map_err(|source| PreviewError::Output { source })
}

/// The schemas in these files.
fn schemas(files: &[SchemaFile]) -> Result<Schemas, PreviewError> {
    let mut schemas = Schemas::default();
    for SchemaFile { id, path } in files {
        let shown = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| PreviewError::Input { path: shown.clone(), source })?;
        let schema = AvroSchema::parse(&text, &[]).map_err(|source| PreviewError::Schema { path: shown, source })?;
        schemas.insert(*id, SchemaFact::Avro(Arc::new(schema)));
    }
    Ok(schemas)
}

/// Loads a chunk whole; record by record only if something is rejected, so that lines stand in the order of records.
fn load(
    definition: &Definition,
    facts: &Facts,
    chunk: &mut records::Chunk,
    statistics: &mut LoadStatistics,
    out: &mut impl Write,
) -> Result<(), PreviewError> {
    let Definition { plan, table } = definition;
    let whole = plan.load(&chunk.batch(), facts);
    *statistics += whole.statistics;
    let written = if whole.rejected.is_empty() {
        lines::loaded(out, &table.columns, &whole)
    } else {
        chunk.batch().records.iter().try_for_each(|record| {
            let one = Batch { topic: String::new(), records: vec![*record] };
            lines::loaded(out, &table.columns, &plan.load(&one, facts))
        })
    };
    written.map_err(|source| PreviewError::Output { source })?;
    chunk.clear();
    Ok(())
}
