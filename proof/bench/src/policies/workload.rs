//! Who asks for what: sequences of keys, made from a seed.

/// How many keys there are, beside those of scans.
pub(super) const KEYS: usize = 100_000;
const SEED: u64 = 42;

/// How keys are asked for.
#[derive(Clone, Copy)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    /// The exponent of Zipf's law: the n-th key is asked for in proportion to n to the power of minus this.
    exponent: f64,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Constant,
    /// After so many requests, so many keys one after the other that nobody asks for again.
    Scans(usize, usize),
    /// After so many requests, other keys are the popular ones.
    Shifts(usize),
}

pub(super) const WORKLOADS: [Workload; 4] = [
    Workload { name: "Zipf 0.9", exponent: 0.9, kind: Kind::Constant },
    Workload { name: "Zipf 1.1", exponent: 1.1, kind: Kind::Constant },
    Workload { name: "Zipf 0.9 and scans", exponent: 0.9, kind: Kind::Scans(40_000, 20_000) },
    Workload { name: "Zipf 0.9, shifting", exponent: 0.9, kind: Kind::Shifts(100_000) },
];

impl Workload {
    /// The keys that are asked for, by number.
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

/// The share of all requests that the first key has, the first two, …
fn shares(exponent: f64) -> Vec<f64> {
    let mut sum = 0.0;
    let sums = (1..=KEYS).map(|rank| {
        sum += (rank as f64).powf(-exponent);
        sum
    });
    let sums: Vec<f64> = sums.collect();
    sums.iter().map(|part| part / sum).collect()
}

/// Numbers that look random, the same ones every time: SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Another number for each number.
pub(super) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
