//! The workloads: sequences of keys, made from a seed.

/// The number of keys, besides those of scans.
pub(super) const KEYS: usize = 100_000;
const SEED: u64 = 42;

#[derive(Clone, Copy)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    /// The exponent `s` of Zipf's law: the n-th key is requested in proportion to n⁻ˢ.
    exponent: f64,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Constant,
    /// After this many requests, this many keys in a row that nobody requests again.
    Scans(usize, usize),
    /// After this many requests, other keys are the popular ones.
    Shifts(usize),
}

pub(super) const WORKLOADS: [Workload; 4] = [
    Workload { name: "Zipf 0.9", exponent: 0.9, kind: Kind::Constant },
    Workload { name: "Zipf 1.1", exponent: 1.1, kind: Kind::Constant },
    Workload { name: "Zipf 0.9 and scans", exponent: 0.9, kind: Kind::Scans(40_000, 20_000) },
    Workload { name: "Zipf 0.9, shifting", exponent: 0.9, kind: Kind::Shifts(100_000) },
];

impl Workload {
    pub(super) fn requests(&self, count: usize) -> Vec<u64> {
        let (mut random, shares) = (Random(SEED), shares(self.exponent));
        let (mut requests, mut asked, mut fresh) = (Vec::with_capacity(count), 0, KEYS as u64..);
        while requests.len() < count {
            let share = random.unit();
            let rank = shares.partition_point(|sum| *sum < share).min(KEYS - 1) as u64;
            asked += 1;
            match self.kind {
                Kind::Constant => requests.push(rank),
                Kind::Scans(after, keys) => {
                    requests.push(rank);
                    if asked % after == 0 {
                        requests.extend(fresh.by_ref().take(keys));
                    }
                }
                Kind::Shifts(after) => {
                    let first = mix(asked as u64 / after as u64) % KEYS as u64;
                    requests.push((first + rank) % KEYS as u64);
                }
            }
        }
        requests.truncate(count);
        requests
    }
}

/// Returns the cumulated shares of all requests: of the first key, of the first two, …
fn shares(exponent: f64) -> Vec<f64> {
    let mut sum = 0.0;
    let sums = (1..=KEYS).map(|rank| {
        sum += (rank as f64).powf(-exponent);
        sum
    });
    let sums: Vec<f64> = sums.collect();
    sums.iter().map(|part| part / sum).collect()
}

/// Pseudo-random numbers, the same every time: SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Returns a number from 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Maps each number to another number, one to one.
pub(super) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
