//! Measures the resources that this process has used.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::Res;
use crate::results::Work;

pub(crate) struct Clock {
    wall: Instant,
    cpu: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { cpu: time(), wall: Instant::now() }
    }

    pub(crate) fn stop(self, calls: u64, seen: u64) -> Work {
        let wall = self.wall.elapsed().as_secs_f64();
        Work { calls, wall, cpu: (time() - self.cpu).as_secs_f64(), seen }
    }
}

/// Returns the CPU time of all threads, in user space and in the kernel.
pub(crate) fn time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

/// Returns the ns of the monotonic clock, which all processes of the machine share.
pub(crate) fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// Returns the memory that this process has in RAM, in bytes. Works on Linux only.
pub(crate) fn resident() -> Res<u64> {
    status("VmRSS:")
}

/// Returns the most memory that this process had in RAM since [`forget_peak`], in bytes.
pub(crate) fn peak() -> Res<u64> {
    status("VmHWM:")
}

pub(crate) fn forget_peak() -> Res<()> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

fn status(name: &str) -> Res<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line in the status")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}
