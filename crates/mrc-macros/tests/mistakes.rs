//! Compares the compiler's messages about wrong uses of the macros with those of this toolchain.

#[test]
fn mistakes_are_reported_at_their_place() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
