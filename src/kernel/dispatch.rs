//! Detection of the machine's instruction sets.

use pulp::Arch;

/// Returns the instruction sets of this machine by name, from scalar to the one that [`Arch::new`] uses. All
/// but the last are for tests and benches.
pub fn instruction_sets() -> Vec<(&'static str, Arch)> {
    let mut sets = vec![("scalar", Arch::Scalar)];
    #[cfg(target_arch = "x86_64")]
    {
        sets.extend(pulp::x86::V3::try_new().map(|simd| ("AVX2", Arch::V3(simd))));
        sets.extend(pulp::x86::V4::try_new().map(|simd| ("AVX-512", Arch::V4(simd))));
    }
    #[cfg(not(target_arch = "x86_64"))]
    sets.push(("best", Arch::new()));
    sets
}
