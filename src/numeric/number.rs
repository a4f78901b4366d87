//! The two number types that programs compute with.

use std::fmt::Debug;

use num_traits::Float;

use crate::kernel::Real;

/// Numbers a program computes with: `f64`, or `f32` for speed.
pub trait Number: Float + Real + Debug + Default + 'static {
    /// The nearest number of this type.
    fn of(value: f64) -> Self;
    /// As a double.
    fn to_double(self) -> f64;
    /// The error function.
    fn erf(self) -> Self;
    /// Bits that are ordered as the numbers are.
    fn ordered_bits(self) -> u64;
    /// The number halfway between two others as bits go.
    fn between(low: Self, high: Self) -> Self;
}

impl Number for f64 {
    fn of(value: f64) -> f64 {
        value
    }
    fn to_double(self) -> f64 {
        self
    }
    fn erf(self) -> f64 {
        libm::erf(self)
    }
    fn ordered_bits(self) -> u64 {
        let bits = self.to_bits();
        if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
    }
    fn between(low: f64, high: f64) -> f64 {
        let (low, high) = (low.ordered_bits(), high.ordered_bits());
        let middle = low + (high - low) / 2;
        f64::from_bits(if middle >> 63 == 1 { middle & !(1 << 63) } else { !middle })
    }
}

impl Number for f32 {
    fn of(value: f64) -> f32 {
        value as f32
    }
    fn to_double(self) -> f64 {
        f64::from(self)
    }
    fn erf(self) -> f32 {
        libm::erff(self)
    }
    fn ordered_bits(self) -> u64 {
        let bits = self.to_bits();
        u64::from(if bits >> 31 == 1 { !bits } else { bits | 1 << 31 })
    }
    fn between(low: f32, high: f32) -> f32 {
        let (low, high) = (low.ordered_bits() as u32, high.ordered_bits() as u32);
        let middle = low + (high - low) / 2;
        f32::from_bits(if middle >> 31 == 1 { middle & !(1 << 31) } else { !middle })
    }
}
