//! Names and ports that no other test uses.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::Mutex;

use rand::Rng;

/// A random name: `prefix`, then 12 letters and digits. Fit for keys, tables and databases.
pub fn unique(prefix: &str) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    let tail = (0..12).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())]));
    format!("{prefix}_{}", tail.collect::<String>())
}

/// A port of 127.0.0.1 on which nobody listens, and which this process hands out once.
///
/// It lies below the ports that systems give to outgoing connections, so none of those takes it meanwhile,
/// and its cluster bus port (plus 10,000) is free too.
pub fn free_port() -> u16 {
    static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    for _ in 0..1_000 {
        let port = rand::rng().random_range(11_000..22_000);
        let fresh = TAKEN.lock().expect("no holder panics").get_or_insert_default().insert(port);
        if fresh && free(port) && free(port + 10_000) {
            return port;
        }
    }
    panic!("no free port of 127.0.0.1 between 11000 and 22000");
}
