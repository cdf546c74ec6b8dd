//! Runs the binary `mrc` like its users.

#[cfg(test)]
mod demo;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod follow;
#[cfg(test)]
mod input;
#[cfg(test)]
mod jsonl;
#[cfg(test)]
mod many;
#[cfg(test)]
mod run;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod stats;
#[cfg(test)]
mod tags;
