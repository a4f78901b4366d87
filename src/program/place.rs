//! Where numbers are: rows of lanes, and shared numbers that serve all lanes.
//!
//! An element of a batched node is a *row*: a number a lane, side by side. What only moves data (a gather, a
//! concatenation, a transpose, a scatter) has no rows of its own: its places are places of its operands, so a program
//! does not move numbers that it can find.

use smallvec::SmallVec;

/// A row of lanes, or a shared number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place(u32);

const SHARED: u32 = 1 << 31;

impl Place {
    /// The shared number 0.
    pub const ZERO: Place = Place(SHARED);
    /// Not known yet.
    pub const NOWHERE: Place = Place(u32::MAX);

    pub fn row(row: usize) -> Place {
        assert!(row < SHARED as usize, "a program has fewer than 2³¹ rows");
        Place(row as u32)
    }

    pub fn shared(index: usize) -> Place {
        assert!(index < (SHARED - 1) as usize, "a program has fewer than 2³¹ shared numbers");
        Place(index as u32 | SHARED)
    }

    pub fn is_shared(self) -> bool {
        self.0 & SHARED != 0
    }

    /// The number of the row, or of the shared number.
    pub fn index(self) -> usize {
        (self.0 & !SHARED) as usize
    }
}

/// The places of a node's elements, in their order.
#[derive(Clone, Debug)]
pub(super) enum Places {
    /// One after another.
    Run { first: Place, count: usize },
    /// The same for every element.
    Repeat { place: Place, count: usize },
    /// Anywhere.
    List(Vec<Place>),
}

impl Places {
    pub fn len(&self) -> usize {
        match self {
            Places::Run { count, .. } | Places::Repeat { count, .. } => *count,
            Places::List(list) => list.len(),
        }
    }

    pub fn get(&self, element: usize) -> Place {
        match self {
            Places::Run { first, .. } => Place(first.0 + element as u32),
            Places::Repeat { place, .. } => *place,
            Places::List(list) => list[element],
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Place> + '_ {
        (0..self.len()).map(|element| self.get(element))
    }

    /// From a list, in the shortest way.
    pub fn of(list: Vec<Place>) -> Places {
        let Some(first) = list.first().copied() else { return Places::List(list) };
        let count = list.len();
        if list.iter().all(|place| *place == first) {
            return Places::Repeat { place: first, count };
        }
        let run = list.iter().enumerate().all(|(k, place)| place.0 == first.0.wrapping_add(k as u32));
        if run { Places::Run { first, count } } else { Places::List(list) }
    }

    /// The same with other numbers for the rows.
    pub fn renumbered(&self, row: &dyn Fn(usize) -> usize) -> Places {
        let moved = |place: Place| if place.is_shared() { place } else { Place::row(row(place.index())) };
        match self {
            // Rows of one block stay together.
            Places::Run { first, count } if *count > 0 => Places::Run { first: moved(*first), count: *count },
            Places::Repeat { place, count } => Places::Repeat { place: moved(*place), count: *count },
            Places::List(list) => Places::List(list.iter().map(|place| moved(*place)).collect()),
            empty => empty.clone(),
        }
    }

    /// The first row, where all elements are rows one after another.
    pub fn rows(&self) -> Option<usize> {
        match self {
            Places::Run { first, .. } if !first.is_shared() => Some(first.index()),
            Places::Repeat { place, count: 1 } if !place.is_shared() => Some(place.index()),
            _ => None,
        }
    }
}

/// Elements of a result, one after another, of which each operand is either rows one after another or one shared
/// number.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// The first row written.
    pub out: usize,
    pub count: usize,
    pub operands: SmallVec<[Place; 3]>,
}

/// The segments of an elementwise operation: for each element the row it is written to, and its operands.
pub(super) fn segments(elements: impl Iterator<Item = (usize, SmallVec<[Place; 3]>)>) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for (out, operands) in elements {
        if let Some(last) = segments.last_mut() {
            let goes_on = last.operands.iter().zip(&operands).all(|(first, place)| match first.is_shared() {
                true => first == place,
                false => place.0 == first.0 + last.count as u32,
            });
            if goes_on && out == last.out + last.count {
                last.count += 1;
                continue;
            }
        }
        segments.push(Segment { out, count: 1, operands });
    }
    segments
}
