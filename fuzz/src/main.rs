//! libFuzzer runs the target that `FUZZ_TARGET` names. `scripts/fuzz` builds and starts it.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static TARGET: std::sync::LazyLock<mrc_fuzz::Target> = std::sync::LazyLock::new(|| {
        let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
        let found = mrc_fuzz::TARGETS.iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("there is no target {name}")).1
    });
    TARGET(data);
});

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("scripts/fuzz builds this for libFuzzer");
}
