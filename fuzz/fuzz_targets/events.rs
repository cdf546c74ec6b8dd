#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mrc_fuzz::events(data));
