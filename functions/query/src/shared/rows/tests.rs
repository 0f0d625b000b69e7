use arrow_array::{ArrayRef, Int64Array};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::common::collect;

use super::*;

/// Two who share what `input` makes, and what they run in.
fn two(rows: i64, memory_bytes: usize) -> (Vec<SharedExec>, Arc<TaskContext>) {
    let numbers: ArrayRef = Arc::new((0..rows).collect::<Int64Array>());
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let input = || MemorySourceConfig::try_new_exec(&[vec![batch.clone()]], batch.schema(), None).unwrap();
    let shared = Arc::new(SharedRows::default());
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(GreedyMemoryPool::new(memory_bytes)));
    let context = TaskContext::default().with_runtime(runtime.build_arc().unwrap());
    let both = [input(), input()].map(|input| SharedExec::new(input, Arc::clone(&shared)));
    (both.into(), Arc::new(context))
}

async fn count(reader: &SharedExec, context: &Arc<TaskContext>) -> usize {
    let batches = collect(reader.execute(0, Arc::clone(context)).unwrap()).await.unwrap();
    batches.iter().map(RecordBatch::num_rows).sum()
}

#[tokio::test]
async fn all_who_share_get_all_rows() {
    let (readers, context) = two(1000, 1 << 20);
    for reader in &readers {
        assert_eq!(count(reader, &context).await, 1000);
    }
    assert!(context.memory_pool().reserved() >= 8000);
    drop(readers);
    assert_eq!(context.memory_pool().reserved(), 0);
}

#[tokio::test]
async fn without_memory_for_it_each_makes_its_own() {
    let (readers, context) = two(1000, 100);
    for reader in &readers {
        assert_eq!(count(reader, &context).await, 1000);
    }
    assert_eq!(context.memory_pool().reserved(), 0);
}

#[tokio::test]
async fn a_reader_that_left_is_not_waited_for() {
    let (readers, context) = two(1000, 1 << 20);
    drop(readers[0].execute(0, Arc::clone(&context)).unwrap());
    assert_eq!(count(&readers[1], &context).await, 1000);
}
