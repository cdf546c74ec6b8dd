//! Tests on real servers and the published peers, in one process, so that they share servers.

#[cfg(test)]
mod client;
#[cfg(test)]
mod executor;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod statement;
#[cfg(test)]
mod store;
