//! Tests on real servers and the published peers, in one process, so that they share servers.

/// Makes a test of each of these functions: the runner calls it with its arguments.
macro_rules! tests {
    ($runner:ident, $($test:ident),+ $(,)?) => {
        mod $runner {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$runner(super::$test).await;
                }
            )+
        }
    };
}

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
