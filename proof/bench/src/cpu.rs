//! What this process has used.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::Res;

/// The CPU time of all threads, in user space and in the kernel.
pub(crate) fn time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

/// The memory that this process has in RAM, in bytes; Linux alone says it.
pub(crate) fn resident() -> Res<u64> {
    status("VmRSS:")
}

/// The most memory that this process had in RAM since [`forget_peak`].
pub(crate) fn peak() -> Res<u64> {
    status("VmHWM:")
}

/// Lets the peak begin anew.
pub(crate) fn forget_peak() -> Res<()> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

fn status(name: &str) -> Res<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line in the status")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}
