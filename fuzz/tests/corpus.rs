//! Runs every target on its corpus, and on some thousand inputs that are the same in every run.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use mrc_fuzz::{TARGETS, Target};

/// The number of inputs for each target, besides its corpus.
const INPUTS: u64 = 2000;

#[test]
fn the_corpus_holds() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        files.sort();
        for file in files {
            run(target, &fs::read(&file).unwrap(), &file.display().to_string());
        }
    }
}

#[test]
fn random_inputs_hold_too() {
    for (name, target) in TARGETS {
        for seed in 0..INPUTS {
            let mut random = Random(seed);
            let length = random.next() % 400;
            let mut input: Vec<u8> = (0..length).map(|_| (random.next() >> 32) as u8).collect();
            // Random bytes are a poor text, so they choose one.
            if seed % 4 > 0 && matches!(name, "statement" | "json") {
                input.insert(0, 0xFF);
            }
            run(target, &input, &format!("{name}, seed {seed}: {input:?}"));
        }
    }
}

fn run(target: Target, input: &[u8], what: &str) {
    assert!(catch_unwind(|| target(input)).is_ok(), "failed, see above: {what}");
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
