//! Sends records from the processes to the parent.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Res;
use crate::record::{Count, Memory, Read, Record, SIZE, Write};

/// How often a process sends its records. Those of a killed process may be lost, which is harmless.
const EVERY: Duration = Duration::from_millis(20);

/// The end in a child process. A thread of its own sends.
#[derive(Debug, Clone)]
pub(crate) struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    /// Connects to the parent. This process ends with the parent.
    pub(crate) fn connect(port: u16) -> Res<Self> {
        let mut parent = TcpStream::connect(("127.0.0.1", port))?;
        let sink = Self(Arc::default());
        let buffer = Arc::clone(&sink.0);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(EVERY);
                let bytes = std::mem::take(&mut *lock(&buffer));
                if parent.write_all(&bytes).is_err() {
                    std::process::exit(0);
                }
            }
        });
        Ok(sink)
    }

    pub(crate) fn tell(&self, record: Record) {
        lock(&self.0).extend_from_slice(&record.encode());
    }

    pub(crate) fn count(&self, what: Count) {
        self.tell(Record::Count(what, 1));
    }
}

/// Reports that the process is at work.
pub(crate) fn ready() {
    println!("ready");
}

/// All records, in the parent.
#[derive(Debug, Default)]
pub(crate) struct History {
    reads: Mutex<Vec<Read>>,
    writes: Mutex<Vec<Write>>,
    memory: Mutex<Vec<Memory>>,
    counts: Counts,
}

#[derive(Debug)]
struct Counts(Vec<AtomicU64>);

impl Default for Counts {
    fn default() -> Self {
        Self(Count::ALL.iter().map(|_| AtomicU64::new(0)).collect())
    }
}

impl History {
    pub(crate) fn tell(&self, record: Record) {
        match record {
            Record::Read(read) => lock(&self.reads).push(read),
            Record::Write(write) => lock(&self.writes).push(write),
            Record::Memory(memory) => lock(&self.memory).push(memory),
            Record::Count(what, more) => {
                self.counts.0[what as usize].fetch_add(more, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn count(&self, what: Count) {
        self.tell(Record::Count(what, 1));
    }

    pub(crate) fn counted(&self, what: Count) -> u64 {
        self.counts.0[what as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn reads(&self) -> MutexGuard<'_, Vec<Read>> {
        lock(&self.reads)
    }

    pub(crate) fn writes(&self) -> MutexGuard<'_, Vec<Write>> {
        lock(&self.writes)
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Vec<Memory>> {
        lock(&self.memory)
    }

    /// Takes the records of the processes, until it is dropped.
    pub(crate) async fn listen(self: Arc<Self>, listener: TcpListener) {
        let mut processes = JoinSet::new();
        while let Ok((mut process, _)) = listener.accept().await {
            let history = Arc::clone(&self);
            processes.spawn(async move {
                let (mut pending, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
                while let Ok(n @ 1..) = process.read(&mut chunk).await {
                    pending.extend_from_slice(&chunk[..n]);
                    let (records, rest) = pending.as_chunks::<SIZE>();
                    records.iter().filter_map(Record::decode).for_each(|record| history.tell(record));
                    pending = rest.to_vec();
                }
            });
        }
    }
}

/// Locks what no panic can leave half-changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
