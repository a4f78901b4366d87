//! Intervals with open and closed ends.

/// What is known of the elements of a node, wherever they are defined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The lower end.
    pub low: End,
    /// The upper end.
    pub high: End,
    /// No element is ever 0.
    pub nonzero: bool,
    /// Every element is defined, for all inputs in their domain and all parameters.
    pub defined: bool,
}

/// An end of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct End {
    /// The value; infinite ends are open.
    pub at: f64,
    /// Whether the value is not reached.
    pub open: bool,
}

impl End {
    /// Makes a closed end, or an open one at ±∞. -0 becomes 0.
    pub(in crate::sweep) fn closed(at: f64) -> End {
        End { at: at + 0.0, open: at.is_infinite() }
    }

    /// Makes an open end. -0 becomes 0.
    pub(in crate::sweep) fn open(at: f64) -> End {
        End { at: at + 0.0, open: true }
    }

    /// Returns the end moved to another value.
    pub(in crate::sweep) fn moved(self, at: f64) -> End {
        End { at: at + 0.0, open: self.open || at.is_infinite() }
    }

    pub(super) fn negated(self) -> End {
        End { at: 0.0 - self.at, open: self.open }
    }
}

impl Bound {
    /// (-∞, ∞)
    pub const REALS: Bound = Bound {
        low: End { at: f64::NEG_INFINITY, open: true },
        high: End { at: f64::INFINITY, open: true },
        nonzero: false,
        defined: true,
    };

    /// (low, high)
    pub fn between(low: f64, high: f64) -> Bound {
        Bound::of(End::open(low), End::open(high))
    }

    /// [low, high]
    pub fn closed(low: f64, high: f64) -> Bound {
        Bound::of(End::closed(low), End::closed(high))
    }

    /// Makes the bound of defined elements between two ends.
    pub(in crate::sweep) fn of(low: End, high: End) -> Bound {
        Bound { low, high, nonzero: false, defined: true }.in_order()
    }

    /// Returns the bound with this definedness, and with the fact that no element is 0 if `nonzero` says so.
    pub(in crate::sweep) fn with(self, nonzero: bool, defined: bool) -> Bound {
        Bound { nonzero: self.nonzero || nonzero, defined, ..self }.in_order()
    }

    /// Returns the bound with ends that are numbers, without -0, and with the sign that follows from the ends.
    pub(super) fn in_order(self) -> Bound {
        let end = |end: End, unknown: f64| match end.at.is_nan() {
            true => End::open(unknown),
            false => End { at: end.at + 0.0, open: end.open || end.at.is_infinite() },
        };
        let mut bound =
            Bound { low: end(self.low, f64::NEG_INFINITY), high: end(self.high, f64::INFINITY), ..self };
        bound.nonzero |= bound.is_positive() || bound.is_negative();
        // A 0 that is never reached is an open end.
        bound.low.open |= bound.nonzero && bound.low.at == 0.0;
        bound.high.open |= bound.nonzero && bound.high.at == 0.0;
        bound
    }

    /// Every element is above 0.
    pub fn is_positive(self) -> bool {
        self.low.at > 0.0 || (self.low.at == 0.0 && (self.low.open || self.nonzero))
    }

    /// Every element is below 0.
    pub fn is_negative(self) -> bool {
        self.high.at < 0.0 || (self.high.at == 0.0 && (self.high.open || self.nonzero))
    }

    /// Every element is 0 or above.
    pub fn is_nonnegative(self) -> bool {
        self.low.at >= 0.0
    }

    /// Every element is 0 or below.
    pub fn is_nonpositive(self) -> bool {
        self.high.at <= 0.0
    }

    /// Whether a number can be an element.
    pub fn contains(self, value: f64) -> bool {
        let above = value > self.low.at || (value == self.low.at && !self.low.open);
        let below = value < self.high.at || (value == self.high.at && !self.high.open);
        above && below && !(self.nonzero && value == 0.0)
    }

    /// Returns the smallest interval around both.
    pub(super) fn hull(self, other: Bound) -> Bound {
        let low = lower(self.low, other.low);
        let high = higher(self.high, other.high);
        let defined = self.defined && other.defined;
        Bound { low, high, nonzero: self.nonzero && other.nonzero, defined }.in_order()
    }
}

/// Returns the lower of two ends; of two equal values the one that is reached.
pub(in crate::sweep) fn lower(a: End, b: End) -> End {
    if a.at < b.at {
        a
    } else if b.at < a.at {
        b
    } else {
        End { at: a.at, open: a.open && b.open }
    }
}

/// Returns the higher of two ends; of two equal values the one that is reached.
pub(in crate::sweep) fn higher(a: End, b: End) -> End {
    lower(a.negated(), b.negated()).negated()
}
