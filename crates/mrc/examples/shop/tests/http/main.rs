//! Runs the service as a process, over HTTP.

#[cfg(test)]
mod routes;
#[cfg(test)]
mod run;
